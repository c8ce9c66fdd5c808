/** <hj-path-check>: which way sound and picture will take from here, and what to ask an IT department for when none is open. */
import { html, nothing } from '/static/vendor/lit.js';
import { t } from '../i18n.js';
import { CLOCK_OFF_MS } from '../room/path-check.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';
import './it-request.js';

/** @typedef {import('../room/path-check.js').Found} Found */

const TONE = Object.freeze(/** @type {Record<string, [string, string]>} */ ({
  udp: ['notice-good', 'check'], tcp: ['notice-plain', 'check'], relay: ['notice-plain', 'shield'],
  none: ['notice-alarm', 'warning'], unknown: ['notice-plain', 'warning'],
}));
/** Who reloads passes the door at once: nobody is there to read it. */
const START_AFTER_MS = 250;

class PathCheckView extends LightElement {
  static properties = { check: { attribute: false } };

  constructor() {
    super();
    /** @type {import('../room/path-check.js').PathCheck | null} */
    this.check = null;
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
      ${helpless && !found.loopback ? html`<hj-it-request .found=${found}></hj-it-request>` : nothing}
      ${found.path === 'tcp' || found.path === 'relay'
        ? html`<details><summary>${t('path-better')}</summary><hj-it-request .found=${found}></hj-it-request></details>` : nothing}
      ${helpless || found.path === 'unknown'
        ? html`<button type="button" class="quiet" data-testid="path-again" ?disabled=${this.check?.running}
            @click=${() => void this.check?.start()}>${t('path-again')}</button>` : nothing}
    </div></div>`;
  }

  /** @param {Found} found */
  clock(found) {
    const minutes = Math.round(Math.abs(found.clock_ms) / 60_000);
    return html`<div class="notice notice-warn" role="status" data-testid="path-clock">${icon('clock')}
      <p>${t('path-clock', { minutes })}</p></div>`;
  }
}
customElements.define('hj-path-check', PathCheckView);
