/** <hj-signature>: a box in which a name is drawn. Whoever cannot draw chooses another way; it asks for nothing but says `drawn`. */
import { html, svg } from '/static/vendor/lit.js';
import { Drawing } from '../consents/texts.js';
import { t } from '../i18n.js';
import { LightElement } from './base.js';

class Signature extends LightElement {
  constructor() {
    super();
    this.drawing = new Drawing();
    this.down = false;
  }

  /** The path, or '' while it is none. */
  get path() {
    return this.drawing.isName ? this.drawing.path : '';
  }

  /** @param {PointerEvent} event @param {'begin' | 'to'} how */
  draw(event, how) {
    const box = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
    this.drawing[how]((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    this.requestUpdate();
  }

  /** @param {PointerEvent} event */
  begin(event) {
    event.preventDefault();
    /** @type {Element} */ (event.currentTarget).setPointerCapture(event.pointerId);
    this.down = true;
    this.draw(event, 'begin');
  }

  render() {
    const end = () => {
      this.down = false;
      this.ask('drawn');
    };
    return html`<div class="signature"><div class="signature-box" data-testid="signature" role="img" aria-label=${t('consent-drawn-label')}
        @pointerdown=${(/** @type {PointerEvent} */ event) => this.begin(event)} @pointermove=${(/** @type {PointerEvent} */ event) => { if (this.down) this.draw(event, 'to'); }}
        @pointerup=${end} @pointercancel=${end}>${signaturePath(this.drawing.path)}</div>
      <button type="button" class="quiet" @click=${() => { this.drawing.clear(); this.requestUpdate(); end(); }}>${t('consent-drawn-clear')}</button></div>`;
  }
}
customElements.define('hj-signature', Signature);

/** @param {string} path */
export function signaturePath(path) {
  return html`<svg viewBox="0 0 1000 400" preserveAspectRatio="none" aria-hidden="true">${svg`<path d=${path} fill="none" stroke="currentColor" stroke-width="6" stroke-linecap="round" stroke-linejoin="round"></path>`}</svg>`;
}
