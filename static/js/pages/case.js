/** A case: the patient (marked when synthetic), the question, its consultations and recordings. */
import { html, nothing, render } from '/static/vendor/lit.js';
import { codeOf, get, post, problemOf, takeSeat } from '../api.js';
import { language, languageEvents, t, tError, tValue } from '../i18n.js';
import { reader } from '../reader.js';
import { fullDate, hourMinute } from '../time.js';
import { consultationRow, recordingLine, specialty } from '../elements/consultation.js';
import { holdBanner, keptOf } from '../elements/kept.js';
import { icon } from '../elements/icons.js';
import '../elements/chrome.js';
import '../elements/referral.js';
import '../elements/documents.js';
import '../elements/match.js';
import '../elements/consents.js';

/** @typedef {import('../types/wire.js').CaseAnswer} CaseAnswer */

const RENEW_MS = 10_000;
const id = location.pathname.split('/').filter(Boolean).at(-1) ?? '';
const root = /** @type {HTMLElement} */ (document.querySelector('main'));
/** @type {import('../types/wire.js').Account | null} */
let account = null;
/** @type {CaseAnswer | null} */
let shown = null;
/** @type {string | null} */
let problem = null;
let busy = false;
let maySchedule = false;
let mayMatch = false;
let mayReadDocuments = false;
let mayReadConsents = false;
let mayGiveConsents = false;
/** What the case is called, for who brings documents and may not read it: a site's operator. @type {string | null} */
let filesOf = null;
/** @type {import('../types/wire.js').KeptAnswer | null} */
let kept = null;
/** Which seat's withdrawal is being confirmed, as "recording/seat". @type {string | null} */
let confirming = null;

async function renew() {
  if (filesOf !== null) return;
  try {
    [shown, kept] = await Promise.all([get(`/api/cases/${encodeURIComponent(id)}`), get(`/api/cases/${encodeURIComponent(id)}/retention`)]);
    problem = null;
  } catch (error) {
    if (shown === null && mayReadDocuments && codeOf(error) === 'forbidden') return files();
    problem = problemOf(error);
    if (problem === null) return;
  }
  draw();
}

/** Documents and consents are all of the case that is theirs. */
async function files() {
  if (filesOf !== null) return;
  try {
    filesOf = (await get(`/api/cases/${encodeURIComponent(id)}/consents`)).case.label;
    problem = null;
  } catch (error) {
    problem = codeOf(error);
  }
  draw();
}

/** A hospital moves the case on, and is who the patient is asked about. */
function decided() {
  for (const name of ['hj-referral', 'hj-consents']) {
    void /** @type {(HTMLElement & { load(): Promise<void> }) | null} */ (root.querySelector(name))?.load();
  }
}

/** @param {import('../types/wire.js').ConsultationRow} row */
async function join(row) {
  busy = true;
  draw();
  try {
    await takeSeat(row.my_seat ?? '');
  } catch (error) {
    problem = codeOf(error);
    busy = false;
    draw();
  }
}

/** @param {string} recording @param {string} seat */
async function withdraw(recording, seat) {
  busy = true;
  draw();
  try {
    await post(`/api/recordings/${encodeURIComponent(recording)}/seats/${encodeURIComponent(seat)}/withdraw`, { reason: 'consent_withdrawn' });
    confirming = null;
    await renew();
  } catch (error) {
    problem = codeOf(error);
  }
  busy = false;
  draw();
}

/** @param {string | null} key */
function confirmWithdrawal(key) {
  const before = confirming;
  confirming = key;
  draw();
  const seat = before?.split('/')[1] ?? '';
  const target = key ? '[data-testid="withdraw-cancel"]' : `[data-testid="withdraw"][data-seat="${CSS.escape(seat)}"]`;
  /** @type {HTMLElement | null} */ (root.querySelector(target))?.focus();
}

/** @param {string} recording */
function keeping(recording) {
  const found = kept?.recordings.find((one) => one.id === recording);
  if (!found) return nothing;
  return keptOf(found, id, account?.time_zone ?? 'UTC', { open: confirming, busy, held: kept?.hold != null, ask: confirmWithdrawal, withdraw: (one, seat) => void withdraw(one, seat) });
}

