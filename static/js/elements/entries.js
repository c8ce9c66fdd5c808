/** <hj-entries>: entries of the audit, the newest first, and a way to the older ones. It asks `more`. */
import { html, nothing } from '/static/vendor/lit.js';
import { language, t, tValue } from '../i18n.js';
import { fullDate, hourMinuteSecond, zoneName } from '../time.js';
import { LightElement } from './base.js';

/** @typedef {import('../types/audit.js').AuditEntry} AuditEntry */

class Entries extends LightElement {
  static properties = { rows: { attribute: false }, zone: {}, more: { type: Boolean }, busy: { type: Boolean } };

  constructor() {
    super();
    /** @type {AuditEntry[]} */
    this.rows = [];
    this.zone = 'UTC';
    this.more = false;
    this.busy = false;
  }

  render() {
    if (this.rows.length === 0) return html`<p class="hint" data-testid="entries-none">${t('audit-none')}</p>`;
    const names = ['time', 'who', 'action', 'whose', 'reason', 'address'];
    return html`<p class="hint">${t('audit-zone', { zone: zoneName(this.rows[0].at_ms, language(), this.zone) })}</p>
      <table class="audit-table" data-testid="entries"><thead><tr>${names.map((name) => html`<th scope="col">${t(`audit-column-${name}`)}</th>`)}</tr></thead>
      <tbody>${this.rows.map((row) => this.row(row))}</tbody></table>
      ${this.more ? html`<p><button class="secondary" data-testid="entries-more" ?disabled=${this.busy} @click=${() => this.ask('more')}>${t('audit-more')}</button></p>` : nothing}`;
  }

  /** @param {AuditEntry} row */
  row(row) {
    const time = `${fullDate(row.at_ms, language(), this.zone)}, ${hourMinuteSecond(row.at_ms, language(), this.zone)}`;
    const cell = (/** @type {string} */ name, /** @type {unknown} */ content) => html`<td data-name=${t(`audit-column-${name}`)} ?data-none=${content === '–'}><div>${content}</div></td>`;
    return html`<tr data-testid="entry" data-action=${row.action}>
      ${cell('time', html`<span class="figures">${time}</span>`)}
      ${cell('who', who(row))}
      ${cell('action', tValue('act', row.action))}
      ${cell('whose', row.case ? html`<strong>${row.case}</strong>` : row.patient_id ? html`<code>${row.patient_id}</code>` : '–')}
      ${cell('reason', row.reason ? tValue('audit-why', row.reason) : '–')}
      ${cell('address', row.address ? html`<code>${row.address}</code>` : '–')}</tr>`;
  }
}
customElements.define('hj-entries', Entries);

/** @param {AuditEntry} row */
function who(row) {
  if (row.account) return html`<strong>${row.account.name}</strong><br><span class="hint">${row.account.roles.map((role) => t(`role-${role}`)).join(' · ')} · ${row.account.site}</span>`;
  return row.seat_role ? t('audit-by-link', { role: t(`role-${row.seat_role}`) }) : row.action === 'sign_in_failed' ? t('audit-unknown') : t('audit-server');
}
