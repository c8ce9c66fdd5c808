/** The board: which sites are ready for their next hours. It renews itself; a site's earlier tests open below it. */
import { html, nothing, render } from '/static/vendor/lit.js';
import { get, problemOf } from '../api.js';
import { languageEvents, t, tError } from '../i18n.js';
import { reader } from '../reader.js';
import { icon } from '../elements/icons.js';
import { instant, standingChip } from '../elements/standing.js';
import '../elements/chrome.js';
import '../elements/site-tests.js';

/** @typedef {import('../types/self-test.js').BoardRow} BoardRow */

const RENEW_MS = 30_000;
const root = /** @type {HTMLElement} */ (document.querySelector('main'));
/** @type {import('../types/wire.js').Account | null} */
let account = null;
/** @type {BoardRow[] | null} */
let rows = null;
/** @type {Map<string, import('../types/self-test.js').KeptTest[]>} */
const opened = new Map();
/** @type {string | null} */
let problem = null;

async function renew() {
  try {
    rows = (await get('/api/site-checks')).sites;
    problem = null;
  } catch (error) {
    problem = problemOf(error);
  }
  draw();
}

/** @param {BoardRow} row @param {Event} event */
async function open({ site }, event) {
  if (!(/** @type {HTMLDetailsElement} */ (event.target).open)) return;
  try {
    opened.set(site.id, (await get(`/api/sites/${encodeURIComponent(site.id)}/self-tests`)).tests);
  } catch (error) {
    problem = problemOf(error);
  }
  draw();
}

function draw() {
  document.title = t('page-title', { page: t('page-site-checks') });
  render(html`<hj-header .account=${account}></hj-header><div class="page self-test-page">
    <a class="button quiet back" href="/worklist">${icon('back')}${t('case-back')}</a>
    <div class="page-head"><h1>${t('selftest-board-title')}</h1><p class="lead">${t('selftest-board-lead')}</p></div>
    ${problem ? html`<div class="notice notice-alarm" role="alert">${icon('warning')}<p>${tError(problem)}</p></div>` : nothing}
    ${list()}</div>`, root);
}

function list() {
  if (!rows) return problem ? nothing : html`<p class="loading" role="status">${t('loading')}</p>`;
  if (rows.length === 0) return html`<section class="card narrow empty">${icon('clock')}<p>${t('selftest-board-empty')}</p></section>`;
  return html`<ul class="site-board">${rows.map(line)}</ul>`;
}

/** @param {BoardRow} row */
function line(row) {
  const { site, upcoming: [next], device, who, tested_ms: tested } = row;
  const zone = account?.time_zone ?? 'UTC';
  const both = (/** @type {number} */ ms) => [...new Set([instant(ms, zone), instant(ms, site.time_zone)])].join(' = ');
  return html`<li class="card site-row" data-testid="site-row" data-site=${site.id} data-verdict=${row.verdict} data-why=${row.why}>
    <div class="site-row-head"><h2>${site.name}</h2>${standingChip(row)}</div>
    <p class="figures">${next === undefined ? html`<span class="hint">${t('selftest-board-none')}</span>` : html`<strong>${t('selftest-board-next', { when: both(next) })}</strong>`}</p>
    ${tested ? html`<p class="hint figures">${t('selftest-board-last', { when: instant(tested, zone) })} · ${device || t('selftest-no-device')} · ${who}</p>
      ${row.others.length === 0 ? nothing : html`<p class="hint">${t('selftest-board-others')}</p><ul class="site-tests">${row.others.map((one) => html`<li data-testid="site-other" data-verdict=${one.verdict}>${standingChip(one, one.device)} <span class="hint figures">${one.who} · ${instant(one.tested_ms, zone)}</span></li>`)}</ul>`}
      <details @toggle=${(/** @type {Event} */ event) => void open(row, event)}><summary>${t('selftest-board-history')}<span class="visually-hidden">: ${site.name}</span></summary>
        ${opened.has(site.id) ? html`<hj-site-tests .tests=${opened.get(site.id)} zone=${zone}></hj-site-tests>` : html`<p class="hint">${t('loading')}</p>`}</details>` : nothing}
  </li>`;
}

const me = await reader(root);
if (me) {
  account = me.account;
  languageEvents.addEventListener('change', draw);
  draw();
  await renew();
  setInterval(() => void renew(), RENEW_MS);
}
