/** <hj-past>: on the page of a visit that is over, what was recorded of this seat and the way to withdraw it. It asks; the page acts. */
import { html, nothing } from '/static/vendor/lit.js';
import { language, t, tError } from '../i18n.js';
import { fullDate, hourMinute } from '../time.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

/** @typedef {import('../types/wire.js').SeatPast} SeatPast */

class Past extends LightElement {
  static properties = { flow: { attribute: false }, seat: { attribute: false }, tick: { state: true } };

  constructor() {
    super();
    /** @type {import('../room/past.js').PastFlow | null} */
    this.flow = null;
    this.seat = '';
    this.tick = 0;
    /** @type {boolean | undefined} whether the question was there when last drawn */
    this.asked = undefined;
    this.redraw = () => { this.tick += 1; };
  }

  connectedCallback() {
    super.connectedCallback();
    this.flow?.addEventListener('change', this.redraw);
  }

  disconnectedCallback() {
    this.flow?.removeEventListener('change', this.redraw);
    super.disconnectedCallback();
  }

  /** A question has the focus on its harmless answer; when it is gone, what it led to has it. @param {Map<string, unknown>} _changed */
  updated(_changed) {
    const asking = this.flow?.asking ?? false;
    if (asking === this.asked) return;
    const first = this.asked === undefined;
    this.asked = asking;
    if (first) return;
    const target = asking ? 'past-keep' : this.querySelector('[data-testid=past-withdraw]') ? 'past-withdraw' : 'past-recording';
    /** @type {HTMLElement | null} */ (this.querySelector(`[data-testid=${target}]`))?.focus();
  }

  render() {
    const flow = this.flow;
    const past = flow?.shown;
    if (!flow || !past || !past.granted || past.recordings.length === 0) return nothing;
    const kept = past.recordings.some((one) => one.state === 'kept');
    return html`<div class="past" data-testid="past"><h2>${t('past-title')}</h2>
      ${past.recordings.map((one) => this.line(one, past))}
      ${flow.problem ? html`<div class="notice notice-alarm" role="alert">${icon('warning')}<p>${tError(flow.problem)}</p></div>` : nothing}
      ${kept ? (flow.asking ? this.question(flow, past) : html`<p class="hint">${t('past-hint')}</p>
        <button class="secondary" data-testid="past-withdraw" @click=${() => this.ask('past', { asking: true })}>${t('past-withdraw')}</button>`) : nothing}</div>`;
  }

  /** @param {SeatPast['recordings'][number]} one @param {SeatPast} past */
  line(one, past) {
    const told = one.state === 'done' && one.receipt !== null
      ? html`<p>${t('past-done', { date: moment(one.destroyed_ms ?? 0, past.time_zone) })}</p>
        <p class="past-receipt"><strong class="figures" data-testid="past-receipt" data-number=${one.receipt}>${t('past-receipt', { number: one.receipt })}</strong>
          <a class="button quiet" href=${`/api/seats/${encodeURIComponent(this.seat)}/receipts/${one.receipt}`} download>${t('receipt-download')}</a></p>
        <p class="hint">${t('past-receipt-hint')}</p>`
      : html`<p>${t(words(one, past))}</p>`;
    return html`<div class="past-recording" tabindex="-1" role="status" data-testid="past-recording" data-state=${one.state} data-cause=${one.cause ?? ''}>
      <p class="figures"><strong>${moment(one.started_at_ms, past.time_zone)}</strong></p>${told}</div>`;
  }

  /** @param {import('../room/past.js').PastFlow} flow @param {SeatPast} past */
  question(flow, past) {
    return html`<div class="notice notice-alarm" role="alertdialog" aria-labelledby="past-sure" aria-describedby="past-what" data-testid="past-confirm"
        @keydown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === 'Escape' && !flow.busy) this.ask('past', { asking: false }); }}>
      ${icon('warning')}<div><p id="past-sure"><strong>${t('past-sure')}</strong></p>
        <ul id="past-what"><li>${t(past.held ? 'past-what-held' : past.recordings.every((one) => one.ended) ? 'past-what' : 'past-what-later')}</li>
          <li>${t('past-backup', { days: past.backup_days })}</li><li>${t('past-others')}</li><li>${t('past-proof')}</li></ul>
        <p class="row"><button class="secondary" data-testid="past-keep" ?disabled=${flow.busy} @click=${() => this.ask('past', { asking: false })}>${t('past-keep')}</button>
          <button class="primary danger" data-testid="past-now" ?disabled=${flow.busy} @click=${() => this.ask('past', { now: true })}>${t('past-now')}</button></p></div></div>`;
  }
}
customElements.define('hj-past', Past);

/** @param {SeatPast['recordings'][number]} one @param {SeatPast} past */
function words(one, past) {
  if (one.state === 'kept') return 'past-kept';
  if (one.cause === 'expired') return 'past-expired';
  if (!one.ended) return 'past-after';
  return past.held && one.state === 'requested' ? 'past-held' : 'past-going';
}

/** @param {number} ms @param {string} zone */
const moment = (ms, zone) => `${fullDate(ms, language(), zone)}, ${hourMinute(ms, language(), zone)}`;
