/** A consultation as one row: when, at every place; which case; who; its state; and the way in when it is open. */
import { html, nothing } from '/static/vendor/lit.js';
import { language, t, tValue } from '../i18n.js';
import { hourMinute, span, weekdayDate, zoneName } from '../time.js';
import { icon } from './icons.js';
import { standingChip } from './standing.js';
import './arrival.js';
import './decline.js';

/** @typedef {import('../types/wire.js').ConsultationRow} ConsultationRow */

/**
 * @param {ConsultationRow} row
 * @param {string} zone the reader's own
 * @param {number} now
 * @param {{join: (row: ConsultationRow) => void, busy: boolean, linked: boolean, tells?: boolean, consents?: boolean, documents?: boolean}} options linked = the case is linked to;
 *   tells = the reader may say for an interpreter when they will come
 */
export function consultationRow(row, zone, now, options) {
  const open = isOpen(row, now);
  return html`<li class="consultation" data-testid="worklist-row" data-consultation=${row.id} data-state=${row.state} ?data-open=${open}>
    <div class="when figures"><span class="when-own">${hourMinute(row.starts_at_ms, language(), zone)}</span>
      <span>${weekdayDate(row.starts_at_ms, language(), zone)}</span><span class="hint">${t('worklist-local')}</span></div>
    <div class="what">
      <p class="what-case">${options.linked && row.case_readable !== false
        ? html`<a href="/cases/${encodeURIComponent(row.case_id)}">${row.case_label}</a>` : html`<span>${row.case_label}</span>`}
        <span class="hint">${row.specialty ? specialty(row.specialty) : ''}</span>
        ${options.linked && row.glossary_readable ? html`<a class="what-glossary" data-testid="to-glossary" href="/cases/${encodeURIComponent(row.case_id)}/glossary">${icon('book')}${t('glossary-to')}<span class="visually-hidden">: ${row.case_label}</span></a>` : nothing}
        ${options.documents && row.case_readable === false ? html`<a class="what-glossary" data-testid="to-documents" href="/cases/${encodeURIComponent(row.case_id)}">${icon('file')}${t('documents-title')}<span class="visually-hidden">: ${row.case_label}</span></a>` : nothing}
        ${options.consents ? html`<a class="what-glossary" data-testid="to-consents" href="/cases/${encodeURIComponent(row.case_id)}/consents">${icon('shield')}${t('consents-title')}<span class="visually-hidden">: ${row.case_label}</span></a>` : nothing}
        <span class="chip ${row.state === 'live' ? 'chip-live' : open ? 'chip-open' : ''}">${tValue('state', row.state)}</span></p>
      <ul class="places figures">${row.places.map((place) => html`<li>${icon('clock')}<span><strong>${place.site}</strong>
        ${weekdayDate(row.starts_at_ms, language(), place.time_zone)} ${hourMinute(row.starts_at_ms, language(), place.time_zone)}
        <span class="hint">${zoneName(row.starts_at_ms, language(), place.time_zone)}</span></span></li>`)}</ul>
      ${row.seats?.length ? html`<ul class="seats" aria-label=${t('worklist-seats')}>${row.seats.map((seat) => html`<li ?data-present=${seat.present}>
        ${icon('person')}<span>${seat.name ? html`${seat.name}<span class="hint"> · ${tValue('role', seat.role)}</span>` : tValue('role', seat.role)}
        ${seat.present ? html`<span class="seat-here">${t('worklist-present')}</span>` : nothing}</span></li>`)}</ul>` : nothing}
      ${row.readiness?.length ? html`<p class="readiness" data-testid="readiness">${row.readiness.map((one) => standingChip(one, one.site))}
        ${row.readiness.some((one) => one.own && one.wants_test) ? html`<a data-testid="to-self-test" href="/self-test">${t('selftest-do-now')}</a>` : nothing}</p>` : nothing}
      ${row.declinable && row.my_seat ? html`<hj-decline .seat=${row.my_seat} .said=${Boolean(row.declined)}></hj-decline>` : nothing}
      ${options.tells && open ? row.seats?.filter((seat) => seat.role === 'interpreter' && !seat.present).map((seat) => html`<details class="arrival-for"><summary>${t('arrival-for', { name: seat.name })}</summary><hj-arrival .for=${seat.id}></hj-arrival></details>`) : nothing}
      ${row.recordings?.length ? html`<div class="row-recordings">${row.recordings.map(recordingLine)}</div>` : nothing}
    </div>
    <div class="way-in">${wayIn(row, zone, now, options)}</div>
  </li>`;
}

/** @param {ConsultationRow} row @param {number} now */
export function isOpen(row, now) {
  return (row.state === 'scheduled' || row.state === 'live') && row.opens_at_ms <= now && now < row.closes_at_ms;
}

/**
 * @param {ConsultationRow} row
 * @param {string} zone
 * @param {number} now
 * @param {{join: (row: ConsultationRow) => void, busy: boolean}} options
 */
function wayIn(row, zone, now, { join, busy }) {
  if (row.my_seat && isOpen(row, now)) {
    return html`<button class="primary" data-testid="worklist-join" ?disabled=${busy} @click=${() => join(row)}>${icon('door')}${t('worklist-join')}</button>`;
  }
  if (row.state === 'scheduled' && now < row.opens_at_ms) {
    return html`<p class="hint figures">${t('worklist-opens', { time: hourMinute(row.opens_at_ms, language(), zone) })}</p>`;
  }
  return nothing;
}

/** @param {import('../types/wire.js').RecordingRow} row */
export function recordingLine(row) {
  const words = html`${row.waits_for ? t(`recording-waits-${row.waits_for}`) : tValue('recording-state', row.state)}${row.duration_ms ? html` · <span class="figures">${t('recording-length', { length: span(row.duration_ms) })}</span>` : nothing}`;
  const watch = row.watchable !== false && row.state !== 'failed' && row.state !== 'expired';
  return html`<div class="recording-line" data-testid="recording-row" data-state=${row.state} data-waits-for=${row.waits_for ?? ''}><span>${icon('play')}<span>${words}</span></span>
    ${watch ? html`<a class="button secondary" data-testid="recording-review" href="/review/${encodeURIComponent(row.id)}">${t('case-review')}</a>` : nothing}</div>`;
}

/** @param {string} name a specialty's code, or words of the referring site */
export function specialty(name) {
  return t(`specialty-${name}`) === `specialty-${name}` ? name : t(`specialty-${name}`);
}
