/** The patient's own page: by a code and without an account, their hour, what they agreed to, who has looked, and taking it back. It only wires. */
import { html, nothing, render } from '/static/vendor/lit.js';
import { codeOf, post } from '../api.js';
import { wordsAround } from '../consents/words.js';
import { language, languageEvents, startLanguage, t, tError, tValue } from '../i18n.js';
import { fullDate, hourMinute, weekdayDate, zoneName } from '../time.js';
import { consentText } from '../elements/consent-text.js';
import { icon } from '../elements/icons.js';
import { keepPlace } from '../focus.js';
import '../elements/chrome.js';

/** @typedef {import('../types/consents.js').OwnAnswer} OwnAnswer */

const root = /** @type {HTMLElement} */ (document.querySelector('main'));
let code = location.hash.slice(1);
/** @type {OwnAnswer | null} */
let shown = null;
/** @type {string | null} */
let problem = null;
let busy = false;
/** Which purpose is being withdrawn, which was. @type {string | null} */
let asking = null;
/** @type {string | null} */
let gone = null;
/** @type {Map<string, {told: import('../types/consents.js').TextAnswer, words: Record<string, string>}>} */
const texts = new Map();

/** @param {() => Promise<void>} work */
async function tried(work) {
  busy = true;
  draw();
  try {
    await work();
    problem = null;
  } catch (error) {
    problem = codeOf(error);
    if (problem === 'code_unknown') shown = null;
  }
  busy = false;
  draw();
}

/** The address loses the code at once, so that nobody finds it there. */
function look() {
  history.replaceState(null, '', location.pathname);
  return tried(async () => {
    const first = shown === null;
    shown = /** @type {OwnAnswer} */ (await post('/api/my/consents', { code }));
    if (first) await startLanguage('my', shown.languages.join('/'));
  }).then(() => put(problem ? '[role=alert]' : 'h1'));
}

/** @param {string} purpose */
function withdraw(purpose) {
  return tried(async () => {
    await post('/api/my/consents/withdraw', { code, purpose });
    [asking, gone] = [null, purpose];
    shown = await post('/api/my/consents', { code });
  }).then(() => put(problem ? '[role=alert]' : '[data-testid=my-withdrawn]'));
}

/** @param {string} selector */
function put(selector) {
  /** @type {HTMLElement | null} */ (root.querySelector(selector))?.focus();
}

/** @param {string | null} purpose @param {string} [before] */
function ask(purpose, before) {
  [asking, gone] = [purpose, null];
  draw();
  put(purpose ? '[data-testid=my-withdraw-not]' : `[data-purpose="${before}"] [data-testid=my-withdraw]`);
}

/** @param {string} consent */
function read(consent) {
  if (texts.has(consent)) return;
  void tried(async () => {
    const told = await post('/api/my/consents/text', { code, consent });
    texts.set(consent, { told, words: await wordsAround(told.text.language) });
  });
}

/** @param {number} at */
function when(at) {
  const zone = shown?.time_zone ?? 'UTC';
  return html`<span class="figures">${fullDate(at, language(), zone)} ${hourMinute(at, language(), zone)} ${zoneName(at, language(), zone)}</span>`;
}

function draw() {
  document.title = t('page-title', { page: t('page-my') });
  render(html`<hj-header></hj-header><div class="page my">
    <div class="page-head"><h1 tabindex="-1">${t('my-title')}</h1><p class="lead">${shown ? shown.clinic : t('my-lead')}</p></div>
    ${problem ? html`<div class="notice notice-alarm" role="alert" tabindex="-1">${icon('warning')}<p>${tError(problem)}</p></div>` : nothing}
    ${shown ? body(shown) : door()}</div>`, root);
}

function door() {
  return html`<form class="card" @submit=${(/** @type {Event} */ event) => { event.preventDefault(); void look(); }}>
    <label class="field"><span>${t('my-code')}</span><input type="text" class="figures" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="20" data-testid="my-code" .value=${code}
      @input=${(/** @type {Event} */ event) => { code = /** @type {HTMLInputElement} */ (event.target).value; draw(); }} /></label>
    <button class="primary big" data-testid="my-open" ?disabled=${busy || code.trim() === ''}>${t('my-open')}</button></form>`;
}

