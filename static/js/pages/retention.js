/** The privacy officer's page: what goes when, what is under hold. A coordinator reads it. It only wires. */
import { html, nothing, render } from '/static/vendor/lit.js';
import { ApiRefusal, codeOf, get, goToSignIn, post } from '../api.js';
import { language, languageEvents, startLanguage, t, tError, tValue } from '../i18n.js';
import { fullDate, hourMinute } from '../time.js';
import { untilEverywhere } from '../elements/kept.js';
import { icon } from '../elements/icons.js';
import '../elements/chrome.js';

/** @typedef {import('../types/wire.js').RetentionAnswer} RetentionAnswer */

const HOLD_REASONS = Object.freeze(['dispute', 'complaint', 'authority', 'incident']);
const LIFT_REASONS = Object.freeze(['settled', 'mistake']);
const root = /** @type {HTMLElement} */ (document.querySelector('main'));
/** @type {import('../types/wire.js').Account | null} */
let account = null;
/** @type {RetentionAnswer | null} */
let shown = null;
/** @type {string | null} */
let problem = null;
let mayHold = false;
let busy = false;

async function renew() {
  try {
    shown = await get('/api/retention');
    problem = null;
  } catch (error) {
    if (error instanceof ApiRefusal && error.status === 401) {
      goToSignIn();
      return;
    }
    problem = codeOf(error);
  }
  draw();
}

/** @param {string} path @param {Record<string, unknown>} body */
async function change(path, body) {
  if (busy) return;
  busy = true;
  draw();
  try {
    await post(path, body);
    await renew();
  } catch (error) {
    problem = codeOf(error);
  }
  busy = false;
  draw();
}

/** @param {SubmitEvent} event */
function holdCase(event) {
  event.preventDefault();
  const given = new FormData(/** @type {HTMLFormElement} */ (event.target));
  void change(`/api/cases/${encodeURIComponent(String(given.get('case')))}/hold`, { reason: String(given.get('reason')) });
}

function draw() {
  document.title = t('page-title', { page: t('page-retention') });
  render(html`<hj-header .account=${account}></hj-header><div class="page">
    <a class="button quiet back" href="/worklist">${icon('back')}${t('case-back')}</a>
    <div class="page-head"><h1>${t('retention-title')}</h1><p class="lead">${t('retention-lead')}</p></div>
    ${problem ? html`<div class="notice notice-alarm" role="alert">${icon('warning')}<p>${tError(problem)}</p></div>` : nothing}
    ${shown ? body(shown) : problem ? nothing : html`<p class="loading" role="status">${t('loading')}</p>`}</div>`, root);
}

/** @param {RetentionAnswer} answer */
function body(answer) {
  const zone = account?.time_zone ?? 'UTC';
  const last = answer.last_run_ms;
  return html`<div class="case">
    <p class="hint figures" data-testid="retention-last-run">${last === null ? t('retention-never-run') : t('retention-last-run', { date: `${fullDate(last, language(), zone)}, ${hourMinute(last, language(), zone)}` })}</p>
    <section class="card"><h2>${t('retention-holds')}</h2>
      ${answer.holds.length === 0 ? html`<p class="hint">${t('retention-no-holds')}</p>` : html`<ul class="kept-list">${answer.holds.map((hold) => html`<li class="kept-seat" data-testid="hold-row" data-case=${hold.case_id}>
        <span><strong>${hold.case_label}</strong><br>${t('kept-hold', { date: fullDate(hold.set_ms, language(), zone), reason: tValue('hold-reason', hold.reason) })}</span>
        ${mayHold ? html`<span class="row">${LIFT_REASONS.map((reason) => html`<button class="secondary" data-testid="hold-lift" data-reason=${reason} ?disabled=${busy}
          @click=${() => void change(`/api/holds/${encodeURIComponent(hold.id)}/lift`, { reason })}>${tValue('lift-reason', reason)}</button>`)}</span>` : nothing}</li>`)}</ul>`}
      ${mayHold && answer.cases.length ? holdForm(answer) : nothing}</section>
    <section class="card"><h2>${t('retention-upcoming', { days: answer.warn_days })}</h2>
      ${answer.upcoming.length === 0 ? html`<p class="hint">${t('retention-none-upcoming')}</p>` : html`<ul class="kept-list">${answer.upcoming.map((row) => html`<li class="kept-seat" data-testid="expiry-row" data-recording=${row.recording} data-state=${row.state}>
        <span><strong>${row.case_label}</strong> <span class="chip ${row.state === 'held' ? 'chip-synthetic' : ''}">${tValue('kept-state', row.state)}</span><br>
          <span class="hint">${tValue('kept-class', row.class)} · ${fullDate(row.started_at_ms, language(), zone)}</span>
          ${row.kept_until_ms === null ? nothing : untilEverywhere(row.kept_until_ms, row.zones)}</span></li>`)}</ul>`}</section>
    ${answer.waiting.length ? html`<section class="card"><h2>${t('retention-waiting')}</h2><p>${t('retention-waiting-count', { count: answer.waiting.length })}</p></section>` : nothing}
  </div>`;
}

/** @param {RetentionAnswer} answer */
function holdForm(answer) {
  return html`<form class="row" data-testid="hold-form" @submit=${holdCase}>
    <label class="field"><span>${t('retention-hold-case')}</span><select name="case" data-testid="hold-case">${answer.cases.map((one) => html`<option value=${one.id}>${one.label}</option>`)}</select></label>
    <label class="field"><span>${t('retention-hold-reason')}</span><select name="reason" data-testid="hold-reason">${HOLD_REASONS.map((reason) => html`<option value=${reason}>${tValue('hold-reason', reason)}</option>`)}</select></label>
    <button class="primary" data-testid="hold-set" ?disabled=${busy}>${t('retention-hold-set')}</button></form>`;
}

languageEvents.addEventListener('change', draw);
const me = await get('/api/me').catch(() => null);
if (!me) goToSignIn();
else {
  account = /** @type {import('../types/wire.js').Account} */ (me.account);
  mayHold = me.abilities.includes('retention.hold');
  await startLanguage('account', account.language);
  draw();
  await renew();
}
