/** An agreed or proposed hour: what every place's clock shows, and the forms that change one. Pure templates. */
import { html, nothing } from '/static/vendor/lit.js';
import { language, t, tValue } from '../i18n.js';
import { hourMinute, weekdayDate, zoneName } from '../time.js';
import { icon } from './icons.js';

/** @typedef {import('../types/schedule.js').Hour} Hour */
/** @typedef {import('../types/schedule.js').SlotsAnswer} SlotsAnswer */
/** @typedef {import('../types/schedule.js').Shown} Shown */

export const SIDES = Object.freeze(['patient', 'referring_site', 'consulting_site', 'interpreter', 'coordinator']);
export const REASONS = Object.freeze(['illness', 'clinic', 'travel', 'documents', 'technical', 'declined', 'emergency', 'other']);

/**
 * One instant (and its end) on the wall of each place, with weekday and zone.
 * @param {number} starts @param {number} ends @param {Shown[]} places
 */
export function clocks(starts, ends, places) {
  return html`<ul class="slot-clocks figures">${places.map(({ site, time_zone: zone }) => html`<li data-testid="clock" data-zone=${zone}>
    <strong>${weekdayDate(starts, language(), zone)}, ${hourMinute(starts, language(), zone)}–${hourMinute(ends, language(), zone)}</strong>
    <span>${site}</span><span class="hint">${zone}, ${zoneName(starts, language(), zone)}</span></li>`)}</ul>`;
}

/** On whose behalf, and why. @param {string} id @param {string} button @param {(given: FormData) => void} done @param {() => void} keep @param {boolean} busy */
export function whyForm(id, button, done, keep, busy) {
  const choose = (/** @type {string} */ name, /** @type {string} */ label, /** @type {string} */ prefix, /** @type {readonly string[]} */ words) => html`<label class="field"><span>${label}</span>
    <select name=${name} data-testid="${id}-${name}" required>${words.map((word) => html`<option value=${word}>${tValue(prefix, word)}</option>`)}</select></label>`;
  return html`<form class="why" @submit=${(/** @type {SubmitEvent} */ event) => { event.preventDefault(); done(new FormData(/** @type {HTMLFormElement} */ (event.target))); }}>
    ${choose('side', t('schedule-side'), 'side', SIDES)}${choose('reason', t('schedule-reason'), 'hour-reason', REASONS)}
    <div class="row"><button class="primary" data-testid="${id}-confirm" ?disabled=${busy}>${button}</button>
      <button type="button" class="quiet" data-testid="${id}-keep" @click=${keep}>${t('schedule-keep')}</button></div></form>`;
}

/** Who did not come. @param {Hour} hour @param {(seats: string[]) => void} done @param {() => void} keep @param {boolean} busy */
export function missedForm(hour, done, keep, busy) {
  return html`<form class="why" @submit=${(/** @type {SubmitEvent} */ event) => { event.preventDefault(); done(new FormData(/** @type {HTMLFormElement} */ (event.target)).getAll('seat').map(String)); }}>
    <fieldset><legend>${t('schedule-who-missing')}</legend>${hour.seats.map((seat) => html`<label class="check"><input type="checkbox" name="seat" value=${seat.id} data-testid="missed-seat">
      <span>${seat.name} · ${tValue('role', seat.role)}</span></label>`)}</fieldset>
    <div class="row"><button class="primary" data-testid="missed-confirm" ?disabled=${busy}>${t('schedule-missed')}</button>
      <button type="button" class="quiet" @click=${keep}>${t('schedule-keep')}</button></div></form>`;
}

/** Who was told. @param {Hour} hour */
function told({ mails }) {
  const words = /** @type {const} */ (['sent', 'waiting', 'refused']).filter((state) => mails[state]).map((state) => t(`schedule-mails-${state}`, { count: mails[state] ?? 0 }));
  return words.length ? html`<p class="hint mails" data-testid="mails">${icon('chat')}<span>${words.join(' · ')}</span></p>` : nothing;
}

/**
 * @param {Hour} hour @param {number} now
 * @param {{open: string, may: boolean, busy: boolean, ask: (what: string) => void, cancel: (given: FormData) => void, missed: (seats: string[]) => void}} options
 *   open = which of its forms is open: cancel, missed or none
 */
export function agreedHour(hour, now, options) {
  const ahead = hour.state === 'scheduled';
  const begun = ahead && now >= hour.starts_at_ms;
  const keep = () => options.ask('');
  return html`<div class="hour" data-testid="hour" data-consultation=${hour.consultation} data-state=${hour.state} data-starts=${hour.starts_at_ms}>
    <div class="hour-head">${clocks(hour.starts_at_ms, hour.ends_at_ms, hour.begins)}
      <span class="chip ${ahead ? 'chip-open' : ''}" data-testid="hour-state">${tValue('state', hour.state)}</span></div>
    <ul class="seats">${hour.seats.map((seat) => html`<li>${icon('person')}<span>${seat.name}<span class="hint"> · ${tValue('role', seat.role)}${seat.missing ? html` · ${t('schedule-did-not-come')}` : nothing}${seat.declined && ahead ? html` · <strong data-testid="seat-declined">${t('declined-seat')}</strong>` : nothing}</span></span></li>`)}
      ${hour.rooms.map((room) => html`<li>${icon('door')}<span>${room.name}<span class="hint"> · ${room.site}</span></span></li>`)}</ul>
    ${hour.reason ? html`<p class="hint">${tValue('side', hour.side ?? '')} · ${tValue('hour-reason', hour.reason)}</p>` : nothing}${told(hour)}
    ${!options.may || !ahead ? nothing : options.open === 'cancel' ? whyForm('cancel', t('schedule-cancel'), options.cancel, keep, options.busy)
      : options.open === 'missed' ? missedForm(hour, options.missed, keep, options.busy)
      : html`<div class="row">${begun ? html`<button class="secondary" data-testid="hour-missed" @click=${() => options.ask('missed')}>${t('schedule-missed')}</button>` : nothing}
        <button class="secondary" data-testid="hour-move" @click=${() => options.ask('move')}>${t('schedule-move')}</button>
        <button class="quiet" data-testid="hour-cancel" @click=${() => options.ask('cancel')}>${t('schedule-cancel')}</button></div>`}
  </div>`;
}

/** Why there is no hour. @param {SlotsAnswer} answer */
export function obstacles(answer) {
  const name = (/** @type {string} */ id) => answer.who[id]?.name ?? '';
  return html`<div class="notice notice-warn" role="status" tabindex="-1" data-testid="obstacles">${icon('warning')}<div class="obstacles"><p><strong>${t('schedule-no-hour')}</strong></p>
    ${answer.obstacles.map((one) => html`<div data-testid="obstacle" data-how=${one.how}><p>${t(`obstacle-${one.how}`, { who: one.who.map(name).join(', ') })}</p>
      <ul>${one.who.flatMap((id) => Object.keys(one.causes[id] ?? {}).map((cause) => html`<li class="hint" data-cause=${cause}>${name(id)}: ${tValue('cause', cause)}</li>`))}</ul></div>`)}</div></div>`;
}
