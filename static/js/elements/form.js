/** What forms share: fields that say beside themselves what is wrong with them, and an element that sends one once. */
import { html, ifDefined, nothing } from '/static/vendor/lit.js';
import { ApiRefusal, codeOf } from '../api.js';
import { t, tError } from '../i18n.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

/** @typedef {{name: string, label: string, value?: string, hint?: string, needed?: boolean}} Field */

/** A form that is sent once at a time. What comes of it is said above it; a wrong field gets the focus. */
export class FormElement extends LightElement {
  static properties = { busy: { state: true }, problem: { state: true }, wrong: { state: true }, done: { state: true } };

  constructor() {
    super();
    this.busy = false;
    /** @type {string | null} */
    this.problem = null;
    /** What is wrong with which field. @type {Record<string, string>} */
    this.wrong = {};
    /** @type {string | null} */
    this.done = null;
  }

  /** @param {() => Promise<string | null>} work @returns {Promise<boolean>} whether it was done; `work` gives the message */
  async once(work) {
    if (this.busy) return false;
    [this.busy, this.problem, this.done, this.wrong] = [true, null, null, {}];
    try {
      this.done = await work();
    } catch (error) {
      this.problem = codeOf(error);
      if (error instanceof ApiRefusal && error.detail.fields) this.wrong = /** @type {Record<string, string>} */ (error.detail.fields);
    }
    this.busy = false;
    await this.updateComplete;
    const there = ['[aria-invalid=true]', this.problem ? '[role=alert]' : '[data-testid=form-done]'].map((one) => this.querySelector(one));
    /** @type {HTMLElement | null | undefined} */ (there.find(Boolean))?.focus();
    return this.problem === null;
  }

  notices() {
    return html`${this.problem ? html`<div class="notice notice-alarm" role="alert" tabindex="-1" data-testid="form-problem">${icon('warning')}<p>${tError(this.problem)}</p></div>` : nothing}
      ${this.done ? html`<div class="notice notice-good" role="status" tabindex="-1" data-testid="form-done">${icon('check')}<p>${t(this.done)}</p></div>` : nothing}`;
  }

  /** @param {string} name */
  told(name) {
    const what = this.wrong[name];
    return what ? html`<span class="question-problem" id=${this.id_(name)} data-testid="wrong" data-field=${name}>${icon('warning')}${t(`field-${what}`)}</span>` : nothing;
  }

  /** @param {string} name */
  id_(name) {
    return `${this.localName}-${name}-wrong`;
  }

  /** @param {Field & {type?: string, list?: string, disabled?: boolean}} field */
  text(field) {
    const { name, label, value = '', hint, type = 'text', list, needed = false, disabled = false } = field;
    return html`<label class="field"><span>${label}${needed ? nothing : html` <small class="hint">${t('form-optional')}</small>`}</span>
      <input type=${type} name=${name} .value=${value} list=${ifDefined(list)} autocomplete="off" ?disabled=${disabled} data-testid="field-${name}"
        aria-invalid=${this.wrong[name] ? 'true' : 'false'} aria-describedby=${ifDefined(this.wrong[name] ? this.id_(name) : undefined)} />
      ${hint ? html`<small class="hint">${hint}</small>` : nothing}${this.told(name)}</label>`;
  }

  /** @param {Field} field @param {{code: string, name: string}[]} options */
  choice({ name, label, value = '', hint }, options) {
    return html`<label class="field"><span>${label}</span><select name=${name} data-testid="field-${name}" aria-invalid=${this.wrong[name] ? 'true' : 'false'}
        aria-describedby=${ifDefined(this.wrong[name] ? this.id_(name) : undefined)}>
        ${options.map((one) => html`<option value=${one.code} ?selected=${one.code === value}>${one.name}</option>`)}</select>
      ${hint ? html`<small class="hint">${hint}</small>` : nothing}${this.told(name)}</label>`;
  }

  /** @param {Field & {chosen: readonly string[]}} field @param {{code: string, name: string}[]} options */
  ticks({ name, label, chosen, hint }, options) {
    return html`<fieldset aria-describedby=${ifDefined(this.wrong[name] ? this.id_(name) : undefined)}><legend class="legend">${label}</legend>${hint ? html`<p class="hint">${hint}</p>` : nothing}
      <div class="choices narrow-choices">${options.map((one) => html`<label class="tick"><input type="checkbox" name=${name} value=${one.code} data-testid="${name}-${one.code}"
        .checked=${chosen.includes(one.code)} aria-invalid=${this.wrong[name] ? 'true' : 'false'} /><span>${one.name}</span></label>`)}</div>${this.told(name)}</fieldset>`;
  }
}

/** @param {SubmitEvent} event @returns {FormData} what was filled in; the page stays */
export function given(event) {
  event.preventDefault();
  return new FormData(/** @type {HTMLFormElement} */ (event.target));
}

/** @param {FormData} data @param {string} name */
export const word = (data, name) => String(data.get(name) ?? '');
