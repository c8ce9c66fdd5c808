/** How long a recording is kept, who of it was withdrawn, its receipts; and the way to withdraw. Draws only; it asks by `options`. */
import { html, nothing } from '/static/vendor/lit.js';
import { language, t, tValue } from '../i18n.js';
import { fullDate, hourMinute, zoneName } from '../time.js';
import { icon } from './icons.js';

/**
 * @typedef {import('../types/wire.js').KeptRecording} KeptRecording
 * @typedef {{open: string | null, busy: boolean, held: boolean, ask: (key: string | null) => void, withdraw: (recording: string, seat: string) => void}} Withdrawing
 */

/** The banner of a case under legal hold. @param {{since_ms: number, reason: string}} hold @param {string} zone */
export function holdBanner(hold, zone) {
  return html`<div class="notice notice-warn" role="note" data-testid="hold-banner" data-reason=${hold.reason}>${icon('warning')}
    <p>${t('kept-hold', { date: fullDate(hold.since_ms, language(), zone), reason: tValue('hold-reason', hold.reason) })}</p></div>`;
}

/** The end of a period, at every place: midnight is another day elsewhere. @param {number} ms @param {string[]} zones */
export function untilEverywhere(ms, zones) {
  return html`<ul class="until figures">${zones.map((zone) => html`<li>${fullDate(ms, language(), zone)}, ${hourMinute(ms, language(), zone)}
    <span class="hint">${zone.split('/').at(-1)?.replaceAll('_', ' ')} ${zoneName(ms, language(), zone)}</span></li>`)}</ul>`;
}

/**
 * @param {KeptRecording} kept
 * @param {string} caseId
 * @param {string} zone the reader's own
 * @param {Withdrawing} withdrawing
 */
export function keptOf(kept, caseId, zone, withdrawing) {
  const seats = kept.seats.filter((seat) => seat.withdrawn || seat.may_withdraw);
  return html`<div class="kept" data-testid="kept" data-recording=${kept.id} data-state=${kept.state}>
    <p class="kept-class">${tValue('kept-class', kept.class)} · ${t('kept-years', { years: kept.years })}
      <span class="chip ${kept.state === 'warned' || kept.state === 'held' ? 'chip-synthetic' : ''}">${tValue('kept-state', kept.state)}</span></p>
    ${kept.kept_until_ms === null || kept.state === 'gone' ? nothing : html`<div data-testid="kept-until"><span class="hint">${t('kept-until')}</span>${untilEverywhere(kept.kept_until_ms, kept.zones)}</div>`}
    ${seats.map((seat) => seatLine(kept, seat, withdrawing))}
    ${kept.receipts.map((receipt) => receiptLine(kept, receipt, caseId, zone))}</div>`;
}

/**
 * @param {KeptRecording} kept
 * @param {KeptRecording['seats'][number]} seat
 * @param {Withdrawing} withdrawing
 */
function seatLine(kept, seat, withdrawing) {
  const name = seat.name ? `${seat.name} · ${tValue('role', seat.role)}` : tValue('role', seat.role);
  if (seat.withdrawn) {
    const words = seat.withdrawn === 'done' ? 'kept-seat-destroyed' : kept.state === 'running' ? 'kept-seat-after' : 'kept-seat-withdrawn';
    return html`<p class="kept-seat" data-testid="kept-seat" data-seat=${seat.id} data-withdrawn=${seat.withdrawn}><span><strong>${name}</strong><br>${t(words)}</span></p>`;
  }
  const key = `${kept.id}/${seat.id}`;
  if (withdrawing.open !== key) {
    return html`<p class="kept-seat" data-testid="kept-seat" data-seat=${seat.id}><span>${name}</span>
      <button class="quiet" data-testid="withdraw" data-seat=${seat.id} ?disabled=${withdrawing.busy} @click=${() => withdrawing.ask(key)}>${t(seat.mine ? 'withdraw-own' : 'withdraw-other')}</button></p>`;
  }
  return html`<div class="notice notice-alarm kept-confirm" role="alertdialog" aria-labelledby="withdraw-title" data-testid="withdraw-confirm"
      @keydown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === 'Escape') withdrawing.ask(null); }}>
    <div><p id="withdraw-title"><strong>${t('withdraw-title', { name: seat.name })}</strong></p><p>${t(withdrawing.held ? 'withdraw-what-held' : kept.state === 'running' ? 'withdraw-what-later' : 'withdraw-what')}</p><p>${t('withdraw-others')}</p>
      <p class="row"><button class="secondary" data-testid="withdraw-cancel" @click=${() => withdrawing.ask(null)}>${t('withdraw-cancel')}</button>
        <button class="primary danger" data-testid="withdraw-now" ?disabled=${withdrawing.busy} @click=${() => withdrawing.withdraw(kept.id, seat.id)}>${t('withdraw-now')}</button></p></div></div>`;
}

/**
 * @param {KeptRecording} kept
 * @param {KeptRecording['receipts'][number]} receipt
 * @param {string} caseId
 * @param {string} zone
 */
function receiptLine(kept, receipt, caseId, zone) {
  if (receipt.number === null || receipt.destroyed_ms === null) return nothing;
  const seat = kept.seats.find((one) => one.id === receipt.seat);
  const whom = seat ? seat.name || tValue('role', seat.role) : t('receipt-whole');
  const date = `${fullDate(receipt.destroyed_ms, language(), zone)}, ${hourMinute(receipt.destroyed_ms, language(), zone)}`;
  return html`<p class="kept-receipt figures" data-testid="receipt" data-number=${receipt.number} data-cause=${receipt.cause}>
    <span>${t('receipt-line', { number: receipt.number, whom, date, cause: tValue('receipt-cause', receipt.cause) })}</span>
    <a class="button quiet" href="/api/cases/${encodeURIComponent(caseId)}/receipts/${receipt.number}" download>${t('receipt-download')}</a></p>`;
}
