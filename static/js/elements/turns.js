/** <hj-turns>: cases and other tasks that wait for the reader: why, since when, by when, what is due first first. It renews itself. */
import { html, nothing } from '/static/vendor/lit.js';
import { codeOf, get } from '../api.js';
import { language, t, tError, tValue } from '../i18n.js';
import { fullDate } from '../time.js';
import { specialty } from './consultation.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';
import { taskRow } from './task.js';

const RENEW_MS = 15_000;
/** Being written, or asked for again: that opens the form; everything else the case. */
const WRITES = new Set(['draft', 'returned', 'reopened']);
/** An hour is to be found. */
const BOOKS = new Set(['no_show', 'interrupted']);

class Turns extends LightElement {
  static properties = { zone: { type: String }, writes: { type: Boolean } };

  constructor() {
    super();
    this.zone = 'UTC';
    /** Whether the reader begins referrals. */
    this.writes = false;
    /** @type {import('../types/referral.js').Turn[] | null} */
    this.rows = null;
    /** @type {import('../types/referral.js').Task[]} */
    this.tasks = [];
    this.now = 0;
    /** @type {string | null} */
    this.problem = null;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.timer = undefined;
  }

  connectedCallback() {
    super.connectedCallback();
    void this.renew();
    this.timer = setInterval(() => void this.renew(), RENEW_MS);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
    super.disconnectedCallback();
  }

  async renew() {
    try {
      ({ cases: this.rows, tasks: this.tasks, now_ms: this.now } = await get('/api/cases'));
      this.problem = null;
    } catch (error) {
      this.problem = codeOf(error);
    }
    this.requestUpdate();
  }

  render() {
    if (this.problem && !this.rows) return html`<div class="notice notice-alarm" role="alert">${icon('warning')}<p>${tError(this.problem)}</p></div>`;
    if (!this.rows) return nothing;
    const rows = this.inOrder(this.rows);
    if (rows.length === 0 && !this.writes) return nothing;
    return html`<section class="turns" aria-labelledby="turns-head"><div class="turns-head"><h2 id="turns-head">${t('turns-title')}</h2>
      ${this.writes ? html`<a class="button primary" data-testid="new-referral" href="/referrals/new">${t('page-new-referral')}</a>` : nothing}</div>
      ${rows.length === 0 ? html`<p class="hint" data-testid="turns-empty">${t('turns-empty')}</p>` : html`<ul>${rows}</ul>`}</section>`;
  }

  /** Both lists come with what is due first at their heads. @param {import('../types/referral.js').Turn[]} turns */
  inOrder(turns) {
    const key = (/** @type {{due_ms: number | null, since_ms: number | null}} */ one) => [one.due_ms ?? Infinity, one.since_ms ?? 0];
    return [...this.tasks.map((one) => ({ at: key(one), row: taskRow(one, this.zone, this.now) })), ...turns.map((one) => ({ at: key(one), row: this.row(one) }))]
      .sort((one, other) => (one.at[0] === other.at[0] ? one.at[1] - other.at[1] : one.at[0] - other.at[0])).map((one) => one.row);
  }

  /** @param {import('../types/referral.js').Turn} row */
  row(row) {
    const part = this.writes && WRITES.has(row.why) ? '/referral' : BOOKS.has(row.why) ? '/schedule' : '';
    const there = `/cases/${encodeURIComponent(row.id)}${part}`;
    const late = row.due_ms !== null && row.due_ms < this.now;
    return html`<li class="card turn" data-testid="turn" data-case=${row.id} data-why=${row.why} ?data-late=${late}><div class="turn-what">
        <p class="what-case"><a href=${there}>${row.label}</a><span class="hint">${specialty(row.specialty)}</span></p>
        <p><strong>${tValue('turn-why', row.why)}</strong>${row.returns ? html` · ${tValue('return-reason', row.returns)}` : nothing}</p>
        <p class="hint figures">${row.site} · ${t('turn-since', { date: fullDate(row.since_ms, language(), this.zone) })}</p></div>
      ${row.due_ms !== null ? html`<p class="chip ${late ? 'chip-late' : 'chip-open'} figures">${t(late ? 'turn-late' : 'turn-due', { date: fullDate(row.due_ms, language(), this.zone) })}</p>` : nothing}</li>`;
  }
}
customElements.define('hj-turns', Turns);
