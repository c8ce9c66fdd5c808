/** <hj-invitation>: somebody who has not begun: the invitation once more, or to the address that was meant. */
import { html, nothing } from '/static/vendor/lit.js';
import { post } from '../api.js';
import { t } from '../i18n.js';
import { FormElement, given, word } from './form.js';

class Invitation extends FormElement {
  static properties = { ...FormElement.properties, person: { attribute: false }, open: { state: true } };

  constructor() {
    super();
    /** @type {import('../types/people.js').Person | null} */
    this.person = null;
    /** The address is being corrected. */
    this.open = false;
  }

  /** @param {'invite' | 'address'} what @param {Record<string, string>} [body] */
  send(what, body) {
    void this.once(async () => {
      const answer = await post(`/api/people/${encodeURIComponent(this.person?.id ?? '')}/${what}`, body);
      this.open = false;
      this.ask('person-changed');
      return answer.invited ? 'person-invited' : 'person-not-invited';
    });
  }

  /** @param {boolean} open */
  show(open) {
    [this.open, this.wrong, this.problem, this.done] = [open, {}, null, null];
    void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector(open ? 'input' : '[data-testid=address-open]'))?.focus());
  }

  render() {
    const one = this.person;
    if (!one) return nothing;
    return html`<section class="card" data-testid="invitation"><h2>${t('invitation-title')}</h2>${this.notices()}
      <p>${t('leaving-no-password')} ${t('invitation-went', { address: one.email })}</p>
      ${this.open
        ? html`<form novalidate data-testid="address-form" @submit=${(/** @type {SubmitEvent} */ event) => this.send('address', { email: word(given(event), 'email') })}>
            ${this.text({ name: 'email', label: t('person-email'), value: one.email, hint: t('invitation-address-hint'), type: 'email', needed: true })}
            <div class="row"><button class="primary" data-testid="address-save" ?disabled=${this.busy}>${t('invitation-address-save')}</button>
              <button type="button" class="quiet" @click=${() => this.show(false)}>${t('form-cancel')}</button></div></form>`
        : html`<p class="row"><button class="secondary" data-testid="invite" ?disabled=${this.busy} @click=${() => this.send('invite')}>${t('leaving-invite')}</button>
            <button class="quiet" data-testid="address-open" @click=${() => this.show(true)}>${t('invitation-address')}</button></p>`}</section>`;
  }
}
customElements.define('hj-invitation', Invitation);
