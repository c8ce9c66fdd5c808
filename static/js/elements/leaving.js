/** <hj-leaving>: somebody leaves, asked twice, or comes back. */
import { html, nothing } from '/static/vendor/lit.js';
import { post } from '../api.js';
import { t } from '../i18n.js';
import { FormElement } from './form.js';
import { icon } from './icons.js';

class Leaving extends FormElement {
  static properties = { ...FormElement.properties, person: { attribute: false }, sure: { state: true }, hours: { state: true } };

  constructor() {
    super();
    /** @type {import('../types/people.js').Person | null} */
    this.person = null;
    this.sure = false;
    /** Still booked ahead, once they have left. */
    this.hours = 0;
  }

  /** @param {'leave' | 'return'} what @param {(answer: any) => string} message */
  send(what, message) {
    void this.once(async () => {
      const answer = await post(`/api/people/${encodeURIComponent(this.person?.id ?? '')}/${what}`);
      this.hours = answer?.hours ?? 0;
      this.sure = false;
      this.ask('person-changed');
      return message(answer);
    });
  }

  /** @param {boolean} sure */
  askSure(sure) {
    this.sure = sure;
    void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector(sure ? '[data-testid=leave-cancel]' : '[data-testid=leave]'))?.focus());
  }

  render() {
    const one = this.person;
    if (!one) return nothing;
    return html`<section class="card" data-testid="leaving"><h2>${one.left ? t('leaving-left-title') : t('leaving-title')}</h2>${this.notices()}
      ${this.hours > 0 && one.left ? html`<p data-testid="leaving-hours">${t('leaving-hours', { count: this.hours })}</p>` : nothing}
      ${one.left ? html`<p>${t('leaving-left-what')}</p><div><button class="secondary" data-testid="come-back" ?disabled=${this.busy} @click=${() => this.send('return', () => 'leaving-back')}>${t('leaving-return')}</button></div>` : html`
        <p class="hint">${t('leaving-what')}</p>
        ${this.sure ? html`<div class="notice notice-alarm kept-confirm" role="alertdialog" aria-labelledby="leave-sure" @keydown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === 'Escape') this.askSure(false); }}>
          ${icon('warning')}<div><p id="leave-sure"><strong>${t('leaving-sure', { name: one.name })}</strong></p><p class="row"><button class="secondary" data-testid="leave-cancel" @click=${() => this.askSure(false)}>${t('form-cancel')}</button>
            <button class="primary danger" data-testid="leave-now" ?disabled=${this.busy} @click=${() => this.send('leave', () => 'leaving-done')}>${t('leaving-leave')}</button></p></div></div>`
        : html`<div><button class="secondary" data-testid="leave" @click=${() => this.askSure(true)}>${t('leaving-leave')}</button></div>`}`}</section>`;
  }
}
customElements.define('hj-leaving', Leaving);