/** @param {OwnAnswer} answer */
function body(answer) {
  return html`${gone ? html`<div class="notice notice-good" role="status" tabindex="-1" data-testid="my-withdrawn">${icon('check')}<p>${t(gone === 'recording' ? 'my-gone-recording' : 'my-gone')}</p></div>` : nothing}
    ${hours(answer)}
    <section class="card" aria-labelledby="my-consents"><h2 id="my-consents">${t('my-consents')}</h2><ul class="consent-states">${answer.purposes.map(purpose)}</ul></section>
    <section class="card" aria-labelledby="my-seen"><h2 id="my-seen">${t('my-seen')}</h2><p class="hint">${t('my-seen-hint')}</p>
      ${answer.seen.length === 0 ? html`<p>${t('my-seen-nobody')}</p>` : html`<ul class="looks">${answer.seen.map((one) => html`<li data-testid="my-look" data-action=${one.action}>
        <strong>${tValue('act', one.action)}</strong><span>${[one.name, one.roles.map((role) => tValue('role', role)).join(', '), one.site].filter(Boolean).join(' · ')}</span>
        <span>${when(one.last_ms)}${one.count > 1 ? html` · ${t('my-seen-times', { count: one.count })}` : nothing}</span></li>`)}</ul>`}</section>`;
}

/** When they are expected, and what they will still be asked about. @param {OwnAnswer} answer */
function hours(answer) {
  const open = answer.purposes.filter((one) => ['undecided', 'outdated', 'unwitnessed'].includes(one.state));
  return html`<section class="card" aria-labelledby="my-hours"><h2 id="my-hours">${t('my-hours')}</h2>
    ${answer.hours.length === 0 ? html`<p>${t('my-hours-none')}</p>` : html`<ul class="looks">${answer.hours.map((places) => html`<li data-testid="my-hour">${places.map(({ site, local, time_zone: zone }) => {
      const at = Date.parse(local);
      return html`<span class="figures"><strong>${weekdayDate(at, language(), zone)}, ${hourMinute(at, language(), zone)}</strong> ${site} <span class="hint">${zone}, ${zoneName(at, language(), zone)}</span></span>`;
    })}</li>`)}</ul>`}
    ${open.length === 0 ? nothing : html`<p class="hint" data-testid="my-open-questions">${t('my-asked-yet', { what: open.map((one) => tValue('consent-purpose', one.purpose)).join(', ') })}</p>`}</section>`;
}

/** @param {import('../types/consents.js').Purpose} one */
function purpose(one) {
  const [newest] = one.decisions;
  const found = newest && texts.get(newest.id);
  return html`<li data-testid="consent-state" data-purpose=${one.purpose} data-state=${one.state}>
    <div class="row"><strong>${tValue('consent-purpose', one.purpose)}</strong><span class="chip ${one.state === 'granted' ? 'chip-open' : ''}">${tValue('consent-state', one.state)}</span></div>
    ${newest ? html`<details @toggle=${() => read(newest.id)}><summary><span>${tValue('consent-decision', newest.decision)} · ${when(newest.at_ms)}</span></summary>${found ? consentText(found.told.text, found.told.places, found.words) : nothing}</details>` : nothing}
    ${newest?.decision !== 'granted' ? nothing : asking !== one.purpose
      ? html`<button type="button" class="secondary" data-testid="my-withdraw" @click=${() => ask(one.purpose)}>${t('my-withdraw')}</button>`
      : html`<div class="notice notice-alarm" role="alert">${icon('warning')}<div><p>${t(one.purpose === 'recording' ? 'consent-withdraw-recording' : 'consent-withdraw-other')}</p>
        <div class="row"><button type="button" class="secondary" data-testid="my-withdraw-not" @click=${() => ask(null, one.purpose)}>${t('withdraw-cancel')}</button>
          <button type="button" class="primary danger" data-testid="my-withdraw-sure" ?disabled=${busy} @click=${() => void withdraw(one.purpose)}>${t('consent-withdraw-now')}</button></div></div></div>`}</li>`;
}

languageEvents.addEventListener('change', draw);
keepPlace();
await startLanguage('my');
draw();
if (code) await look();
