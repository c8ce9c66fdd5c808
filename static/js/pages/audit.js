/** The audit: one's own entries; who saw whom, the monthly review and break-glass for whom they are. It only wires. */
import { html, nothing, render } from '/static/vendor/lit.js';
import { codeOf, get, post, problemOf, saved } from '../api.js';
import { ACTIONS as AUDITED } from '../audit-actions.js';
import { language, languageEvents, t, tError, tValue } from '../i18n.js';
import { reader } from '../reader.js';
import { icon } from '../elements/icons.js';
import '../elements/audit-chain.js';
import '../elements/audit-review.js';
import '../elements/break-glass.js';
import '../elements/entries.js';

/** @typedef {import('../types/audit.js').AuditEntry} AuditEntry */

const REASONS = Object.freeze(['review', 'data_subject', 'authority', 'incident', 'archive']);
const root = /** @type {HTMLElement} */ (document.querySelector('main'));
/** @type {import('../types/wire.js').Account | null} */
let account = null;
/** View → the ability that opens it. @type {Record<string, string>} */
const VIEWS = { entries: 'audit.read', chain: 'audit.acknowledge', review: 'audit.review', glass: 'break_glass', logins: 'audit.logins', own: 'audit.own' };
/** @type {string[]} */
let views = [];
let view = 'own';
/** @type {AuditEntry[] | null} */
let rows = null;
/** @type {number | null} */
let next = null;
/** The action that is chosen to search for: another language orders them otherwise. */
let action = '';
/** What was asked for last. @type {Record<string, unknown>} */
let asked = {};
/** @type {import('../types/audit.js').Review[]} */
let reviews = [];
/** @type {import('../types/audit.js').Review | null} */
let shown = null;
/** @type {import('../types/audit.js').Glass[] | null} */
let glasses = null;
/** @type {import('../types/audit.js').Chain | null} */
let chain = null;
/** Every entry was hashed again, not the end alone. */
let checked = false;
/** @type {{code: string, detail?: Record<string, any>} | null} */
let problem = null;
let busy = false;

/** One thing at a time; what goes wrong is said, what was there stays. @param {() => Promise<void>} work */
async function doing(work) {
  if (busy) return;
  busy = true;
  problem = null;
  draw();
  try {
    await work();
  } catch (error) {
    const code = problemOf(error);
    problem = code === null ? null : { code: codeOf(error), detail: /** @type {any} */ (error).detail };
  }
  busy = false;
  draw();
}

/** @param {number | null} before @returns {Promise<{entries: AuditEntry[], next: number | null}>} */
function page(before) {
  if (view === 'entries') return post('/api/audit/search', before === null ? asked : { ...asked, before });
  return get(`${view === 'logins' ? '/api/audit/logins' : '/api/account/audit'}${before === null ? '' : `?before=${before}`}`);
}

async function load() {
  rows = null;
  checked = false;
  if (view === 'chain') chain = await get('/api/audit/chain');
  else if (view === 'review') ({ reviews } = await get('/api/audit/reviews'));
  else if (view === 'glass') glasses = account?.roles.includes('privacy_officer') ? (await get('/api/break-glass')).glasses : null;
  else ({ entries: rows, next } = await page(null));
}

/** What the elements ask for. @type {Record<string, (detail: any) => Promise<void>>} */
const ACTIONS = {
  more: async () => {
    const told = await page(next);
    rows = [...(rows ?? []), ...told.entries];
    next = told.next;
  },
  make: async ({ month }) => {
    const { id } = await post('/api/audit/reviews', { month });
    shown = await get(`/api/audit/reviews/${encodeURIComponent(id)}`);
    await load();
  },
  look: async ({ id }) => { shown = await get(`/api/audit/reviews/${encodeURIComponent(id)}`); },
  sign: async ({ id, sha256, remarks }) => {
    await post(`/api/audit/reviews/${encodeURIComponent(id)}/sign`, { sha256, remarks });
    shown = await get(`/api/audit/reviews/${encodeURIComponent(id)}`);
    await load();
  },
  check: async () => {
    chain = await post('/api/audit/chain/verify');
    checked = true;
  },
  acknowledge: async (answer) => {
    await post('/api/audit/gaps', answer);
    await load();
  },
  break: async ({ case: label, reason }) => {
    const { glass } = await post('/api/break-glass', { case: label, reason });
    location.assign(`/cases/${encodeURIComponent(glass.case_id)}`);
  },
  'end-glass': async ({ id }) => {
    await post(`/api/break-glass/${encodeURIComponent(id)}/end`);
    account = (await get('/api/me')).account;
    await load();
  },
};

/** @param {HTMLFormElement} form @returns {Record<string, unknown>} */
function wanted(form) {
  const given = new FormData(form);
  const day = (/** @type {string} */ name, /** @type {number} */ days) => {
    const text = String(given.get(name));
    return text ? new Date(`${text}T00:00:00`).getTime() + days * 86_400_000 : null;
  };
  return { account: String(given.get('account')).trim(), case: String(given.get('case')).trim(), action: String(given.get('action')).trim(), from_ms: day('from', 0), to_ms: day('to', 1) };
}

