/** A referral being written: the patient, the form of its specialty, what is missing and why; it saves itself. It only wires. */
import { html, nothing, render } from '/static/vendor/lit.js';
import { codeOf, get, post, problemOf } from '../api.js';
import { language, languageEvents, t, tError, tValue } from '../i18n.js';
import { reader } from '../reader.js';
import { hourMinute } from '../time.js';
import { Autosave } from '../referral/autosave.js';
import { LocalCopy } from '../referral/local-copy.js';
import { pick } from '../referral/texts.js';
import { icon } from '../elements/icons.js';
import { problemText, questionRow } from '../elements/question.js';
import { beforeSignOut } from '../elements/chrome.js';
import '../elements/documents.js';
import '../elements/registration.js';

/** @typedef {import('../types/referral.js').Draft} Draft */
/** @typedef {import('../types/referral.js').Form} Form */

const id = location.pathname.split('/').filter(Boolean).at(-2) ?? '';
const base = `/api/cases/${encodeURIComponent(id)}`;
const root = /** @type {HTMLElement} */ (document.querySelector('main'));
/** @type {import('../types/wire.js').Account | null} */
let account = null;
/** @type {Draft | null} */
let draft = null;
/** @type {Form | null} */
let form = null;
/** @type {{specialty: string, label: Record<string, string>}[]} */
let forms = [];
/** @type {Autosave | null} */
let save = null;
/** @type {string | null} */
let problem = null;
const copy = new LocalCopy(id, () => get('/api/account/local-key'));
/** Whether what is missing is shown: after the first try to submit, and from the start when it was returned. */
let checked = false;
let busy = false;
/** While an input method composes a syllable nothing is drawn: it would be broken off. */
let composing = false;
/** The reader has signed out: there is nothing to be asked any more. */
let left = false;

/** @param {Draft | null} answer */
function took(answer) {
  if (answer) [draft, problem] = [answer, null]; // the server is there again
  if (save) void copy.keep(save.owed);
  if (draft && form && draft.form !== form.id) void loadForm();
  draw();
}

async function loadForm() {
  if (!draft) return;
  const [specialty, version] = draft.form.split('/');
  form = await get(`/api/referral-forms/${specialty}?version=${version}`);
  draw();
}

async function open() {
  try {
    [draft, { forms }] = await Promise.all([get(`${base}/draft`), get('/api/referral-forms')]);
    if (!draft) return;
    checked = draft.returned !== null;
    save = new Autosave({
      version: draft.version,
      editor: crypto.randomUUID(),
      send: (body) => post(`${base}/draft`, body),
      changed: took,
      later: (work, ms) => setTimeout(work, ms),
      cancel: (timer) => clearTimeout(timer),
    });
    const owed = await copy.found();
    void copy.unlocked(); // while there is a line: it may be needed when there is none
    if (owed) save.resume(owed);
    await loadForm();
  } catch (error) {
    problem = problemOf(error);
    draw();
  }
}

function registration() {
  return /** @type {(HTMLElement & {isClean: boolean, save: () => Promise<void>}) | null} */ (root.querySelector('hj-registration'));
}

async function submit() {
  if (!save || !draft || busy) return;
  busy = true;
  problem = null;
  draw();
  await registration()?.save();
  await save.look();
  checked = true;
  const missing = draft.problems.some((one) => one.blocks);
  if (save.problem !== null) problem = save.problem;
  else if (!missing) {
    try {
      await post(`${base}/submit`, { version: save.version });
      location.assign(`/cases/${encodeURIComponent(id)}`);
      return;
    } catch (error) {
      problem = codeOf(error);
    }
  }
  busy = false;
  draw();
  const told = /** @type {HTMLElement | null} */ (root.querySelector(missing ? '[data-testid="missing"]' : '[role="alert"]'));
  told?.scrollIntoView({ block: 'start' });
  told?.focus({ preventScroll: true });
}

/** @param {CustomEvent} event */
async function asked(event) {
  if (event.detail.type === 'registered' && draft) {
    draft = { ...draft, patient: event.detail.patient };
    draw();
    await save?.look();
  } else if (event.detail.type === 'same' && draft) {
    try {
      await registration()?.save();
      draft = { ...draft, patient: await post(`${base}/patient`, { patient: event.detail.patient }) };
      draw();
      await save?.look();
    } catch (error) {
      problem = codeOf(error);
      draw();
    }
  }
}

/** @param {string} question a form's, or patient.… */
function anchor(question) {
  return question.startsWith('patient.') ? `p-${question.slice(8)}` : `q-${question}`;
}

/** @param {string} question */
function nameOf(question) {
  if (question.startsWith('patient.')) return t(`patient-field-${question.slice(8).replaceAll('_', '-')}`);
  return pick(form?.questions.find((one) => one.id === question)?.label ?? { en: question }, language());
}

/** @param {string} question */
function whyOf(question) {
  if (question.startsWith('patient.')) return t(`patient-why-${question.slice(8).replaceAll('_', '-')}`);
  return pick(form?.questions.find((one) => one.id === question)?.why ?? {}, language());
}

/** @param {Event} event @param {string} question */
function jump(event, question) {
  event.preventDefault();
  const target = document.getElementById(anchor(question));
  target?.scrollIntoView({ block: 'center' });
  target?.focus({ preventScroll: true });
}

