/** <hj-unit-ending>: before a department is closed or a physician taken out of it: what is still ahead there, what to do first, and then the question. */
import { html, nothing } from '/static/vendor/lit.js';
import { get, post, problemOf } from '../api.js';
import { language, t, tError } from '../i18n.js';
import { hourMinute, weekdayDate, zoneName } from '../time.js';
import { FormElement } from './form.js';
import { icon } from './icons.js';

class UnitEnding extends FormElement {
  static properties = { ...FormElement.properties, path: { type: String }, what: { type: String }, name: { type: String }, ahead: { state: true }, away: { state: true } };

  constructor() {
    super();
    /** Of the department, or of the physician in it. */
    this.path = '';
    /** @type {'close' | 'remove'} */
    this.what = 'close';
    this.name = '';
    /** @type {import('../types/people.js').Ahead | null} */
    this.ahead = null;
    /** Why it could not be read. @type {string | null} */
    this.away = null;
  }

  connectedCallback() {
    super.connectedCallback();
    void this.look();
  }

  async look() {
    try {
      [this.ahead, this.away] = [await get(`${this.path}/ahead`), null];
    } catch (error) {
      this.away = problemOf(error);
    }
    await this.updateComplete;
    /** @type {HTMLElement | null} */ (this.querySelector('[data-testid=ending-cancel]'))?.focus();
  }

  async end() {
    const close = this.what === 'close';
    const done = await this.once(async () => {
      await post(close ? `${this.path}/closed` : `${this.path}/remove`, close ? { closed: true } : undefined);
      return null;
    });
    if (done) this.ask('unit-ended', { message: close ? 'units-closed-done' : 'units-removed-done' });
    else await this.look();
  }

  render() {
    return html`<div class="notice notice-warn kept-confirm" role="alertdialog" aria-labelledby="unit-ending" data-testid="ending" data-what=${this.what}
      @keydown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === 'Escape') this.ask('unit-kept'); }}>${icon('warning')}<div>
      <p id="unit-ending"><strong>${t(`ending-${this.what}`, { name: this.name })}</strong></p>${this.notices()}
      ${this.away ? html`<p role="alert">${tError(this.away)}</p>` : this.ahead ? this.coming(this.ahead) : html`<p class="loading" role="status">${t('loading')}</p>`}
      <p class="row"><button class="secondary" data-testid="ending-cancel" @click=${() => this.ask('unit-kept')}>${this.ahead?.hours.length ? t('ending-seen') : t('form-cancel')}</button>
        ${this.ahead && this.ahead.hours.length === 0 ? html`<button class="primary danger" data-testid="ending-now" ?disabled=${this.busy} @click=${this.end}>${t(`ending-${this.what}-now`)}</button>` : nothing}</p></div></div>`;
  }

  /** @param {import('../types/people.js').Ahead} ahead */
  coming({ cases, hours }) {
    if (hours.length === 0) return html`<p>${t(`ending-${this.what}-what`)}</p>${cases ? html`<p data-testid="ending-cases">${t('ending-cases', { count: cases })}</p>` : nothing}`;
    return html`<p data-testid="ending-booked">${t('ending-booked', { count: hours.length })} ${hours.some((hour) => hour.case_id === null) ? t('ending-coordinator') : nothing}</p>
      <ul class="kept-list">${hours.map((hour) => html`<li class="kept-seat" data-testid="ending-hour"><span class="figures">${hour.begins.map(({ local, time_zone: zone }) => {
        const at = Date.parse(local);
        return `${weekdayDate(at, language(), zone)}, ${hourMinute(at, language(), zone)} ${zone} (${zoneName(at, language(), zone)})`;
      }).join(' = ')}</span>
      ${hour.case_id ? html`<span class="row"><a class="button secondary" href="/cases/${encodeURIComponent(hour.case_id)}">${t('ending-case')} <span class="figures">${hour.case_label}</span></a>
        <a class="button secondary" href="/cases/${encodeURIComponent(hour.case_id)}/schedule">${t('at-risk-schedule')} <span class="visually-hidden">${hour.case_label}</span></a></span>` : nothing}</li>`)}</ul>`;
  }
}
customElements.define('hj-unit-ending', UnitEnding);
