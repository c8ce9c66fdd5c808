/** <hj-site-hours>: the coming hours of one's own site on both clocks, with who sits where and no clinical word. */
import { html, nothing } from '/static/vendor/lit.js';
import { get, problemOf } from '../api.js';
import { language, t, tError, tValue } from '../i18n.js';
import { hourMinute, weekdayDate, zoneName } from '../time.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

/** As far as the list goes. */
const DAYS = 14;

class SiteHours extends LightElement {
  static properties = { zone: { attribute: false }, own: { attribute: false }, rows: { state: true }, problem: { state: true } };

  constructor() {
    super();
    this.zone = 'UTC';
    /** The reader's own. */
    this.own = 'UTC';
    /** @type {import('../types/wire.js').ConsultationRow[] | null} */
    this.rows = null;
    /** @type {string | null} */
    this.problem = null;
  }

  connectedCallback() {
    super.connectedCallback();
    void this.look();
  }

  async look() {
    try {
      this.rows = (await get(`/api/worklist?days=${DAYS}`)).consultations;
    } catch (error) {
      this.problem = problemOf(error);
    }
  }

  render() {
    return html`<section class="card" data-testid="site-hours"><h2>${t('site-hours', { days: DAYS })}</h2>
      ${this.problem ? html`<div class="notice notice-alarm" role="alert">${icon('warning')}<p>${tError(this.problem)}</p></div>` : nothing}
      ${this.rows === null ? nothing : this.rows.length === 0 ? html`<p class="hint">${t('site-hours-none')}</p>` : html`<ul class="kept-list">${this.rows.map((row) => this.row(row))}</ul>`}</section>`;
  }

  /** @param {import('../types/wire.js').ConsultationRow} row */
  row(row) {
    const zones = [...new Map(row.places.map((place) => [place.time_zone, place])).values()];
    return html`<li class="kept-seat" data-testid="site-hour" data-consultation=${row.id}><ul class="slot-clocks figures">${zones.map(({ site, time_zone: zone }) => html`<li><strong>${weekdayDate(row.starts_at_ms, language(), zone)}, ${hourMinute(row.starts_at_ms, language(), zone)}</strong>
        <span>${site}</span> <span class="hint">${zone}, ${zoneName(row.starts_at_ms, language(), zone)}</span></li>`)}</ul>
      <span><span class="figures">${row.case_label}</span> <span class="chip">${tValue('state', row.state)}</span><br><span class="hint">${(row.seats ?? []).map((seat) => `${seat.name || t('role-patient')} (${tValue('role', seat.role)})`).join(' · ')}</span></span></li>`;
  }
}
customElements.define('hj-site-hours', SiteHours);
