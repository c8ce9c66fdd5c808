/** <hj-at-risk>: booked hours ahead whose people have left, or whose licence will not hold then; nothing where there are none. */
import { html, nothing } from '/static/vendor/lit.js';
import { get } from '../api.js';
import { language, t } from '../i18n.js';
import { hourMinute, weekdayDate, zoneName } from '../time.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

class AtRisk extends LightElement {
  static properties = { rows: { state: true } };

  constructor() {
    super();
    /** @type {import('../types/people.js').AtRisk[]} */
    this.rows = [];
  }

  connectedCallback() {
    super.connectedCallback();
    void get('/api/hours-at-risk').then((answer) => { this.rows = answer.hours; }, () => undefined);
  }

  render() {
    if (this.rows.length === 0) return nothing;
    return html`<section class="card" data-testid="at-risk"><h2>${icon('warning')} ${t('at-risk-title', { count: this.rows.length })}</h2><ul class="kept-list">${this.rows.map((row) => html`<li class="kept-seat" data-testid="at-risk-row" data-why=${row.why}>
      <span><strong>${t(`at-risk-${row.why}`, { who: row.name, role: t(`role-${row.role}`) })}</strong><br><span class="hint figures">${row.begins.map(({ local, time_zone: zone }) => {
        const at = Date.parse(local);
        return `${weekdayDate(at, language(), zone)}, ${hourMinute(at, language(), zone)} ${zone} (${zoneName(at, language(), zone)})`;
      }).join(' = ')}</span></span>
      <a class="button secondary" href="/cases/${encodeURIComponent(row.case_id)}/schedule">${t('at-risk-schedule')} <span class="figures">${row.case_label}</span></a></li>`)}</ul></section>`;
  }
}
customElements.define('hj-at-risk', AtRisk);
