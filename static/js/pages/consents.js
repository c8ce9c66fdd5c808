/** A case's consents: how they stand, asking for them on a phone beside the patient, and the patient's own code. It only wires. */
import { html, nothing, render } from '/static/vendor/lit.js';
import { codeOf, get, post, problemOf } from '../api.js';
import { language, languageEvents, t, tError } from '../i18n.js';
import { reader } from '../reader.js';
import { fullDate, hourMinute } from '../time.js';
import { icon } from '../elements/icons.js';
import '../elements/chrome.js';
import '../elements/consents.js';
import '../elements/consent-form.js';

const id = decodeURIComponent(location.pathname.split('/').filter(Boolean).at(-2) ?? '');
const root = /** @type {HTMLElement} */ (document.querySelector('main'));
/** @type {import('../types/wire.js').Account | null} */
let account = null;
/** @type {import('../types/consents.js').ConsentsAnswer | null} */
let answer = null;
/** @type {string | null} */
let problem = null;
/** @type {{code: string, url: string, expires_ms: number} | null} */
let code = null;
let mayGive = false;
let mayOpen = false;

async function load() {
  try {
    answer = await get(`/api/cases/${encodeURIComponent(id)}/consents`);
    problem = null;
  } catch (error) {
    problem = problemOf(error);
    if (problem === null) return;
  }
  draw();
}

async function giveCode() {
  try {
    code = await post(`/api/cases/${encodeURIComponent(id)}/consents/code`);
    problem = null;
  } catch (error) {
    problem = codeOf(error);
  }
  draw();
  /** @type {HTMLElement | null} */ (root.querySelector('[data-testid="patients-code"]'))?.focus();
}

function draw() {
  document.title = t('page-title', { page: t('page-consents') }); // never a name: titles end up in histories
  render(html`<hj-header .account=${account}></hj-header><div class="page consents-page">
    <a class="button quiet back" href=${mayOpen ? `/cases/${encodeURIComponent(id)}` : '/worklist'}>${icon('back')}${mayOpen ? t('page-case') : t('case-back')}</a>
    <div class="page-head"><h1>${t('consents-title')}</h1><p class="lead">${answer?.case.label ?? ''}${answer?.patient ? html` · ${Object.values(answer.patient.names)[0] ?? ''}` : nothing}</p></div>
    ${problem ? html`<div class="notice notice-alarm" role="alert">${icon('warning')}<p>${tError(problem)}</p></div>` : nothing}
    ${answer ? html`<hj-consents case=${id} .answer=${answer} .may=${mayGive}></hj-consents>
      ${mayGive ? html`<hj-consent-form case=${id} .answer=${answer}></hj-consent-form>${own()}` : nothing}` : problem ? nothing : html`<p class="loading" role="status">${t('loading')}</p>`}</div>`, root);
}

function own() {
  const zone = account?.time_zone ?? 'UTC';
  return html`<section class="card" aria-labelledby="own-head"><h2 id="own-head">${t('patients-code-title')}</h2><p>${t('patients-code-hint')}</p>
    ${code ? html`<div class="notice notice-good" role="status">${icon('check')}<div><p class="patients-code figures" tabindex="-1" data-testid="patients-code">${code.code}</p>
      <p><a href=${code.url}>${code.url.split('#')[0]}</a></p><p class="hint">${t('patients-code-until', { date: fullDate(code.expires_ms, language(), zone), time: hourMinute(code.expires_ms, language(), zone) })}</p></div></div>` : nothing}
    <button type="button" class="secondary" data-testid="give-code" @click=${() => void giveCode()}>${icon('person')}${t(code ? 'patients-code-again' : 'patients-code-give')}</button></section>`;
}

root.addEventListener('ask', (event) => {
  const detail = /** @type {CustomEvent} */ (event).detail;
  if (detail.type !== 'consents') return;
  answer = detail.answer;
  draw();
});
const me = await reader(root);
if (me) {
  account = me.account;
  languageEvents.addEventListener('change', draw);
  mayGive = me.abilities.includes('consent.give');
  mayOpen = me.abilities.includes('case.read');
  draw();
  await load();
}
