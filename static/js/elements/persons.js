/**
 * <hj-persons>: who sits at this seat besides oneself. It begins with the names in `named`, a list that must stay the same
 * object while somebody types; `others` holds the names as they stand. It asks for nothing.
 */
import { html, nothing } from '/static/vendor/lit.js';
import { t } from '../i18n.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

const MAX_OTHERS = 7;
/** In the place of a name: the server knows who that is (docs/consents.md). */
export const PATIENT = '@patient';

class Persons extends LightElement {
  static properties = { own: { attribute: false }, named: { attribute: false }, beside: { type: Boolean }, others: { state: true } };

  constructor() {
    super();
    /** @type {string | null} null = not known before the link is redeemed */
    this.own = null;
    /** @type {readonly string[]} */
    this.named = [];
    /** Whether the patient may sit here too. */
    this.beside = false;
    /** @type {string[]} */
    this.others = [];
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (changed.has('named')) this.others = [...this.named];
  }

  render() {
    const change = (/** @type {number} */ index) => (/** @type {Event} */ event) => {
      this.others = this.others.map((name, i) => (i === index ? /** @type {HTMLInputElement} */ (event.target).value : name));
    };
    return html`<fieldset class="persons"><legend>${t('persons-title')}</legend>
      <ul>
        <li class="person-you">${icon('person')}${this.own ?? t('persons-you')}</li>
        ${this.others.map((name, index) => html`<li>
          ${name === PATIENT ? html`<span class="person-you" data-testid="person-patient">${icon('person')}${t('role-patient')}</span>` : html`<input type="text" maxlength="80" autocomplete="off" .value=${name} aria-label=${t('persons-name')} placeholder=${t('persons-name')} @input=${change(index)}>`}
          <button type="button" class="round quiet" aria-label=${t('persons-remove')} @click=${() => { this.others = this.others.filter((_, i) => i !== index); }}>${icon('minus')}</button></li>`)}
      </ul>
      <button type="button" class="quiet" data-testid="persons-add" ?disabled=${this.others.length >= MAX_OTHERS} @click=${() => this.add()}>${icon('plus')}${t('persons-add')}</button>
      ${this.beside && !this.others.includes(PATIENT) ? html`<button type="button" class="quiet" data-testid="persons-patient" ?disabled=${this.others.length >= MAX_OTHERS} @click=${() => { this.others = [...this.others, PATIENT]; }}>${icon('person')}${t('persons-patient')}</button>` : nothing}
      <p class="hint">${t('persons-hint')}</p></fieldset>`;
  }

  async add() {
    this.others = [...this.others, ''];
    await this.updateComplete;
    /** @type {HTMLInputElement | undefined} */ ([...this.querySelectorAll('input[type=text]')].at(-1))?.focus();
  }

  /** @returns {string[]} */
  names() {
    return this.others.map((name) => name.trim()).filter(Boolean);
  }
}
customElements.define('hj-persons', Persons);