/** @param {Draft} now */
function summary(now) {
  const missing = now.problems.filter((one) => one.blocks);
  if (!checked || missing.length === 0) return nothing;
  return html`<section class="notice notice-alarm missing" data-testid="missing" tabindex="-1" aria-labelledby="missing-head">${icon('warning')}<div>
    <h2 id="missing-head">${t('referral-missing', { count: missing.length })}</h2>
    <ol>${missing.map((one) => html`<li><a href="#${anchor(one.question)}" @click=${(/** @type {Event} */ event) => jump(event, one.question)}>${nameOf(one.question)}</a>: ${problemText(one)}
      <span class="missing-why">${whyOf(one.question)}</span></li>`)}</ol></div></section>`;
}

/** @param {Draft} now */
function returned(now) {
  if (!now.returned) return nothing;
  return html`<section class="notice notice-warn" data-testid="returned">${icon('back')}<div><h2>${t('referral-returned')}</h2>
    <p><strong>${tValue('return-reason', now.returned.reason)}</strong></p>${now.returned.words ? html`<p class="said">${now.returned.words}</p>` : nothing}
    ${now.returned.questions.length ? html`<ul>${now.returned.questions.map((one) => html`<li><a href="#${anchor(one)}" @click=${(/** @type {Event} */ event) => jump(event, one)}>${nameOf(one)}</a></li>`)}</ul>` : nothing}</div></section>`;
}

/** @param {Draft} now @param {Form} asks */
function questions(now, asks) {
  const answers = save ? save.over(now.answers) : now.answers;
  const shown = new Set(now.asked);
  return asks.sections.map((section) => {
    const rows = asks.questions.filter((one) => one.section === section.id && shown.has(one.id));
    if (rows.length === 0) return nothing;
    return html`<section class="card questions"><h2>${pick(section.label, language())}</h2>${rows.map((one) => questionRow(one, {
      answer: one.id in answers ? answers[one.id] : undefined,
      problem: (checked ? now.problems.find((wrong) => wrong.question === one.id) : now.problems.find((wrong) => wrong.question === one.id && ['old', 'aside', 'contradicts', 'out_of_range', 'in_future'].includes(wrong.code))) ?? null,
      asked: now.returned?.questions.includes(one.id) ?? false,
      aside: now.aside.filter((other) => other.question === one.id),
      put: (answer, soon) => save?.note(one.id, answer, soon),
      settle: (aside, take) => {
        if (take) save?.note(one.id, aside.answer, true);
        save?.settle(aside.id);
      },
    }))}</section>`;
  });
}

/** @param {Draft} now */
function foot(now) {
  const open = now.problems.filter((one) => one.blocks).length;
  const state = save?.state ?? 'saved';
  return html`<div class="referral-foot"><p class="save-state" role="status" data-testid="save-state" data-state=${state}>${icon(state === 'failed' ? 'warning' : state === 'saved' ? 'check' : 'clock')}
      <span>${state === 'failed' ? html`${t('referral-save-failed')} ${tError(save?.problem ?? '')}` : state === 'saved' ? t('referral-saved', { time: hourMinute(now.changed.at_ms, language(), account?.time_zone ?? 'UTC') }) : t('referral-saving')}</span></p>
    <p class="hint" data-testid="open-questions" data-open=${open}>${t('referral-open', { count: open })}</p>
    <button type="button" class="primary" data-testid="submit" ?disabled=${busy} @click=${() => void submit()}>${now.based_on > 0 ? t('referral-submit-again') : t('referral-submit')}</button></div>`;
}

function draw() {
  if (composing) return;
  document.title = t('page-title', { page: t('page-referral') });
  const now = draft;
  render(html`<hj-header .account=${account}></hj-header><div class="page referral" @ask=${(/** @type {CustomEvent} */ event) => void asked(event)}>
    <a class="button quiet back" href=${now && now.case.state !== 'draft' ? `/cases/${encodeURIComponent(id)}` : '/worklist'}>${icon('back')}${t('page-worklist')}</a>
    ${problem ? html`<div class="notice notice-alarm" role="alert" tabindex="-1">${icon('warning')}<p>${tError(problem)}</p></div>` : nothing}
    ${now && form ? html`<div class="page-head"><h1>${t('page-referral')} ${now.case.label}</h1><p class="hint">${t('referral-lead')}</p>
      <label class="field short-field"><span>${t('case-specialty')}</span><select data-testid="specialty" @change=${(/** @type {Event} */ event) => save?.become(/** @type {HTMLSelectElement} */ (event.target).value)}>
        ${forms.map((one) => html`<option value=${one.specialty} ?selected=${one.specialty === now.case.specialty}>${pick(one.label, language())}</option>`)}</select></label></div>
      ${returned(now)}${summary(now)}
      <hj-registration .patient=${now.patient} .problems=${now.problems} .checked=${checked} .asked=${now.returned?.questions ?? []}></hj-registration>
      ${questions(now, form)}<hj-documents .case=${id} .zone=${account?.time_zone ?? 'UTC'}></hj-documents>${foot(now)}` : problem ? nothing : html`<p class="loading" role="status">${t('loading')}</p>`}</div>`, root);
}

root.addEventListener('compositionstart', () => { composing = true; });
root.addEventListener('compositionend', () => {
  composing = false;
  draw();
});
beforeSignOut.add(async () => {
  await registration()?.save();
  await save?.flush();
  left = true;
});
addEventListener('beforeunload', (event) => {
  if (left) return;
  if ((save?.isClean ?? true) && (registration()?.isClean ?? true)) return;
  void save?.flush();
  event.preventDefault();
});
const me = await reader(root);
if (me) {
  account = me.account;
  languageEvents.addEventListener('change', draw);
  draw();
  await open();
}
