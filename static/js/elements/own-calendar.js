/** <hj-calendar>: the week and the absences of a person or a site, read and kept by itself. */
import { html, live, nothing } from '/static/vendor/lit.js';
import { get, post, problemOf } from '../api.js';
import { language, t } from '../i18n.js';
import { absence, clockOf, daysOf, OFFICE, partsOf } from '../people/week.js';
import { fullDate } from '../time.js';
import { FormElement, given, word } from './form.js';
import { icon } from './icons.js';

/** @typedef {import('../types/people.js').CalendarAnswer} CalendarAnswer */

const PARTS = 2;

class OwnCalendar extends FormElement {
  static properties = { ...FormElement.properties, owner: { type: String }, shown: { state: true }, own: { state: true }, days: { state: true } };

  constructor() {
    super();
    this.owner = '';
    /** @type {CalendarAnswer | null} */
    this.shown = null;
    /** Whether they have a week of their own; without, their site's holds. */
    this.own = false;
    /** What the fields begin with. @type {number[][][]} */
    this.days = [];
  }

  /** @param {Map<string, unknown>} changed */
  updated(changed) {
    if (changed.has('owner') && this.owner) void this.look();
  }

  get base() {
    return `/api/calendars/${encodeURIComponent(this.owner)}`;
  }

  async look() {
    try {
      this.shown = await get(this.base);
    } catch (error) {
      this.problem = problemOf(error);
      return;
    }
    this.own = this.shown?.kind === 'site' || this.shown?.hours != null;
    this.days = structuredClone(this.shown?.hours ?? this.shown?.site_hours ?? []);
    this.ask('calendar-read', { calendar: this.shown });
  }

