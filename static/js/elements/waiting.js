/**
 * <hj-waiting>: the page of somebody who waits outside until they are let in: what happens, who is there already, what time it is
 * at each place, and one's own picture meanwhile. It shows state and asks.
 */
import { html, nothing } from '/static/vendor/lit.js';
import { language, t } from '../i18n.js';
import { hourMinute, weekdayDate, zoneName } from '../time.js';
import { places } from '../room/prebrief.js';
import { awaited, isSilent, me, present } from '../room/reducer.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';
import { askedNow, lacking } from './asked.js';
import './arrival.js';
import './device-check.js';
import './plan-b.js';

class Waiting extends LightElement {
  static properties = { state: { attribute: false }, devices: { attribute: false }, now: { attribute: false } };

  constructor() {
    super();
    /** @type {import('../room/reducer.js').State | null} */
    this.state = null;
    /** @type {import('../room/devices.js').Devices | null} */
    this.devices = null;
    this.now = 0;
  }

  render() {
    const state = this.state;
    const own = state ? me(state) : null;
    if (!state || !own) return html`<p class="loading" role="status">${t(state?.link === 'lost' ? 'connection-lost' : 'loading')}</p>`;
    const lost = state.link === 'lost' || isSilent(state, this.now);
    const first = others(state).every((person) => !person.present);
    const lead = first ? 'waiting-lead-first' : own.role === 'patient' ? 'waiting-lead' : 'waiting-lead-other';
    return html`<div class="waiting-page" data-testid="waiting">
      <section class="waiting-words">
        <h1>${t('waiting-title')}</h1>
        <p class="lead" role="status">${t(lead)}</p>
        ${lost ? html`<div class="notice notice-alarm" role="alert" data-testid="waiting-lost">${icon('warning')}<p>${t('connection-lost')}</p></div><hj-plan-b .state=${state} .now=${this.now}></hj-plan-b>` : nothing}
        <div class="notice notice-plain">${icon('shield')}<p>${t('waiting-private')}</p></div>
        ${askedNow(state)}${lacking(state)}
        ${this.team(state, first)}
        ${own.interprets ? nothing : html`<hj-arrival .seat=${state.seat}></hj-arrival>`}
        ${this.clocks(state)}
      </section>
      <section class="waiting-devices" aria-labelledby="waiting-check">
        <h2 id="waiting-check">${t('waiting-check')}</h2>
        <hj-device-check .devices=${this.devices}></hj-device-check>
        <button type="button" class="secondary" data-testid="leave" @click=${() => this.ask('leave')}>${icon('leave')}${t('room-leave')}</button>
      </section>
    </div>`;
  }

  /** @param {import('../room/reducer.js').State} state @param {boolean} first */
  team(state, first) {
    return html`<h2>${t(first ? 'waiting-nobody' : 'waiting-team')}</h2>
      <ul class="waiting-team">${others(state).map((person) => html`<li data-testid="waiting-person" data-participant=${person.id} ?data-here=${person.present}>
        ${icon(person.present ? 'check' : 'clock')}<span><strong>${person.name}</strong>
        <span class="hint">${t(`role-${person.role}`)} · ${person.site}</span></span>
        <span class="waiting-here">${t(person.present ? 'waiting-here' : 'waiting-expected')}</span></li>`)}</ul>`;
  }

  /** @param {import('../room/reducer.js').State} state */
  clocks(state) {
    const starts = state.seat?.consultation.starts_at_ms;
    return html`<h2>${t('waiting-clocks')}</h2>
      <ul class="waiting-clocks figures">${places(state).map((place) => html`<li data-testid="waiting-clock" data-zone=${place.zone} ?data-own=${place.own}>
        <span>${place.own ? t('waiting-clock-own', { site: place.site }) : place.site}</span>
        <time>${hourMinute(this.now, language(), place.zone)}</time>
        <span class="hint">${weekdayDate(this.now, language(), place.zone)} · ${zoneName(this.now, language(), place.zone)}${starts ? html` · ${t('waiting-planned', { time: hourMinute(starts, language(), place.zone) })}` : nothing}</span></li>`)}</ul>`;
  }
}
customElements.define('hj-waiting', Waiting);

/** @param {import('../room/reducer.js').State} state who is there, then who is expected */
function others(state) {
  return [...present(state), ...awaited(state)].filter((person) => person !== me(state));
}
