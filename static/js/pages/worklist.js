/** The worklist: today's consultations in every place's time; join when the window is open. It renews itself. */
import { html, nothing, render } from '/static/vendor/lit.js';
import { codeOf, get, problemOf, takeSeat } from '../api.js';
import { language, languageEvents, t, tError } from '../i18n.js';
import { reader } from '../reader.js';
import { fullDate } from '../time.js';
import { consultationRow, isOpen } from '../elements/consultation.js';
import { icon } from '../elements/icons.js';
import '../elements/at-risk.js';
import '../elements/chrome.js';
import '../elements/glossaries.js';
import '../elements/hours.js';
import '../elements/turns.js';

/** @typedef {import('../types/wire.js').ConsultationRow} ConsultationRow */

const RENEW_MS = 10_000;
const root = /** @type {HTMLElement} */ (document.querySelector('main'));
/** @type {import('../types/wire.js').Account | null} */
let account = null;
/** @type {ConsultationRow[] | null} */
let rows = null;
/** The server's clock less ours: windows open by its instants, whatever this computer's clock says. */
let skewMs = 0;
let busy = false;
/** Whose work is hours: theirs of two weeks are listed, so that they can say in time that they cannot come. */
let plansAhead = false;
let mayReadRetention = false;
let mayGiveConsents = false;
let maySetPolicies = false;
let mayBringDocuments = false;
let mayTellArrival = false;
let mayExportHours = false;
let mayAnswerFlags = false;
let mayReadGlossaries = false;
let mayRefer = false;
let maySchedule = false;
let mayListSites = false;
let mayListPeople = false;
let mayTest = false;
let maySeeSites = false;
/** @type {string | null} */
let problem = null;

const now = () => Date.now() + skewMs;

async function renew() {
  try {
    const answer = await get(plansAhead ? '/api/worklist?days=14' : '/api/worklist');
    rows = answer.consultations;
    skewMs = answer.now_ms - Date.now();
    problem = null;
  } catch (error) {
    problem = problemOf(error);
    if (problem === null) return;
  }
  draw();
}

/** @param {ConsultationRow} row */
async function join(row) {
  if (!row.my_seat || busy) return;
  busy = true;
  draw();
  try {
    await takeSeat(row.my_seat);
  } catch (error) {
    problem = codeOf(error);
    busy = false;
    draw();
  }
}

function draw() {
  document.title = t('page-title', { page: t('page-worklist') });
  const zone = account?.time_zone ?? 'UTC';
  render(html`<hj-header .account=${account}></hj-header><div class="page">
    <div class="page-head"><h1>${t('worklist-title')}</h1><p class="lead figures">${fullDate(now(), language(), zone)}</p><p class="hint">${t('worklist-lead')}</p>
      ${mayReadRetention ? html`<p><a data-testid="to-retention" href="/retention">${t('page-retention')}</a></p>` : nothing}
      ${mayListSites ? html`<p><a data-testid="to-sites" href=${mayListPeople ? '/sites' : `/sites/${encodeURIComponent(account?.site_id ?? '')}`}>${mayListPeople ? t('page-sites') : t('page-site')}</a></p>` : nothing}
      <p><a data-testid="to-own" href="/people/${encodeURIComponent(account?.id ?? '')}">${t('page-own')}</a></p>
      ${maySetPolicies ? html`<p><a data-testid="to-policies" href="/policies">${t('page-policies')}</a></p>` : nothing}
      ${maySeeSites ? html`<p><a data-testid="to-site-checks" href="/site-checks">${t('page-site-checks')}</a></p>` : nothing}
      ${mayTest ? html`<p><a data-testid="to-own-test" href="/self-test">${t('page-self-test')}</a></p>` : nothing}
      ${account ? html`<p><a data-testid="to-audit" href="/audit">${t('page-audit')}</a></p>` : nothing}
      ${mayExportHours ? html`<hj-hours .now=${now()} .zone=${zone}></hj-hours>` : nothing}
      ${mayReadGlossaries ? html`<hj-glossaries></hj-glossaries>` : nothing}
      ${mayAnswerFlags ? html`<p><a data-testid="to-renderings" href="/renderings">${t('page-renderings')}</a></p>` : nothing}</div>
    ${problem ? html`<div class="notice notice-alarm" role="alert">${icon('warning')}<p>${tError(problem)}</p></div>` : nothing}
    ${maySchedule ? html`<hj-at-risk></hj-at-risk>` : nothing}
    <hj-turns .zone=${zone} .writes=${mayRefer}></hj-turns>
    ${list(zone)}</div>`, root);
}

/** @param {string} zone */
function list(zone) {
  if (!rows) return problem ? nothing : html`<p class="loading" role="status">${t('loading')}</p>`;
  if (rows.length === 0) {
    return html`<section class="card narrow empty" data-testid="worklist-empty">${icon('clock')}<h2>${t('worklist-empty-title')}</h2><p>${t('worklist-empty')}</p></section>`;
  }
  const rank = (/** @type {ConsultationRow} */ row) => (isOpen(row, now()) ? 0 : row.starts_at_ms > now() ? 1 : 2);
  const sorted = [...rows].sort((a, b) => rank(a) - rank(b) || a.starts_at_ms - b.starts_at_ms);
  return html`<ul class="consultations">${sorted.map((row) => consultationRow(row, zone, now(), { join: (one) => void join(one), busy, linked: true, tells: mayTellArrival, consents: mayGiveConsents, documents: mayBringDocuments && mayGiveConsents }))}</ul>`;
}

const me = await reader(root);
if (me) {
  account = me.account;
  plansAhead = me.account.roles.some((role) => role === 'interpreter' || role === 'consulting_physician');
  root.addEventListener('ask', (event) => {
    if (/** @type {CustomEvent} */ (event).detail.type === 'declined') void renew();
  });
  mayGiveConsents = me.abilities.includes('consent.give');
  mayBringDocuments = me.abilities.includes('document.add');
  maySetPolicies = me.abilities.includes('policy.write');
  mayReadRetention = me.abilities.includes('retention.read');
  mayExportHours = me.abilities.includes('hours.export');
  mayTellArrival = me.abilities.includes('arrival.tell');
  mayAnswerFlags = me.abilities.includes('rendering.own');
  mayTest = me.abilities.includes('self_test');
  maySeeSites = me.abilities.includes('site_checks');
  maySchedule = me.abilities.includes('schedule.write');
  mayListSites = me.abilities.includes('site.list');
  mayListPeople = me.abilities.includes('person.list');
  mayRefer = me.abilities.includes('case.open');
  mayReadGlossaries = me.abilities.includes('glossary.list');
  languageEvents.addEventListener('change', draw);
  draw();
  await renew();
  setInterval(() => void renew(), RENEW_MS);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void renew();
  });
}