  /** @param {SubmitEvent} event */
  keep(event) {
    const data = given(event);
    const days = Array.from({ length: 7 }, (_, day) => this.parts(data, day));
    const wrong = days.flatMap((parts, day) => (parts ? [] : [[`day-${day}`, 'times']]));
    if (this.own && wrong.length) {
      this.wrong = Object.fromEntries(wrong);
      [this.problem, this.done] = ['form_refused', null];
      void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector('[aria-invalid=true]'))?.focus());
      return;
    }
    const zone = this.shown?.kind === 'person' && this.own ? word(data, 'time_zone') || null : null;
    void this.once(async () => {
      await post(`${this.base}/hours`, { days: this.own ? days : null, ...(zone === null ? {} : { time_zone: zone }) });
      await this.look();
      return 'form-saved';
    });
  }

  /** @param {FormData} data @param {number} day */
  parts(data, day) {
    const from = data.getAll(`from-${day}`).map(String);
    const to = data.getAll(`to-${day}`).map(String);
    return partsOf(from.map((one, at) => [one, to[at] ?? '']));
  }

  /** @param {number[][][]} days */
  fill(days) {
    this.days = days.map((parts) => parts.map((part) => [...part]));
  }

  copyMonday() {
    const form = /** @type {HTMLFormElement} */ (this.querySelector('[data-testid=week-form]'));
    const data = new FormData(form);
    const days = Array.from({ length: 7 }, (_, day) => this.parts(data, day) ?? []);
    this.fill(days.map((parts, day) => (day > 0 && day < 5 ? days[0] : parts)));
  }

  /** @param {SubmitEvent} event */
  away(event) {
    const data = given(event);
    const form = /** @type {HTMLFormElement} */ (event.target);
    const [from, to] = [word(data, 'away_from'), word(data, 'away_to') || word(data, 'away_from')];
    if (!from || to < from) {
      this.wrong = from ? { away_to: 'order' } : { away_from: 'empty' };
      [this.problem, this.done] = ['form_refused', null];
      return;
    }
    void this.once(async () => {
      await post(`${this.base}/absences`, absence(from, to));
      form.reset();
      await this.look();
      return 'away-saved';
    });
  }

  /** @param {string} id */
  back(id) {
    void this.once(async () => {
      await post(`${this.base}/absences/${encodeURIComponent(id)}/delete`);
      await this.look();
      return 'away-deleted';
    });
  }

  render() {
    const { shown } = this;
    if (!shown) return this.problem ? this.notices() : html`<p class="loading" role="status">${t('loading')}</p>`;
    const person = shown.kind === 'person';
    return html`<section class="card" data-testid="week"><h2>${t('week-title')}</h2>${this.notices()}
        ${!shown.site.holidays_known ? html`<div class="notice notice-warn">${icon('warning')}<p>${t('schedule-holidays-unknown', { sites: shown.site.name })}</p></div>` : nothing}
        ${!person && !shown.hours ? html`<div class="notice notice-warn" data-testid="week-none">${icon('warning')}<p>${t('week-none')}</p></div>` : nothing}
        <form novalidate data-testid="week-form" @submit=${this.keep}>
          ${person ? html`<label class="check"><input type="checkbox" data-testid="week-own" .checked=${live(this.own)} @change=${() => { this.own = !this.own; }} /><span>${t('week-own', { site: shown.site.name })}</span></label>` : nothing}
          ${this.own ? this.week(shown) : nothing}
          <div><button class="primary" data-testid="week-save" ?disabled=${this.busy}>${t('form-save')}</button></div></form></section>
      <section class="card" data-testid="away"><h2>${person ? t('away-title') : t('away-site-title')}</h2><p class="hint">${person ? t('away-hint') : t('away-site-hint')}</p>
        ${shown.absences.length ? html`<ul class="kept-list">${shown.absences.map((one) => this.absent(one))}</ul>` : html`<p class="hint">${t('away-none')}</p>`}
        <form novalidate data-testid="away-form" @submit=${this.away}><div class="fields">${this.text({ name: 'away_from', label: t('away-from'), type: 'date', needed: true })}
          ${this.text({ name: 'away_to', label: t('away-to'), type: 'date' })}</div>
          <div><button class="secondary" data-testid="away-save" ?disabled=${this.busy}>${t('away-add')}</button></div></form></section>`;
  }

  /** @param {CalendarAnswer} shown */
  week(shown) {
    return html`<div class="row"><button type="button" class="secondary" data-testid="week-office" @click=${() => this.fill(/** @type {number[][][]} */ (OFFICE))}>${t('week-office')}</button>
        <button type="button" class="quiet" data-testid="week-copy" @click=${this.copyMonday}>${t('week-copy')}</button></div>
      <div class="week">${Array.from({ length: 7 }, (_, day) => this.day(day))}</div>
      ${shown.kind === 'person' ? this.text({ name: 'time_zone', label: t('week-zone'), value: shown.time_zone === shown.site.time_zone ? '' : shown.time_zone, hint: t('week-zone-hint', { zone: shown.site.time_zone }) }) : html`<p class="hint">${t('week-zone-site', { zone: shown.time_zone })}</p>`}`;
  }

  /** @param {number} day */
  day(day) {
    const weekday = t(`weekday-${day}`);
    const parts = this.days[day] ?? [];
    const wrong = this.wrong[`day-${day}`];
    const time = (/** @type {string} */ kind, /** @type {number} */ at, /** @type {number | undefined} */ minutes) => html`<input type="time" name="${kind}-${day}" data-testid="${kind}-${day}-${at}"
      aria-label="${weekday}, ${t(`week-${kind}`, { part: at + 1 })}" aria-invalid=${wrong ? 'true' : 'false'} .value=${minutes === undefined ? '' : clockOf(minutes)} />`;
    return html`<div class="week-day" role="group" aria-label=${weekday}><strong>${weekday}</strong>
      ${Array.from({ length: Math.max(PARTS, parts.length) }, (_, at) => html`<span class="week-part">${time('from', at, parts[at]?.[0])}<span aria-hidden="true">–</span>${time('to', at, parts[at]?.[1])}</span>`)}
      ${wrong ? html`<span class="question-problem" data-testid="wrong" data-field="day-${day}">${icon('warning')}${t('field-times')}</span>` : nothing}</div>`;
  }

  /** @param {{id: string, from: string, to: string}} one */
  absent(one) {
    const days = daysOf(one).map((day) => (day.length === 10 ? fullDate(Date.parse(`${day}T12:00Z`), language(), 'UTC') : day));
    return html`<li class="kept-seat" data-testid="absence"><span class="figures">${days[0] === days[1] ? days[0] : `${days[0]} – ${days[1]}`}</span>
      <button type="button" class="quiet" data-testid="absence-delete" ?disabled=${this.busy} @click=${() => this.back(one.id)}>${t('away-delete')}<span class="visually-hidden">: ${days[0]}</span></button></li>`;
  }
}
customElements.define('hj-calendar', OwnCalendar);
