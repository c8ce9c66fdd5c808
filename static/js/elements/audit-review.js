/** <hj-audit-review>: the monthly reviews: made, read, taken as a file, signed. It asks `make`, `look`, `sign`. */
import { html, nothing } from '/static/vendor/lit.js';
import { language, t, tValue } from '../i18n.js';
import { fullDate, hourMinute } from '../time.js';
import { LightElement } from './base.js';

/** @typedef {import('../types/audit.js').Review} Review */
/** @typedef {import('../types/audit.js').Section} Section */

class AuditReview extends LightElement {
  static properties = { reviews: { attribute: false }, shown: { attribute: false }, zone: {}, now: { type: Number }, busy: { type: Boolean } };

  constructor() {
    super();
    /** @type {Review[]} */
    this.reviews = [];
    /** @type {Review | null} */
    this.shown = null;
    this.zone = 'UTC';
    this.now = 0;
    this.busy = false;
  }

  render() {
    const before = new Date(this.now);
    before.setUTCDate(0);
    return html`<section class="card"><h2>${t('audit-review-list')}</h2><p class="hint">${t('audit-review-lead')}</p>
      <form class="row" data-testid="review-form" @submit=${(/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        this.ask('make', { month: String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('month')) });
      }}><label class="field"><span>${t('audit-review-month')}</span><input name="month" type="month" required pattern="20[0-9]{2}-[0-9]{2}" value=${before.toISOString().slice(0, 7)} data-testid="review-month"></label>
        <button class="primary" data-testid="review-make" ?disabled=${this.busy}>${t('audit-review-make')}</button></form>
      ${this.reviews.length === 0 ? html`<p class="hint">${t('audit-review-none')}</p>` : html`<ul class="audit-list">${this.reviews.map((one) => this.line(one))}</ul>`}</section>
      ${this.shown ? this.open(this.shown) : nothing}`;
  }

  /** @param {Review} one */
  line(one) {
    return html`<li data-testid="review-row" data-month=${one.month}><span><strong class="figures">${one.month}</strong> ${one.so_far ? html`<span class="chip">${t('audit-review-so-far')}</span>` : nothing}
        <span class="hint">${this.instant(one.made_ms)}</span></span>
      <span>${one.signed_ms === null ? t('audit-review-to-do', { count: one.to_review }) : t('audit-review-signed', { name: one.signed_by, date: this.instant(one.signed_ms) })}</span>
      ${one.remarks ? html`<span class="audit-reason hint">${one.remarks}</span>` : nothing}
      <span><button class="secondary" data-testid="review-open" ?disabled=${this.busy} @click=${() => this.ask('look', { id: one.id })}>${t('audit-review-open')}</button></span></li>`;
  }

  /** @param {Review} one */
  open(one) {
    const report = one.report;
    if (!report) return nothing;
    const file = (/** @type {string} */ kind) => `/api/audit/reviews/${encodeURIComponent(one.id)}/file?format=${kind}&language=${language()}`;
    return html`<section class="card" data-testid="review-shown"><h2>${t('audit-review-title', { month: one.month })}</h2>
      <p class="row"><a class="button secondary" href=${file('html')} download>${t('audit-review-file-html')}</a><a class="button secondary" href=${file('csv')} download>${t('audit-review-file-csv')}</a></p>
      ${report.sections.map((section) => this.section(section))}
      ${one.signed_ms === null ? html`<form class="audit-sign" data-testid="review-sign-form" @submit=${(/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        const remarks = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('remarks'));
        this.ask('sign', { id: one.id, sha256: one.sha256, remarks });
      }}><label class="field"><span>${t('audit-review-remarks')}</span><textarea name="remarks" rows="3" maxlength="4000" data-testid="review-remarks"></textarea></label>
        <p><button class="primary" data-testid="review-sign" ?disabled=${this.busy}>${t('audit-review-sign')}</button></p></form>` : nothing}</section>`;
  }

  /** @param {Section} section */
  section(section) {
    const name = (/** @type {string} */ column) => t(`audit-review-column-${column.replace(/_/g, '-')}`);
    return html`<div data-testid="review-section" data-section=${section.id}><h3>${t(`audit-review-section-${section.id}`)} ${section.review ? html`<span class="chip chip-synthetic">${t('audit-review-look')}</span>` : nothing}</h3>
      ${section.rows.length === 0 ? html`<p class="hint">${t('audit-review-nothing')}</p>` : html`<div class="audit-scroll"><table class="audit-table">
        <thead><tr>${section.columns.map((column) => html`<th scope="col">${name(column)}</th>`)}</tr></thead>
        <tbody>${section.rows.map((row) => html`<tr>${row.map((cell, index) => html`<td data-name=${name(section.columns[index])}><div>${this.cell(section.columns[index], cell)}</div></td>`)}</tr>`)}</tbody></table></div>`}</div>`;
  }

  /** @param {string} column @param {string | number | null} cell */
  cell(column, cell) {
    if (cell === null || cell === '') return '–';
    if (column.endsWith('_ms')) return this.instant(Number(cell));
    if (column === 'role') return String(cell).split(' ').map((role) => t(`role-${role}`)).join(', ');
    if (column === 'action') return tValue('act', String(cell));
    return column === 'reason' ? tValue('audit-why', String(cell)) : String(cell);
  }

  /** @param {number} ms */
  instant(ms) {
    return `${fullDate(ms, language(), this.zone)}, ${hourMinute(ms, language(), this.zone)}`;
  }
}
customElements.define('hj-audit-review', AuditReview);
