/** <hj-hours>: interpreters' hours of some days as a file, for a coordinator. It begins with last month. */
import { html } from '/static/vendor/lit.js';
import { t } from '../i18n.js';
import { lastMonth } from '../time.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

class Hours extends LightElement {
  static properties = { now: { attribute: false }, zone: { attribute: false }, first: { state: true }, last: { state: true } };

  constructor() {
    super();
    this.now = 0;
    this.zone = 'UTC';
    this.first = '';
    this.last = '';
  }

  render() {
    const [first, last] = lastMonth(this.now, this.zone);
    const [from, to] = [this.first || first, this.last || last];
    const day = (/** @type {'first' | 'last'} */ which, /** @type {string} */ value, /** @type {string} */ id) => html`<label class="field"><span>${t(id)}</span>
      <input type="date" .value=${value} data-testid="hours-${which}" @change=${(/** @type {Event} */ event) => { this[which] = /** @type {HTMLInputElement} */ (event.target).value; }}></label>`;
    return html`<details class="hours" data-testid="hours"><summary>${t('hours-title')}</summary>
      <p class="hint">${t('hours-hint')}</p>
      <div class="row">${day('first', from, 'hours-from')}${day('last', to, 'hours-to')}
        <a class="button secondary" data-testid="hours-download" download href=${`/api/interpreter-hours?from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`}>${icon('download')}${t('hours-download')}</a></div></details>`;
  }
}
customElements.define('hj-hours', Hours);
