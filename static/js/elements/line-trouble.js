/** <hj-line-trouble>: in the room, when sound and picture have not come through for a while: checks the way again and says what it found. */
import { html, nothing } from '/static/vendor/lit.js';
import { t } from '../i18n.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';
import './path-check.js';

/** A connection is made anew several times before this; until then the words beside the clock are enough. */
const TROUBLE_AFTER_MS = 20_000;

class LineTrouble extends LightElement {
  static properties = { media: { type: String }, online: { type: Boolean }, now: { attribute: false }, paths: { attribute: false } };

  constructor() {
    super();
    this.media = 'none';
    this.online = false;
    this.now = 0;
    /** @type {import('../room/path-check.js').PathCheck | null} */
    this.paths = null;
    /** @type {number | null} */
    this.since = null;
    this.shown = false;
  }

  willUpdate() {
    // Without the server's own socket nothing can be asked, and the banner for that stands already.
    const down = this.online && this.media !== 'connected';
    this.since = down ? this.since ?? this.now : null;
    const shown = this.since !== null && this.now - this.since > TROUBLE_AFTER_MS;
    if (shown && !this.shown) void this.paths?.start();
    this.shown = shown;
  }

  render() {
    if (!this.shown) return nothing;
    return html`<div class="line-trouble" data-testid="line-trouble">
      <p class="banner" role="alert">${icon('warning')}<strong>${t('line-trouble')}</strong></p>
      <hj-path-check .check=${this.paths}></hj-path-check></div>`;
  }
}
customElements.define('hj-line-trouble', LineTrouble);