function draw() {
  document.title = t('page-title', { page: t('page-case') }); // never the patient's name: titles end up in histories
  render(html`<hj-header .account=${account}></hj-header><div class="page">
    <a class="button quiet back" href="/worklist">${icon('back')}${t('case-back')}</a>
    ${problem ? html`<div class="notice notice-alarm" role="alert">${icon('warning')}<p>${tError(problem)}</p></div>` : nothing}
    ${shown ? body(shown) : filesOf !== null ? html`<div class="case"><div class="page-head"><h1>${filesOf}</h1></div>${documents()}${consents()}</div>` : problem ? nothing : html`<p class="loading" role="status">${t('loading')}</p>`}</div>`, root);
}

/** @param {CaseAnswer} answer */
function body(answer) {
  const zone = account?.time_zone ?? 'UTC';
  const one = answer.case;
  const recordings = answer.recordings ?? [];
  const now = answer.now_ms ?? Date.now();
  return html`<div class="case">
    <div class="page-head"><h1>${one.label}</h1><p class="lead">${specialty(one.specialty)}</p>
      <p class="row"><a class="button secondary" data-testid="to-glossary" href="/cases/${encodeURIComponent(one.id)}/glossary">${icon('book')}${t('page-glossary')}</a>
        ${maySchedule ? html`<a class="button secondary" data-testid="to-schedule" href="/cases/${encodeURIComponent(one.id)}/schedule">${icon('clock')}${t('page-schedule')}</a>` : nothing}</p></div>
    ${kept?.hold ? holdBanner(kept.hold, zone) : nothing}
    ${one.patient ? patient(one.patient) : nothing}
    ${one.question ? html`<section class="card"><h2>${t('case-question')}</h2><p class="question">${one.question}</p></section>` : nothing}
    <hj-referral .case=${id} .zone=${zone}></hj-referral>
    ${documents()}
    ${mayMatch ? html`<hj-match case=${id} .zone=${zone} @ask=${decided}></hj-match>` : nothing}
    ${consents()}
    <section class="card"><h2>${t('case-recordings')}</h2>
      ${recordings.length === 0 ? html`<p class="hint">${t('case-no-recordings')}</p>` : recordings.map((row) => html`<div class="recording-of">
        <p class="figures"><strong>${fullDate(row.started_at_ms, language(), zone)}</strong>, ${hourMinute(row.started_at_ms, language(), zone)}</p>${recordingLine(row)}${keeping(row.id)}</div>`)}</section>
    <section class="case-consultations"><h2>${t('case-consultations')}</h2>
      ${answer.consultations.length === 0 ? html`<p class="hint">${t('case-no-consultations')}</p>` : html`<ul class="consultations">${answer.consultations.map((row) =>
        consultationRow({ ...row, recordings: [] }, zone, now, { join: (mine) => void join(mine), busy, linked: false }))}</ul>`}</section>
  </div>`;
}

function documents() {
  return mayReadDocuments ? html`<hj-documents .case=${id} .zone=${account?.time_zone ?? 'UTC'}></hj-documents>` : nothing;
}

function consents() {
  return mayReadConsents ? html`<hj-consents case=${id} link ?may=${mayGiveConsents}></hj-consents>` : nothing;
}

/** @param {NonNullable<CaseAnswer['case']['patient']>} who */
function patient(who) {
  return html`<section class="card"><div class="row"><h2>${t('case-patient')}</h2>
      ${who.synthetic ? html`<span class="chip chip-synthetic" data-testid="synthetic">${t('case-synthetic')}</span>` : nothing}</div>
    <dl class="facts"><div><dt>${t('case-name')}</dt><dd>${who.name}</dd></div>
      <div><dt>${t('case-birth-date')}</dt><dd class="figures">${who.birth_date}</dd></div>
      <div><dt>${t('case-sex')}</dt><dd>${tValue('sex', who.sex)}</dd></div></dl></section>`;
}

const me = await reader(root);
if (me) {
  account = me.account;
  maySchedule = me.abilities.includes('schedule.write');
  mayMatch = me.abilities.includes('match');
  mayReadDocuments = me.abilities.includes('document.read');
  mayReadConsents = me.abilities.includes('consent.read');
  mayGiveConsents = me.abilities.includes('consent.give');
  languageEvents.addEventListener('change', draw);
  draw();
  await renew();
  setInterval(() => void renew(), RENEW_MS);
}
