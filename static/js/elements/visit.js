/** <hj-knock-form>: a used link, and the way in all the same. <hj-over>: why the visit is over and what to do next. */
import { html, nothing } from '/static/vendor/lit.js';
import { has, t, tError } from '../i18n.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';
import './past.js';

class KnockForm extends LightElement {
  static properties = { state: { attribute: false } };

  constructor() {
    super();
    /** @type {import('../room/reducer.js').State | null} */
    this.state = null;
  }

  render() {
    const state = this.state;
    if (!state) return nothing;
    const waiting = state.phase === 'knocking';
    return html`<section class="card narrow" data-testid="link-used">
      <h1>${t('knock-title')}</h1>
      <p>${t('error-link-used')}</p>
      ${waiting ? html`<div class="notice notice-plain" role="status" data-testid="knock-waiting">${icon('clock')}<p>${t('knock-waiting')}</p></div>` : this.form(state)}
    </section>`;
  }

  /** @param {import('../room/reducer.js').State} state */
  form(state) {
    return html`<form @submit=${(/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      const name = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('name') ?? '').trim();
      if (name) this.ask('knock', { name });
    }}>
      ${state.knock === 'refused' ? html`<div class="notice notice-alarm" role="alert">${icon('warning')}<p>${t('knock-refused')}</p></div>` : nothing}
      ${state.problem ? html`<div class="notice notice-alarm" role="alert">${icon('warning')}<p>${tError(state.problem)}</p></div>` : nothing}
      <label class="field"><span>${t('knock-name')}</span>
        <input type="text" name="name" required maxlength="80" autocomplete="name" data-testid="knock-name"></label>
      <button class="primary" data-testid="knock" ?disabled=${state.busy}>${t('knock-send')}</button>
      <p class="hint">${t('knock-hint')}</p></form>`;
  }
}
customElements.define('hj-knock-form', KnockForm);

/** After these the same person may simply come back. */
const RETURN = new Set(['left', 'replaced', 'not_open', 'not_ready', 'timeout', 'internal', 'unexpected', 'network', 'unavailable']);

class Over extends LightElement {
  static properties = { code: { attribute: false }, past: { attribute: false }, seat: { attribute: false } };

  constructor() {
    super();
    this.code = '';
    /** @type {import('../room/past.js').PastFlow | null} */
    this.past = null;
    this.seat = '';
  }

  render() {
    const id = `over-${this.code.replaceAll('_', '-')}`;
    return html`<section class="card narrow over" data-testid="over" data-code=${this.code}>
      <h1>${has(`${id}-title`) ? t(`${id}-title`) : t('over-other-title')}</h1>
      <p role="alert">${has(id) ? t(id) : tError(this.code)}</p>
      <div class="row">
        ${RETURN.has(this.code) ? html`<button class="primary" data-testid="return" @click=${() => this.ask('return')}>${icon('door')}${t('over-return')}</button>` : nothing}
        <a class="button secondary" href="/worklist">${t('over-worklist')}</a>
      </div><hj-past .flow=${this.past} .seat=${this.seat}></hj-past></section>`;
  }
}
customElements.define('hj-over', Over);
