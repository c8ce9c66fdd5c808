/** <hj-second-step>: takes somebody's lost second step away, with why, how it was made sure that it is they, and a proof of who does it. */
import { html, nothing } from '/static/vendor/lit.js';
import { post } from '../api.js';
import { t } from '../i18n.js';
import { FormElement, given, word } from './form.js';
import { icon } from './icons.js';
import './prove.js';

const WHY = ['lost', 'stolen', 'replaced', 'suspected'];
const CHECKED = ['in_person', 'video', 'known_number'];

class SecondStep extends FormElement {
  static properties = { ...FormElement.properties, person: { attribute: false }, open: { state: true }, waiting: { state: true } };

  constructor() {
    super();
    /** @type {import('../types/people.js').Person | null} */
    this.person = null;
    this.open = false;
    /** What is sent once it was shown who asks. @type {Record<string, string> | null} */
    this.waiting = null;
  }

  /** @param {SubmitEvent} event */
  ready(event) {
    const data = given(event);
    const chosen = { why: word(data, 'why'), checked: word(data, 'checked') };
    const wrong = Object.fromEntries(Object.entries(chosen).flatMap(([name, value]) => (value ? [] : [[name, 'empty']])));
    if (Object.keys(wrong).length) {
      [this.wrong, this.problem, this.done] = [wrong, 'form_refused', null];
      void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector('[aria-invalid=true]'))?.focus());
      return;
    }
    void this.send(chosen);
  }

  /** @param {Record<string, string>} chosen */
  async send(chosen) {
    this.waiting = null;
    await this.once(async () => {
      const answer = await post(`/api/people/${encodeURIComponent(this.person?.id ?? '')}/second-step/reset`, chosen);
      this.open = false;
      this.ask('person-changed');
      return answer.told ? 'second-reset-told' : 'second-reset-untold';
    });
    if (this.problem !== 'proof_required') return;
    [this.problem, this.waiting] = [null, chosen];
    await this.updateComplete;
    await /** @type {any} */ (this.querySelector('hj-prove'))?.updateComplete;
    /** @type {HTMLElement | null} */ (this.querySelector('hj-prove input'))?.focus();
  }

  /** @param {boolean} open */
  show(open) {
    [this.open, this.waiting, this.wrong, this.problem, this.done] = [open, null, {}, null, null];
    void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector(open ? 'form select' : '[data-testid=second-open]'))?.focus());
  }

  render() {
    const one = this.person;
    if (!one?.second_step) return nothing;
    const had = one.second_step.map((way) => t(`second-way-${way}`)).join(', ');
    return html`<section class="card" data-testid="second-step"><h2>${t('second-title')}</h2>${this.notices()}
      <p data-testid="second-ways">${had ? t('second-has', { ways: had }) : t('second-has-none')}</p>
      ${!had ? nothing : this.open ? this.form(one.name) : html`<p class="hint">${t('second-lost-hint')}</p><div><button class="secondary" data-testid="second-open" @click=${() => this.show(true)}>${t('second-open')}</button></div>`}</section>`;
  }

  /** @param {string} name */
  form(name) {
    const choices = (/** @type {string} */ prefix, /** @type {string[]} */ codes) => [
      { code: '', name: t('form-choose') },
      ...codes.map((code) => ({ code, name: t(`${prefix}${code.replaceAll('_', '-')}`) })),
    ];
    const chosen = this.waiting;
    return html`<div class="notice notice-warn">${icon('warning')}<p>${t('second-sure', { name })}</p></div>
      ${chosen ? html`<div class="prove-first" data-testid="prove"><h3>${t('security-prove-title')}</h3><p>${t('second-prove')}</p>
        <hj-prove .action=${t('second-send')} @proven=${() => this.send(chosen)}></hj-prove><div><button class="quiet" @click=${() => this.show(false)}>${t('form-cancel')}</button></div></div>`
      : html`<form novalidate data-testid="second-form" @submit=${this.ready} @keydown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === 'Escape') this.show(false); }}><div class="fields">
        ${this.choice({ name: 'why', label: t('second-why') }, choices('second-why-', WHY))}
        ${this.choice({ name: 'checked', label: t('second-checked'), hint: t('second-checked-hint') }, choices('second-checked-', CHECKED))}</div>
        <div class="row"><button class="primary danger" data-testid="second-send" ?disabled=${this.busy}>${t('second-send')}</button>
          <button type="button" class="quiet" data-testid="second-cancel" @click=${() => this.show(false)}>${t('form-cancel')}</button></div></form>`}`;
  }
}
customElements.define('hj-second-step', SecondStep);
