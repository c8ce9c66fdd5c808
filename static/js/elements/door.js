/** <hj-door>: device check, who sits at this seat, the recording question, and one click to join. It asks; the page acts. */
import { html, nothing } from '/static/vendor/lit.js';
import { language, t, tError } from '../i18n.js';
import { hourMinute, weekdayDate, zoneName } from '../time.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';
import './device-check.js';

const MAX_OTHERS = 7;

class Door extends LightElement {
  static properties = { state: { attribute: false }, devices: { attribute: false }, others: { state: true }, asking: { state: true } };

  constructor() {
    super();
    /** @type {import('../room/reducer.js').State | null} */
    this.state = null;
    /** @type {import('../room/devices.js').Devices | null} */
    this.devices = null;
    /** @type {string[]} other persons at this seat */
    this.others = [];
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
      </section>
      <section class="door-steps">
        ${state.decision && !this.asking ? this.decided(state) : this.question(state)}
        ${state.problem ? html`<div class="notice notice-alarm" role="alert">${icon('warning')}<p>${tError(state.problem)}</p></div>` : nothing}
        <button type="button" class="primary big" data-testid="join" ?disabled=${!state.decision || state.busy}
          aria-describedby="join-hint" @click=${() => this.ask('join')}>${icon('door')}${t('door-join')}</button>
        <p id="join-hint" class="hint">${state.decision ? t('door-join-hint') : t('door-join-first')}</p>
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
      ${icon(granted ? 'check' : 'shield')}<div><p>${granted ? t('consent-granted') : t('consent-declined')}</p>
      <button type="button" class="link" @click=${() => { this.asking = true; }}>${t('consent-change')}</button></div></div>`;
  }

  /** @param {import('../room/reducer.js').State} state */
  question(state) {
    const text = t('consent-recording-v1').split('\n').filter((line) => line.trim() !== '');
    return html`<div class="consent" role="group" lang=${language()} aria-labelledby="consent-title">
      <h2 id="consent-title">${t('consent-title')}</h2>
      ${text.map((line) => html`<p>${line}</p>`)}
      ${this.persons(state)}
      <div class="consent-answers">
        <button type="button" class="primary" data-testid="consent-accept" ?disabled=${state.busy}
          @click=${() => this.decide('granted')}>${icon('check')}${t('consent-accept')}</button>
        <button type="button" class="secondary" data-testid="consent-decline" ?disabled=${state.busy}
          @click=${() => this.decide('declined')}>${t('consent-decline')}</button>
      </div>
    </div>`;
  }

  /** @param {import('../room/reducer.js').State} state */
  persons(state) {
    const change = (/** @type {number} */ index) => (/** @type {Event} */ event) => {
      this.others = this.others.map((name, i) => (i === index ? /** @type {HTMLInputElement} */ (event.target).value : name));
    };
    return html`<fieldset class="persons"><legend>${t('persons-title')}</legend>
      <ul>
        <li class="person-you">${icon('person')}${state.seat ? state.seat.seat.name : t('persons-you')}</li>
        ${this.others.map((name, index) => html`<li>
          <input type="text" maxlength="80" autocomplete="off" .value=${name} aria-label=${t('persons-name')} placeholder=${t('persons-name')} @input=${change(index)}>
          <button type="button" class="round quiet" aria-label=${t('persons-remove')} @click=${() => { this.others = this.others.filter((_, i) => i !== index); }}>${icon('minus')}</button></li>`)}
      </ul>
      <button type="button" class="quiet" ?disabled=${this.others.length >= MAX_OTHERS} @click=${() => this.add()}>${icon('plus')}${t('persons-add')}</button>
      <p class="hint">${t('persons-hint')}</p></fieldset>`;
  }

  async add() {
    this.others = [...this.others, ''];
    await this.updateComplete;
    /** @type {HTMLInputElement | undefined} */ ([...this.querySelectorAll('input[type=text]')].at(-1))?.focus();
  }

  /** @param {'granted' | 'declined'} decision */
  decide(decision) {
    this.asking = false;
    this.ask('consent', { decision, others: this.others.map((name) => name.trim()).filter(Boolean) });
  }
}
customElements.define('hj-door', Door);
