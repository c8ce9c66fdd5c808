/** <hj-door>: device check, who sits at this seat, the recording question, and one click to join. It asks; the page acts. */
import { html, nothing } from '/static/vendor/lit.js';
import { language, t, tError, tValue } from '../i18n.js';
import { hourMinute, weekdayDate, zoneName } from '../time.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';
import { askedNow } from './asked.js';
import './arrival.js';
import './device-check.js';
import './path-check.js';
import './persons.js';
import './seat-texts.js';

class Door extends LightElement {
  static properties = { state: { attribute: false }, devices: { attribute: false }, paths: { attribute: false }, asking: { state: true } };

  constructor() {
    super();
    /** @type {import('../room/reducer.js').State | null} */
    this.state = null;
    /** @type {import('../room/devices.js').Devices | null} */
    this.devices = null;
    /** @type {import('../room/path-check.js').PathCheck | null} */
    this.paths = null;
    this.asking = false;
  }

  render() {
    const state = this.state;
    if (!state) return nothing;
    return html`<div class="door">
      <div class="door-head"><h1>${t('door-title')}</h1>${this.seat(state)}</div>
      <section class="door-devices" aria-labelledby="check-title">
        <h2 id="check-title">${t('door-check-title')}</h2>
        <hj-device-check .devices=${this.devices}></hj-device-check>
        <hj-path-check .check=${this.paths}></hj-path-check>
      </section>
      <section class="door-steps">
        ${state.seat ? html`<hj-arrival .seat=${state.seat}></hj-arrival>` : nothing}
        ${askedNow(state)}
        ${state.decision && !this.asking ? this.decided(state) : this.question(state)}
        ${state.problem ? html`<div class="notice notice-alarm" role="alert">${icon('warning')}<p>${tError(state.problem)}</p></div>` : nothing}
        <button type="button" class="primary big" data-testid="join" ?disabled=${!state.decision || state.busy}
          aria-describedby="join-hint" @click=${() => this.ask('join')}>${icon('door')}${t('door-join')}</button>
        <p id="join-hint" class="hint">${t(!state.decision ? 'door-join-first' : state.seat?.seat.role === 'patient' ? 'door-join-hint-patient' : 'door-join-hint')}</p>
      </section>
    </div>`;
  }

  /** @param {import('../room/reducer.js').State} state */
  seat(state) {
    const answer = state.seat;
    if (!answer) return html`<p class="lead">${t('door-lead')}</p>`;
    const { seat, consultation } = answer;
    return html`<div class="seat-card"><p><strong>${seat.name}</strong><span>${t(`role-${seat.role}`)} · ${seat.site}</span></p>
      <p class="seat-time figures">${icon('clock')}${weekdayDate(consultation.starts_at_ms, language(), seat.time_zone)}
        ${hourMinute(consultation.starts_at_ms, language(), seat.time_zone)}
        <span>${zoneName(consultation.starts_at_ms, language(), seat.time_zone)}</span></p></div>`;
  }

  /** @param {import('../room/reducer.js').State} state */
  decided(state) {
    const granted = state.decision === 'granted';
    return html`<div class="notice ${granted ? 'notice-good' : 'notice-plain'}" role="status" data-testid="consent-decided">
      ${icon(granted ? 'check' : 'shield')}<div><p>${granted ? t(state.missing.length > 0 ? 'consent-granted-lacking' : 'consent-granted') : t('consent-declined')}</p>
      ${granted && state.missing.length > 0 ? html`<p data-testid="consent-lacking">${state.missing.map((one) => tValue('consent-purpose', one)).join(', ')}</p>` : nothing}
      <button type="button" class="link" @click=${() => { this.asking = true; }}>${t('consent-change')}</button></div></div>`;
  }

  /** @param {import('../room/reducer.js').State} state */
  question(state) {
    const text = t('consent-recording-v1').split('\n').filter((line) => line.trim() !== '');
    return html`<div class="consent" role="group" lang=${language()} aria-labelledby="consent-title">
      <h2 id="consent-title">${t('consent-title')}</h2>
      ${text.map((line) => html`<p>${line}</p>`)}
      <hj-seat-texts seat=${location.pathname.split('/').filter(Boolean).at(-1) ?? ''} .asked=${JSON.stringify(state.seat?.asked ?? null)}></hj-seat-texts>
      <hj-persons .own=${state.seat?.seat.name ?? null} .beside=${state.seat?.seat.role === 'referring_physician'}></hj-persons>
      <div class="consent-answers">
        <button type="button" class="primary" data-testid="consent-accept" ?disabled=${state.busy}
          @click=${() => this.decide('granted')}>${icon('check')}${t('consent-accept')}</button>
        <button type="button" class="secondary" data-testid="consent-decline" ?disabled=${state.busy}
          @click=${() => this.decide('declined')}>${t('consent-decline')}</button>
      </div>
    </div>`;
  }

  /** @param {'granted' | 'declined'} decision */
  decide(decision) {
    const persons = /** @type {HTMLElement & {names: () => string[]}} */ (this.querySelector('hj-persons'));
    this.asking = false;
    this.ask('consent', { decision, others: persons.names() });
  }
}
customElements.define('hj-door', Door);
