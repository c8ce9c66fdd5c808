/** What holds between two sites: the seat rule and the legal basis, changed without a word of code. It only wires. */
import { html, nothing, render } from '/static/vendor/lit.js';
import { codeOf, get, post, problemOf } from '../api.js';
import { language, languageEvents, t, tError, tValue } from '../i18n.js';
import { reader } from '../reader.js';
import { fullDate, hourMinute } from '../time.js';
import { icon } from '../elements/icons.js';
import '../elements/chrome.js';

/** @typedef {import('../types/consents.js').PoliciesAnswer} PoliciesAnswer */

const RULES = Object.freeze(['required', 'not_required']);
const BASES = Object.freeze(['medical_personnel', 'direct_care', 'demonstration']);
const root = /** @type {HTMLElement} */ (document.querySelector('main'));
/** @type {import('../types/wire.js').Account | null} */
let account = null;
/** @type {PoliciesAnswer | null} */
let shown = null;
/** @type {string | null} */
let problem = null;
let mayWrite = false;
let busy = false;
/** The pair that was kept last. */
let kept = '';

async function load() {
  try {
    shown = await get('/api/policies');
    problem = null;
  } catch (error) {
    problem = problemOf(error);
    if (problem === null) return;
  }
  draw();
}

/** @param {SubmitEvent} event @param {string} referring @param {string} consulting @param {number} version */
async function decide(event, referring, consulting, version) {
  event.preventDefault();
  const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
  busy = true;
  kept = '';
  draw();
  try {
    await post('/api/policies', {
      referring: String(form.get('referring') ?? referring), consulting: String(form.get('consulting') ?? consulting), version,
      seat_rule: String(form.get('seat_rule')), legal_basis: String(form.get('legal_basis')),
    });
    kept = `${referring}/${consulting}`;
    await load();
  } catch (error) {
    problem = codeOf(error);
  }
  busy = false;
  draw();
}

function draw() {
  document.title = t('page-title', { page: t('page-policies') });
  render(html`<hj-header .account=${account}></hj-header><div class="page policies">
    <a class="button quiet back" href="/worklist">${icon('back')}${t('case-back')}</a>
    <div class="page-head"><h1>${t('page-policies')}</h1><p class="lead">${t('policies-lead')}</p></div>
    ${problem ? html`<div class="notice notice-alarm" role="alert">${icon('warning')}<p>${tError(problem)}</p></div>` : nothing}
    ${shown ? body(shown) : problem ? nothing : html`<p class="loading" role="status">${t('loading')}</p>`}</div>`, root);
}

/** @param {PoliciesAnswer} answer */
function body(answer) {
  const names = new Map(answer.sites.map((site) => [site.id, `${site.name} (${site.country})`]));
  return html`${answer.pairs.length === 0 ? html`<p class="hint">${t('policies-none')}</p>` : answer.pairs.map((pair) => {
    const [held] = pair.decisions;
    return held ? html`<section class="card policy" data-testid="policy" data-referring=${pair.referring} data-consulting=${pair.consulting} data-rule=${held.seat_rule}>
      <h2>${names.get(pair.referring)} → ${names.get(pair.consulting)}</h2>
      ${form(pair.referring, pair.consulting, held, pair.may_change)}
      ${pair.running > 0 ? html`<p class="notice notice-plain" data-testid="policy-running">${icon('clock')} ${t('policies-running', { count: pair.running })}</p>` : nothing}
      ${kept === `${pair.referring}/${pair.consulting}` ? html`<p role="status">${icon('check')} ${t('policies-kept')}</p>` : nothing}
      <details><summary>${t('policies-history')}</summary><ul>${pair.decisions.map((one) => html`<li>${tValue('seat-rule', one.seat_rule)} · ${tValue('legal-basis', one.legal_basis)}
        <span class="hint figures">${one.changed_ms === null ? t('policies-default') : html`${fullDate(one.changed_ms, language(), account?.time_zone ?? 'UTC')} ${hourMinute(one.changed_ms, language(), account?.time_zone ?? 'UTC')} ${one.changed_by}`}</span></li>`)}</ul></details></section>` : nothing;
  })}${mayWrite ? another(answer) : nothing}`;
}

/** @param {string} referring @param {string} consulting @param {import('../types/consents.js').PolicyDecision} held @param {boolean} may */
function form(referring, consulting, held, may) {
  const open = may && mayWrite;
  return html`<form class="fields" @submit=${(/** @type {SubmitEvent} */ event) => void decide(event, referring, consulting, held.version)}>
    ${choices('seat-rule', 'seat_rule', t('policies-rule'), RULES, held.seat_rule, open)}
    ${choices('legal-basis', 'legal_basis', t('policies-basis'), BASES, held.legal_basis, open)}
    ${open ? html`<button class="primary" data-testid="policy-keep" ?disabled=${busy}>${t('policies-keep')}</button>` : nothing}</form>`;
}

/**
 * Long rules in words of six languages: a closed list would cut them off on a phone.
 * @param {'seat-rule' | 'legal-basis'} kind
 * @param {string} name
 * @param {string} words
 * @param {readonly string[]} all
 * @param {string} held
 * @param {boolean} open
 */
function choices(kind, name, words, all, held, open) {
  return html`<fieldset class="field choices" data-testid=${kind} ?disabled=${!open}><legend>${words}</legend>
    ${all.map((one) => html`<label class="tick"><input type="radio" name=${name} value=${one} .checked=${one === held}><span>${tValue(kind, one)}</span></label>`)}</fieldset>`;
}

/** A pair that no case has joined yet. @param {PoliciesAnswer} answer */
function another(answer) {
  const site = (/** @type {string} */ name) => html`<label class="field"><span>${t(`policies-${name}`)}</span><select name=${name}>${answer.sites.map((one) => html`<option value=${one.id}>${one.name} (${one.country})</option>`)}</select></label>`;
  return html`<details class="card"><summary>${t('policies-another')}</summary><form class="fields" @submit=${(/** @type {SubmitEvent} */ event) => void decide(event, '', '', 0)}>
    ${site('referring')}${site('consulting')}
    ${choices('seat-rule', 'seat_rule', t('policies-rule'), RULES, RULES[0], true)}
    ${choices('legal-basis', 'legal_basis', t('policies-basis'), BASES, BASES[0], true)}
    <button class="secondary" ?disabled=${busy}>${t('policies-keep')}</button></form></details>`;
}

const me = await reader(root);
if (me) {
  account = me.account;
  languageEvents.addEventListener('change', draw);
  mayWrite = me.abilities.includes('policy.write');
  draw();
  await load();
}
