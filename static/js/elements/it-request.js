/** <hj-it-request>: what to give to an IT department so that sound and picture get out: addresses and ports, to be copied. */
import { html } from '/static/vendor/lit.js';
import { t } from '../i18n.js';
import { LightElement } from './base.js';

const COPIED_MS = 3000;

class ItRequest extends LightElement {
  static properties = { found: { attribute: false }, all: { type: Boolean }, copied: { state: true } };

  constructor() {
    super();
    /** @type {import('../room/path-check.js').Found | null} */
    this.found = null;
    /** Whether the ways that are open already are asked for as well. */
    this.all = false;
    this.copied = false;
  }

  get words() {
    if (!this.found) return '';
    const { path, places: { udp, tcp, relay } } = this.found;
    const asks = [t('path-ask-udp', { places: udp.join(' ') })];
    if (path !== 'tcp' || this.all) asks.push(t('path-ask-tcp', { places: tcp.join(' ') }));
    if ((path === 'none' || this.all) && relay.length > 0) asks.push(t('path-ask-relay', { places: relay.join(' ') }));
    return [t('path-ask', { site: location.host }), ...asks.map((ask, index) => (index ? `${t('path-or')} ${ask}` : ask))].join('\n');
  }

  render() {
    return html`<pre class="path-ask" data-testid="path-ask" tabindex="0">${this.words}</pre>
      <button type="button" class="quiet" data-testid="path-copy" @click=${() => void this.copy()}>
        ${this.copied ? t('path-copied') : t('path-copy')}</button>`;
  }

  async copy() {
    try {
      await navigator.clipboard.writeText(this.words);
      this.copied = true;
      setTimeout(() => { this.copied = false; }, COPIED_MS);
    } catch {
      const block = this.querySelector('.path-ask'); // not allowed: marked, so that one key copies it
      if (block) getSelection()?.selectAllChildren(block);
    }
  }
}
customElements.define('hj-it-request', ItRequest);
