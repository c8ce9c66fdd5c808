/** <hj-hold>: a button that acts as long as it is held, by pointer or by its own key; it never stays down. It only asks: {on}. */
import { html, nothing } from '/static/vendor/lit.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

const KEYS = new Set(['Space', 'Enter']);

class Hold extends LightElement {
  static properties = {
    what: { type: String }, label: { type: String }, sign: { type: String }, shows: { type: String }, name: { type: String },
    down: { type: Boolean }, disabled: { type: Boolean },
  };

  constructor() {
    super();
    /** What is asked for: 'cough', 'partner'. */
    this.what = '';
    this.label = '';
    this.sign = 'micOff';
    /** The key that does the same, as written on it. */
    this.shows = '';
    /** The button's data-testid. */
    this.name = '';
    this.down = false;
    this.disabled = false;
    this.held = false;
  }

  disconnectedCallback() {
    this.hold(false);
    super.disconnectedCallback();
  }

  /** @param {boolean} on */
  hold(on) {
    if (on === this.held || (on && this.disabled)) return;
    this.held = on;
    this.ask(this.what, { on });
  }

  /** @param {PointerEvent} event */
  pressed(event) {
    if (event.button !== 0) return;
    /** @type {HTMLElement} */ (event.currentTarget).setPointerCapture(event.pointerId);
    this.hold(true);
  }

  /** @param {KeyboardEvent} event @param {boolean} on */
  typed(event, on) {
    if (!KEYS.has(event.code)) return;
    event.preventDefault();
    if (!event.repeat) this.hold(on);
  }

  render() {
    return html`<button type="button" class="hold" data-testid=${this.name} aria-pressed=${this.down} ?disabled=${this.disabled}
      @pointerdown=${this.pressed} @pointerup=${() => this.hold(false)} @pointercancel=${() => this.hold(false)} @lostpointercapture=${() => this.hold(false)}
      @blur=${() => this.hold(false)} @contextmenu=${(/** @type {Event} */ event) => event.preventDefault()}
      @keydown=${(/** @type {KeyboardEvent} */ event) => this.typed(event, true)} @keyup=${(/** @type {KeyboardEvent} */ event) => this.typed(event, false)}>
      ${icon(this.sign)}<span>${this.label}</span>${this.shows ? html`<kbd>${this.shows}</kbd>` : nothing}</button>`;
  }
}
customElements.define('hj-hold', Hold);
