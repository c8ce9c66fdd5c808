/** A new referral: which specialty, and whether the patient is registered here already. Then the form. It only wires. */
import { html, live, nothing, render } from '/static/vendor/lit.js';
import { codeOf, get, post, problemOf } from '../api.js';
import { language, languageEvents, t, tError, tValue } from '../i18n.js';
import { reader } from '../reader.js';
import { pick } from '../referral/texts.js';
import { icon } from '../elements/icons.js';
import '../elements/chrome.js';

/** @typedef {import('../types/referral.js').Alike} Known */

const root = /** @type {HTMLElement} */ (document.querySelector('main'));
/** @type {import('../types/wire.js').Account | null} */
let account = null;
/** @type {{specialty: string, label: Record<string, string>}[] | null} */
let forms = null;
/** @type {Known[] | null} null: nobody was looked for */
let found = null;
/** @type {string | null} a patient registered before */
let patient = null;
let specialty = '';
let wanted = '';
let busy = false;
/** @type {string | null} */
let problem = null;

/** @param {SubmitEvent} event */
async function search(event) {
  event.preventDefault();
  try {
    ({ patients: found } = await post('/api/patients/search', { name: wanted, birth_date: '' }));
    patient = null;
    problem = null;
    draw();
  } catch (error) {
    [found, patient] = [null, null]; // what was found before is no answer to this
    tell(error);
  }
}

/** On a telephone the button is far below. @param {unknown} error */
function tell(error) {
  problem = codeOf(error);
  draw();
  /** @type {HTMLElement | null} */ (root.querySelector('[role=alert]'))?.focus();
}

/** @param {SubmitEvent} event */
async function begin(event) {
  event.preventDefault();
  if (busy || !specialty) return;
  busy = true;
  draw();
  try {
    const { id } = await post('/api/cases', { specialty, ...(patient ? { patient } : {}) });
    location.assign(`/cases/${encodeURIComponent(id)}/referral`);
  } catch (error) {
    busy = false;
    tell(error);
  }
}

function draw() {
  document.title = t('page-title', { page: t('page-new-referral') });
  render(html`<hj-header .account=${account}></hj-header><div class="page referral">
    <a class="button quiet back" href="/worklist">${icon('back')}${t('page-worklist')}</a>
    <div class="page-head"><h1>${t('page-new-referral')}</h1><p class="hint">${t('new-referral-lead')}</p></div>
    ${problem ? html`<div class="notice notice-alarm" role="alert" tabindex="-1">${icon('warning')}<p>${tError(problem)}</p></div>` : nothing}
    ${forms ? html`<section class="card"><h2>${t('new-referral-known')}</h2><form class="row" @submit=${(/** @type {SubmitEvent} */ event) => void search(event)}>
        <label class="field grow"><span>${t('new-referral-name')}</span><input type="text" autocomplete="off" maxlength="80" data-testid="patient-search" .value=${live(wanted)}
          @input=${(/** @type {Event} */ event) => { wanted = /** @type {HTMLInputElement} */ (event.target).value; }} /></label>
        <button class="secondary" data-testid="patient-search-go">${t('new-referral-search')}</button></form>
      ${found ? people(found) : nothing}</section>
    <form class="card" @submit=${(/** @type {SubmitEvent} */ event) => void begin(event)}><fieldset><legend><h2>${t('case-specialty')}</h2></legend><p class="hint">${t('new-referral-specialty')}</p>
      <div class="choices">${forms.map((one) => html`<label class="tick"><input type="radio" name="specialty" value=${one.specialty} .checked=${live(one.specialty === specialty)}
        @change=${() => { specialty = one.specialty; draw(); }} /><span>${pick(one.label, language())}</span></label>`)}</div></fieldset>
      <button class="primary" data-testid="begin-referral" ?disabled=${busy || !specialty}>${t('new-referral-begin')}</button></form>`
      : problem ? nothing : html`<p class="loading" role="status">${t('loading')}</p>`}</div>`, root);
}

/** @param {Known[]} known */
function people(known) {
  if (known.length === 0) return html`<p class="hint" role="status">${t('new-referral-nobody')}</p>`;
  const choose = (/** @type {string | null} */ id) => {
    patient = id;
    draw();
  };
  return html`<fieldset class="choices"><legend class="visually-hidden">${t('case-patient')}</legend>
    <label class="tick"><input type="radio" name="patient" .checked=${live(patient === null)} @change=${() => choose(null)} /><span>${t('new-referral-new')}</span></label>
    ${known.map((one) => html`<label class="tick" data-testid="patient-found"><input type="radio" name="patient" .checked=${live(one.id === patient)} @change=${() => choose(one.id)} />
      <span><strong>${Object.values(one.names).join(' · ')}</strong> <span class="figures">${one.birth_date}</span>${one.sex ? html` · ${tValue('sex', one.sex)}` : nothing}</span></label>`)}</fieldset>`;
}

const me = await reader(root);
if (me) {
  account = me.account;
  languageEvents.addEventListener('change', draw);
  draw();
  try {
    ({ forms } = await get('/api/referral-forms'));
  } catch (error) {
    problem = problemOf(error);
  }
  draw();
}
