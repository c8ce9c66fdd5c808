/** A task of the worklist as one row: what, about whom or which case, which hour, by when. Pure template. */
import { html, nothing } from '/static/vendor/lit.js';
import { has, language, t, tValue } from '../i18n.js';
import { fullDate, hourMinute, weekdayDate, zoneName } from '../time.js';

/** @typedef {import('../types/referral.js').Task} Task */

/** Where it is done. @param {Task} task */
function place(task) {
  const id = encodeURIComponent(task.case);
  if (['declined', 'hour_passed', 'mail_refused'].includes(task.why)) return `/cases/${id}/schedule`;
  if (task.why === 'consents' || task.why === 'consent_refused') return `/cases/${id}/consents`;
  if (task.case) return `/cases/${id}`;
  if (task.about) return `/people/${encodeURIComponent(task.about)}`;
  return task.why === 'flags' ? '/renderings' : '/audit#review';
}

/** What its link is called. @param {Task} task */
function called(task) {
  if (task.label || task.name) return task.label || task.name;
  return t(task.why === 'flags' ? 'page-renderings' : 'page-own');
}

/** @param {Task} task @param {string} zone the reader's own @param {number} now */
export function taskRow(task, zone, now) {
  const late = task.due_ms !== null && task.due_ms < now;
  const message = `task-${task.why.replaceAll('_', '-')}`;
  return html`<li class="card turn" data-testid="task" data-why=${task.why} data-case=${task.case} ?data-late=${late}><div class="turn-what">
      <p class="what-case"><a href=${place(task)}>${called(task)}</a></p>
      <p><strong>${has(message) ? t(message, { count: task.count, name: task.name }) : t('task-other')}</strong>${task.reason ? html` · ${tValue('hour-reason', task.reason)}` : nothing}${task.lacking.length ? html` · ${task.lacking.map((one) => tValue('consent-purpose', one)).join(', ')}` : nothing}</p>
      ${task.begins.length ? html`<ul class="task-clocks hint figures">${task.begins.map(({ site, local, time_zone: there }) => {
        const at = Date.parse(local);
        return html`<li>${site}: ${weekdayDate(at, language(), there)}, ${hourMinute(at, language(), there)} <span>(${there}, ${zoneName(at, language(), there)})</span></li>`;
      })}</ul>` : task.since_ms !== null ? html`<p class="hint figures">${t('turn-since', { date: fullDate(task.since_ms, language(), zone) })}</p>` : nothing}</div>
    ${task.due_ms !== null ? html`<p class="chip ${late ? 'chip-late' : 'chip-open'} figures">${t(late ? 'task-late' : 'task-due', { date: fullDate(task.due_ms, language(), zone) })}</p>` : nothing}</li>`;
}
