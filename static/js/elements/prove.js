/** <hj-prove>: shows again whose browser this is, by password or passkey. Asks `proven` once it was. */
import { html, nothing } from '/static/vendor/lit.js';
import { ApiRefusal, codeOf, post } from '../api.js';
import { t, tError } from '../i18n.js';
import { canPasskey, passkeyProblem, usePasskey } from '../passkeys.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

class Prove extends LightElement {
  static properties = { action: { attribute: false }, busy: { state: true }, problem: { state: true } };

  constructor() {
    super();
    this.action = '';
    this.busy = false;
    /** @type {string | null} */
    this.problem = null;
  }

  /** @param {() => Promise<unknown>} work */
  async by(work) {
    this.busy = true;
    this.problem = null;
    try {
      await work();
      this.querySelector('form')?.reset();
      this.dispatchEvent(new CustomEvent('proven', { bubbles: true }));
    } catch (error) {
      this.problem = error instanceof ApiRefusal ? codeOf(error) : passkeyProblem(error);
      if (this.problem === 'sign_in_required') location.assign('/signin');
    }
    this.busy = false;
  }

  /** @param {SubmitEvent} event */
  byPassword(event) {
    event.preventDefault();
    const password = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('password'));
    void this.by(() => post('/api/account/prove', { password }));
  }

  byPasskey() {
    void this.by(async () => {
      const options = await post('/api/account/prove/passkey/options');
      await post('/api/account/prove/passkey', { credential: await usePasskey(options) });
    });
  }

  render() {
    return html`<form @submit=${this.byPassword}>
      <label class="field"><span>${t('signin-password')}</span>
        <input type="password" name="password" data-testid="prove-password" autocomplete="current-password" required maxlength="256" autofocus></label>
      ${this.problem ? html`<div class="notice notice-alarm" role="alert" data-testid="prove-problem" data-code=${this.problem}>${icon('warning')}<p>${tError(this.problem)}</p></div>` : nothing}
      <div class="row">
        <button class="primary" data-testid="prove-send" ?disabled=${this.busy}>${this.action}</button>
        ${canPasskey() ? html`<button type="button" class="secondary" data-testid="prove-passkey" ?disabled=${this.busy} @click=${this.byPasskey}>${t('signin-passkey')}</button>` : nothing}
      </div></form>`;
  }
}
customElements.define('hj-prove', Prove);
