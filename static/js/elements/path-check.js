/** <hj-path-check>: which way sound and picture will take from here, and what to ask an IT department for when none is open. */
import { html, nothing } from '/static/vendor/lit.js';
import { t } from '../i18n.js';
import { CLOCK_OFF_MS } from '../room/path-check.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

/** @typedef {import('../room/path-check.js').Found} Found */

const TONE = Object.freeze(/** @type {Record<string, [string, string]>} */ ({
  udp: ['notice-good', 'check'], tcp: ['notice-plain', 'check'], relay: ['notice-plain', 'shield'],
  none: ['notice-alarm', 'warning'], unknown: ['notice-plain', 'warning'],
}));
const COPIED_MS = 3000;
/** Who reloads passes the door at once: nobody is there to read it. */
const START_AFTER_MS = 250;

class PathCheckView extends LightElement {
  static properties = { check: { attribute: false }, copied: { state: true } };

  constructor() {
    super();
    /** @type {import('../room/path-check.js').PathCheck | null} */
    this.check = null;
    this.copied = false;
    /** @type {number | undefined} */
    this.soon = undefined;
    this.changed = () => this.requestUpdate();
  }

  connectedCallback() {
    super.connectedCallback();
    this.check?.addEventListener('change', this.changed);
    this.soon = setTimeout(() => this.check?.found.path === 'idle' && void this.check.start(), START_AFTER_MS);
  }

  disconnectedCallback() {
    clearTimeout(this.soon);
    this.check?.removeEventListener('change', this.changed);
    super.disconnectedCallback();
  }

  render() {
    const found = this.check?.found;
    if (!found || found.path === 'idle') return nothing;
    const { path } = found;
    return html`<div class="path" data-testid="path-check" data-path=${path} data-done=${String(!this.check?.running)}>
      ${path === 'checking' ? html`<p class="hint" role="status">${t('path-checking')}</p>` : this.result(found)}
      ${Math.abs(found.clock_ms) > CLOCK_OFF_MS ? this.clock(found) : nothing}
    </div>`;
  }

  /** @param {Found} found */
  result(found) {
    const [tone, mark] = TONE[found.path] ?? ['notice-plain', 'warning'];
    const helpless = found.path === 'none';
    return html`<div class="notice ${tone}" role=${helpless ? 'alert' : 'status'}>${icon(mark)}<div>
      <p>${t(helpless && found.loopback ? 'path-loopback' : `path-${found.path}`)}</p>
      ${found.fault ? html`<p data-testid="path-fault" data-fault=${found.fault}>${t(`path-fault-${found.fault}`, { places: found.places.relay.join(', ') })}</p>` : nothing}
      ${helpless && !found.loopback ? this.request(found) : nothing}
      ${found.path === 'tcp' || found.path === 'relay'
        ? html`<details><summary>${t('path-better')}</summary>${this.request(found)}</details>` : nothing}
      ${helpless || found.path === 'unknown'
        ? html`<button type="button" class="quiet" data-testid="path-again" ?disabled=${this.check?.running}
            @click=${() => void this.check?.start()}>${t('path-again')}</button>` : nothing}
    </div></div>`;
  }

  /** @param {Found} found @returns {string} what to give to an IT department: addresses and ports, in one piece */
  words(found) {
    const { udp, tcp, relay } = found.places;
    const asks = [t('path-ask-udp', { places: udp.join(' ') })];
    if (found.path !== 'tcp') asks.push(t('path-ask-tcp', { places: tcp.join(' ') }));
    if (found.path === 'none' && relay.length > 0) asks.push(t('path-ask-relay', { places: relay.join(' ') }));
    return [t('path-ask', { site: location.host }), ...asks.map((ask, index) => (index ? `${t('path-or')} ${ask}` : ask))].join('\n');
  }

  /** @param {Found} found */
  request(found) {
    return html`<pre class="path-ask" data-testid="path-ask" tabindex="0">${this.words(found)}</pre>
      <button type="button" class="quiet" data-testid="path-copy" @click=${() => void this.copy(this.words(found))}>
        ${this.copied ? t('path-copied') : t('path-copy')}</button>`;
  }

  /** @param {string} words */
  async copy(words) {
    try {
      await navigator.clipboard.writeText(words);
      this.copied = true;
      setTimeout(() => { this.copied = false; }, COPIED_MS);
    } catch {
      const block = this.querySelector('.path-ask'); // not allowed: marked, so that one key copies it
      if (block) getSelection()?.selectAllChildren(block);
    }
  }

  /** @param {Found} found */
  clock(found) {
    const minutes = Math.round(Math.abs(found.clock_ms) / 60_000);
    return html`<div class="notice notice-warn" role="status" data-testid="path-clock">${icon('clock')}
      <p>${t('path-clock', { minutes })}</p></div>`;
  }
}
customElements.define('hj-path-check', PathCheckView);
