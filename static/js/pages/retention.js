/** The privacy officer's page: what goes when, what is under hold. A coordinator reads it. It only wires. */
import { html, nothing, render } from '/static/vendor/lit.js';
import { codeOf, get, post, problemOf } from '../api.js';
import { language, languageEvents, t, tError, tValue } from '../i18n.js';
import { reader } from '../reader.js';
import { fullDate, hourMinute } from '../time.js';
import { untilEverywhere } from '../elements/kept.js';
import { icon } from '../elements/icons.js';
import '../elements/chrome.js';
import '../elements/periods.js';

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
/** @type {import('../types/wire.js').PeriodsAnswer | null} */
let periods = null;
/** Whose recordings are shown. */
let caseShown = '';
/** Which hold's lifting is being confirmed, and why it is lifted. @type {{id: string, reason: string} | null} */
let lifting = null;
let mayHold = false;
let busy = false;

async function renew() {
  try {
    shown = await get('/api/retention');
    caseShown ||= shown?.cases[0]?.id ?? '';
    if (caseShown) periods = await get(`/api/cases/${encodeURIComponent(caseShown)}/periods`);
    problem = null;
  } catch (error) {
    problem = problemOf(error);
    if (problem === null) return;
  }
  draw();
}

/** @param {string} path @param {Record<string, unknown>} body @returns {Promise<boolean>} whether it was done */
async function change(path, body) {
  if (busy) return false;
  let done = false;
  busy = true;
  draw();
  try {
    await post(path, body);
    done = true;
    await renew();
  } catch (error) {
    problem = codeOf(error);
  }
  busy = false;
  draw();
  return done;
}

/** What the periods' element asks for. @type {Record<string, (detail: any) => Promise<unknown>>} */
const ACTIONS = {
  'period-case': async ({ id }) => {
    caseShown = id;
    await renew();
  },
  'period-class': ({ recording, name, reason }) => changePeriod(`/api/recordings/${encodeURIComponent(recording)}/class`, { name, reason }),
  'period-extend': ({ recording, years, reason }) => changePeriod(`/api/recordings/${encodeURIComponent(recording)}/extend`, { years, reason }),
};

/** @param {string} path @param {Record<string, unknown>} body */
async function changePeriod(path, body) {
  if (await change(path, body)) /** @type {any} */ (root.querySelector('hj-periods')).close();
}

/** Lifting lets things be destroyed for good: it is asked twice. @param {{id: string, reason: string} | null} asked */
function askLift(asked) {
  const before = lifting;
  lifting = asked;
  draw();
  const target = asked ? '[data-testid=lift-cancel]' : `[data-testid=hold-lift][data-reason="${before?.reason ?? ''}"]`;
  /** @type {HTMLElement | null} */ (root.querySelector(target))?.focus();
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
        ${mayHold ? liftControls(hold) : nothing}</li>`)}</ul>`}
      ${mayHold && answer.cases.length ? holdForm(answer) : nothing}</section>
    ${answer.cases.length ? html`<hj-periods .cases=${answer.cases} .rows=${periods?.recordings ?? []} .now=${answer.now_ms} .zone=${zone}
      ?may=${mayHold} ?busy=${busy}></hj-periods>` : nothing}
    <section class="card"><h2>${t('retention-upcoming', { days: answer.warn_days })}</h2>
      ${answer.upcoming.length === 0 ? html`<p class="hint">${t('retention-none-upcoming')}</p>` : html`<ul class="kept-list">${answer.upcoming.map((row) => html`<li class="kept-seat" data-testid="expiry-row" data-recording=${row.recording} data-state=${row.state}>
        <span><strong>${row.case_label}</strong> <span class="chip ${row.state === 'held' ? 'chip-synthetic' : ''}">${tValue('kept-state', row.state)}</span><br>
          <span class="hint">${tValue('kept-class', row.class)} · ${fullDate(row.started_at_ms, language(), zone)}</span>
          ${row.kept_until_ms === null ? nothing : untilEverywhere(row.kept_until_ms, row.zones)}</span></li>`)}</ul>`}</section>
    ${answer.documents.length === 0 ? nothing : html`<section class="card"><h2>${t('retention-documents', { days: answer.warn_days })}</h2><ul class="kept-list">${answer.documents.map((row) => html`<li class="kept-seat" data-testid="documents-row" data-case=${row.case_id} data-state=${row.state}>
        <span><strong>${row.case_label}</strong> <span class="chip ${row.state === 'held' ? 'chip-synthetic' : ''}">${tValue('kept-state', row.state)}</span>
          ${row.cause === 'withdrawn' ? html` <span class="chip">${t('retention-documents-withdrawn')}</span>` : nothing}${untilEverywhere(row.kept_until_ms, row.zones)}</span></li>`)}</ul></section>`}
    ${answer.waiting.length ? html`<section class="card"><h2>${t('retention-waiting')}</h2><p>${t('retention-waiting-count', { count: answer.waiting.length })}</p></section>` : nothing}
  </div>`;
}

/** @param {RetentionAnswer['holds'][number]} hold */
function liftControls(hold) {
  if (lifting?.id !== hold.id) {
    return html`<span class="row">${LIFT_REASONS.map((reason) => html`<button class="secondary" data-testid="hold-lift" data-reason=${reason} ?disabled=${busy}
      @click=${() => askLift({ id: hold.id, reason })}>${tValue('lift-reason', reason)}</button>`)}</span>`;
  }
  const { reason } = lifting;
  return html`<div class="notice notice-alarm kept-confirm" role="alertdialog" aria-labelledby="lift-title" data-testid="lift-confirm"
      @keydown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === 'Escape') askLift(null); }}>
    <div><p id="lift-title"><strong>${t('lift-title', { case: hold.case_label })}</strong></p><p>${t('lift-what')}</p>
      <p class="row"><button class="secondary" data-testid="lift-cancel" @click=${() => askLift(null)}>${t('lift-cancel')}</button>
        <button class="primary danger" data-testid="lift-now" ?disabled=${busy}
          @click=${() => void change(`/api/holds/${encodeURIComponent(hold.id)}/lift`, { reason })}>${tValue('lift-reason', reason)}</button></p></div></div>`;
}

/** @param {RetentionAnswer} answer */
function holdForm(answer) {
  return html`<form class="row hold-form" data-testid="hold-form" @submit=${holdCase}><h3>${t('retention-hold-new')}</h3>
    <label class="field"><span>${t('retention-hold-case')}</span><select name="case" data-testid="hold-case">${answer.cases.map((one) => html`<option value=${one.id}>${one.label}</option>`)}</select></label>
    <label class="field"><span>${t('retention-hold-reason')}</span><select name="reason" data-testid="hold-reason">${HOLD_REASONS.map((reason) => html`<option value=${reason}>${tValue('hold-reason', reason)}</option>`)}</select></label>
    <button class="primary" data-testid="hold-set" ?disabled=${busy}>${t('retention-hold-set')}</button></form>`;
}

root.addEventListener('ask', (event) => {
  const { type, ...detail } = /** @type {CustomEvent} */ (event).detail;
  void ACTIONS[type]?.(detail);
});
const me = await reader(root);
if (me) {
  account = me.account;
  mayHold = me.abilities.includes('retention.hold');
  languageEvents.addEventListener('change', draw);
  draw();
  await renew();
}