/** @param {SubmitEvent} event */
function submit(event) {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.target);
  const kind = /** @type {HTMLButtonElement} */ (event.submitter)?.value;
  void doing(async () => {
    asked = wanted(form);
    if (kind) await saved('/api/audit/export', { ...asked, format: kind, reason: String(new FormData(form).get('reason')) }, `hyeopjin-audit.${kind === 'csv' ? 'csv' : 'jsonl'}`);
    await load();
  });
}

/** By their words, as the language orders them; the server is told the code. */
function actions() {
  const named = AUDITED.map((code) => ({ code, words: tValue('act', code) })).sort((one, other) => one.words.localeCompare(other.words, language()));
  const option = (/** @type {string} */ code, /** @type {string} */ words) => html`<option value=${code} .selected=${code === action}>${words}</option>`;
  return html`<label class="field"><span>${t('audit-filter-action')}</span><select name="action" data-testid="filter-action" @change=${(/** @type {Event} */ event) => { action = /** @type {HTMLSelectElement} */ (event.target).value; draw(); }}>
    ${option('', t('audit-filter-any'))}${named.map(({ code, words }) => option(code, words))}</select></label>`;
}

function search() {
  const field = (/** @type {string} */ name, /** @type {string} */ type) => html`<label class="field"><span>${t(`audit-filter-${name}`)}</span><input name=${name} type=${type} maxlength="254" autocomplete="off" data-testid="filter-${name}"></label>`;
  return html`<form class="audit-form" data-testid="audit-form" @submit=${submit}>${field('account', 'text')}${field('case', 'text')}${actions()}${field('from', 'date')}${field('to', 'date')}
    <button class="primary" data-testid="audit-search" ?disabled=${busy}>${t('audit-search')}</button>
    <div class="wide row"><label class="field"><span>${t('audit-export-reason')}</span><select name="reason" data-testid="audit-reason">${REASONS.map((one) => html`<option value=${one}>${t(`audit-why-${one.replace('_', '-')}`)}</option>`)}</select></label>
      <button class="secondary" name="kind" value="csv" data-testid="audit-csv" ?disabled=${busy}>${t('audit-export-csv')}</button>
      <button class="secondary" name="kind" value="json" data-testid="audit-json" ?disabled=${busy}>${t('audit-export-json')}</button></div></form>`;
}

function body() {
  const zone = account?.time_zone ?? 'UTC';
  if (view === 'chain') return html`<hj-audit-chain .chain=${chain} .zone=${zone} ?checked=${checked} ?busy=${busy}></hj-audit-chain>`;
  if (view === 'review') return html`<hj-audit-review .reviews=${reviews} .shown=${shown} .zone=${zone} .now=${Date.now()} ?busy=${busy}></hj-audit-review>`;
  if (view === 'glass') return html`<hj-break-glass .glasses=${glasses} .zone=${zone} ?open=${Boolean(account?.break_glass)} ?busy=${busy}></hj-break-glass>`;
  return html`<section class="card"><h2>${t(`audit-view-${view}`)}</h2><p class="hint">${t(`audit-lead-${view}`)}</p>${view === 'entries' ? search() : nothing}
    ${rows === null ? (problem ? nothing : html`<p class="loading" role="status">${t('loading')}</p>`) : html`<hj-entries .rows=${rows} .zone=${zone} ?more=${next !== null} ?busy=${busy}></hj-entries>`}</section>`;
}

function draw() {
  document.title = t('page-title', { page: t('page-audit') });
  render(html`<hj-header .account=${account}></hj-header><div class="page">
    <a class="button quiet back" href="/worklist">${icon('back')}${t('case-back')}</a>
    <div class="page-head"><h1>${t('page-audit')}</h1><p class="lead">${t('audit-lead')}</p></div>
    <div class="audit">${views.length > 1 ? html`<nav class="audit-views" aria-label=${t('page-audit')}>${views.map((one) => html`<a class="button secondary" href="#${one}" data-testid="view-${one}" aria-current=${one === view ? 'page' : nothing}>${t(`audit-view-${one}`)}</a>`)}</nav>` : nothing}
    ${problem ? html`<div class="notice notice-alarm" role="alert">${icon('warning')}<p>${tError(problem.code, problem.detail)}</p></div>` : nothing}
    ${body()}</div></div>`, root);
}

function turn() {
  const there = location.hash.slice(1);
  view = views.includes(there) ? there : views[0];
  void doing(load);
}

root.addEventListener('ask', (event) => {
  const { type, ...detail } = /** @type {CustomEvent} */ (event).detail;
  if (ACTIONS[type]) void doing(() => ACTIONS[type](detail));
});
const me = await reader(root);
if (me) {
  account = me.account;
  views = Object.keys(VIEWS).filter((one) => me.abilities.includes(VIEWS[one]));
  languageEvents.addEventListener('change', draw);
  window.addEventListener('hashchange', turn);
  turn();
}
