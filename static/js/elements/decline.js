/** <hj-decline>: in the worklist, by who has the seat: “I cannot come”, with a reason, and taken back. It asks `declined` when the list is old. */
import { html, nothing } from '/static/vendor/lit.js';
import { codeOf, post } from '../api.js';
import { t, tError, tValue } from '../i18n.js';
import { LightElement } from './base.js';
import { REASONS } from './hour.js';
import { icon } from './icons.js';

class Decline extends LightElement {
  static properties = { seat: { type: String }, said: { type: Boolean } };

  constructor() {
    super();
    this.seat = '';
    /** Whether they have said so. */
    this.said = false;
    this.busy = false;
    /** @type {string | null} */
    this.problem = null;
  }

  /** @param {string | null} reason */
  async say(reason) {
    if (this.busy) return;
    this.busy = true;
    this.requestUpdate();
    try {
      await post(`/api/seats/${encodeURIComponent(this.seat)}/decline`, { reason });
      this.problem = null;
      this.said = reason !== null;
      this.ask('declined');
    } catch (error) {
      this.problem = codeOf(error);
    }
    this.busy = false;
    this.requestUpdate();
    void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector(this.problem ? '[role=alert]' : this.said ? '[data-testid=decline-back]' : 'summary'))?.focus());
  }

  /** @param {SubmitEvent} event */
  send(event) {
    event.preventDefault();
    void this.say(String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('reason')));
  }

  render() {
    const trouble = this.problem ? html`<div class="notice notice-alarm" role="alert" tabindex="-1">${icon('warning')}<p>${tError(this.problem)}</p></div>` : nothing;
    if (this.said) return html`${trouble}<div class="notice notice-warn" data-testid="decline-said">${icon('warning')}<div><p>${t('decline-said')}</p><button class="secondary" data-testid="decline-back" ?disabled=${this.busy} @click=${() => void this.say(null)}>${t('decline-back')}</button></div></div>`;
    return html`${trouble}<details class="arrival-for"><summary data-testid="decline-open">${t('decline-open')}</summary><form class="why" @submit=${this.send}><label class="field"><span>${t('decline-why')}</span>
      <select name="reason" data-testid="decline-reason">${REASONS.map((word) => html`<option value=${word}>${tValue('hour-reason', word)}</option>`)}</select></label>
      <div><button class="secondary" data-testid="decline-send" ?disabled=${this.busy}>${t('decline-send')}</button></div></form></details>`;
  }
}
customElements.define('hj-decline', Decline);
