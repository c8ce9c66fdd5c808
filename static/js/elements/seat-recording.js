/**
 * <hj-seat-recording>: whether this seat is recorded, and the way to stop it, to allow it again, and to say that somebody
 * else has sat down here: from then on nothing is recorded until all of them have answered. It asks; the page acts.
 */
import { html, nothing } from '/static/vendor/lit.js';
import { language, t, tError, tValue } from '../i18n.js';
import { me } from '../room/reducer.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';
import { PATIENT } from './persons.js';

class SeatRecording extends LightElement {
  static properties = { state: { attribute: false }, asking: { state: true } };

  constructor() {
    super();
    /** @type {import('../room/reducer.js').State | null} */
    this.state = null;
    this.asking = false;
    this.wasAsked = false;
    /** @type {string[]} as the question began: a new list at each of the room's news would wipe what is being typed */
    this.named = [];
  }

  /** Whoever opens the question stands at the answer that changes nothing. */
  updated() {
    const asked = this.state?.past === 'asking';
    if (asked && !this.wasAsked) /** @type {HTMLElement | null} */ (this.querySelector('[data-testid="destroy-not"]'))?.focus();
    this.wasAsked = asked;
  }

  render() {
    const state = this.state;
    if (!state) return nothing;
    return html`<div class="seat-recording">
      <h2>${t('room-consent')}</h2>
      <p data-testid="seat-recorded" data-recorded=${me(state)?.recorded ?? false}>${this.words(state)}</p>
      ${this.asking ? this.question(state) : this.gone(state) ? nothing : this.controls(state)}
      ${state.decision === 'declined' && !state.cut && !this.asking ? this.past(state) : nothing}
      ${state.problem ? html`<div class="notice notice-alarm" role="alert">${icon('warning')}<p>${tError(state.problem)}</p></div>` : nothing}
    </div>`;
  }

  /** The wish and what media has said of it are two things. @param {import('../room/reducer.js').State} state */
  words(state) {
    if (state.cut) return t('consent-stopping');
    if (this.asking) return t('consent-joining');
    if (state.decision !== 'granted') return t('consent-declined');
    if (state.missing.length > 0) return `${t('consent-granted-lacking')} ${state.missing.map((one) => tValue('consent-purpose', one)).join(', ')}`;
    return me(state)?.recorded ? t('consent-granted') : t('consent-granted-idle');
  }

  /** What would be recorded now would be destroyed too, and one question at a time: nothing else is offered. @param {import('../room/reducer.js').State} state */
  gone(state) {
    return state.past !== 'kept' && state.decision === 'declined' && !state.cut;
  }

  /** @param {import('../room/reducer.js').State} state */
  controls(state) {
    const granted = state.decision === 'granted' && !state.cut;
    return html`<p class="hint">${t('persons-here', { names: [me(state)?.name ?? '', ...state.company.map((name) => (name === PATIENT ? t('role-patient') : name))].join(', ') })}</p>
      <div class="row">
        <button class="secondary" data-testid="consent-change" ?disabled=${state.busy}
          @click=${() => this.ask('consent', { decision: granted ? 'declined' : 'granted', others: null })}>
          ${granted ? t('room-consent-withdraw') : t('room-consent-grant')}</button>
        <button class="quiet" data-testid="person-joins" @click=${() => this.joins(granted)}>${icon('plus')}${t('persons-joins')}</button>
      </div>`;
  }

  /** What was recorded before stays, unless its destruction is asked for, and asked for twice. @param {import('../room/reducer.js').State} state */
  past(state) {
    if (state.past === 'asked') return html`<p class="hint" role="status" data-testid="destroy-asked">${t('consent-past-asked')}</p>`;
    if (state.past === 'kept') {
      return html`<p class="hint">${t('consent-past')}</p>
        <button class="quiet" data-testid="destroy-past" @click=${() => this.ask('destroy', { sure: false })}>${t('consent-past-destroy')}</button>`;
    }
    return html`<div class="notice notice-alarm" role="alert">${icon('warning')}<div><p>${t('consent-past-sure')}</p>
      <div class="row"><button class="secondary" data-testid="destroy-not" @click=${() => this.ask('destroy-not')}>${t('consent-past-keep')}</button>
        <button class="primary danger" data-testid="destroy-sure" @click=${() => this.ask('destroy', { sure: true })}>${t('withdraw-now')}</button></div></div></div>`;
  }

  /** Somebody has sat down who was not asked: nothing more is recorded until everybody has answered. @param {boolean} granted */
  joins(granted) {
    this.asking = true;
    this.named = [...(this.state?.company ?? []), ''];
    if (granted) this.ask('consent', { decision: 'declined', others: null });
  }

  /** @param {import('../room/reducer.js').State} state */
  question(state) {
    const text = t('consent-recording-v1').split('\n').filter((line) => line.trim() !== '');
    return html`<div class="consent" role="group" lang=${language()} aria-label=${t('consent-title')}>
      ${text.map((line) => html`<p>${line}</p>`)}
      <hj-persons .own=${me(state)?.name ?? null} .named=${this.named} .beside=${me(state)?.role === 'referring_physician'}></hj-persons>
      <div class="consent-answers">
        <button class="primary" data-testid="persons-accept" ?disabled=${state.busy || state.cut}
          @click=${() => this.answer()}>${icon('check')}${t('consent-accept')}</button>
        <button class="secondary" data-testid="persons-decline" @click=${() => { this.asking = false; }}>${t('consent-decline')}</button>
      </div></div>`;
  }

  answer() {
    const persons = /** @type {HTMLElement & {names: () => string[]}} */ (this.querySelector('hj-persons'));
    this.asking = false;
    this.ask('consent', { decision: 'granted', others: persons.names() });
  }
}
customElements.define('hj-seat-recording', SeatRecording);
