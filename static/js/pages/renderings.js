/** Flags on an interpreter's own renderings: read, listened to, answered. It only wires. */
import { html, nothing, render } from '/static/vendor/lit.js';
import { codeOf, get, post, problemOf } from '../api.js';
import { language, languageEvents, t, tError } from '../i18n.js';
import { reader } from '../reader.js';
import { fullDate, hourMinute, span } from '../time.js';
import { ownName } from '../cldr.js';
import { icon } from '../elements/icons.js';
import '../elements/chrome.js';
import '../elements/clip.js';

/** @typedef {import('../types/interpretation.js').OwnFlag} OwnFlag */

const MOST_CHARS = 500;
const root = /** @type {HTMLElement} */ (document.querySelector('main'));
/** @type {import('../types/wire.js').Account | null} */
let account = null;
/** @type {OwnFlag[] | null} */
let flags = null;
/** @type {string | null} */
let problem = null;
/** @type {Map<string, string>} flag → what became of its answer: a code, or '' when it was taken */
const answered = new Map();

function draw() {
  document.title = t('page-title', { page: t('page-renderings') });
  render(html`<hj-header .account=${account}></hj-header><div class="page">
    <div class="page-head own-flags-head"><a class="button quiet" href="/worklist">${icon('back')}${t('page-worklist')}</a><h1>${t('page-renderings')}</h1><p class="lead">${t('flags-lead')}</p></div>
    ${problem ? html`<div class="notice notice-alarm" role="alert">${icon('warning')}<p>${tError(problem)}</p></div>` : nothing}
    ${!flags ? (problem ? nothing : html`<p class="loading" role="status">${t('loading')}</p>`)
      : flags.length === 0 ? html`<section class="card narrow empty" data-testid="flags-empty">${icon('check')}<p>${t('flags-none')}</p></section>`
      : html`<ol class="own-flags">${flags.map(row)}</ol>`}</div>`, root);
}

/** @param {OwnFlag} flag */
function row(flag) {
  const said = flag.started_at_ms + flag.from;
  const when = `${fullDate(said, language(), account?.time_zone)}, ${hourMinute(said, language(), account?.time_zone)}`;
  const code = answered.get(flag.id);
  return html`<li class="card own-flag" data-testid="own-flag" data-flag=${flag.id} data-answered=${flag.answer !== null}>
    <h2>${ownName(flag.source)} → ${ownName(flag.target)}</h2>
    <p class="hint figures">${t('flags-at', { date: when, from: span(flag.from), to: span(flag.to) })}</p>
    <p><strong>${t('flags-asks', { name: flag.made_by })}</strong></p><blockquote dir="auto">${flag.comment}</blockquote>
    <hj-clip .flag=${flag}></hj-clip>
    <form @submit=${(/** @type {SubmitEvent} */ event) => void send(event, flag)}>
      <label class="field"><span>${t('flags-answer')}</span><textarea name="text" rows="2" maxlength=${MOST_CHARS} required data-testid="flag-answer-text">${flag.answer?.text ?? ''}</textarea></label>
      ${code ? html`<p class="notice notice-warn" role="alert">${tError(code)}</p>` : code === '' ? html`<p class="hint" role="status">${t('flags-answered')}</p>` : nothing}
      <button class="primary" data-testid="flag-answer-send">${t(flag.answer ? 'flags-answer-change' : 'flags-answer-send')}</button>
    </form></li>`;
}

/** @param {SubmitEvent} event @param {OwnFlag} flag */
async function send(event, flag) {
  event.preventDefault();
  const text = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('text') ?? '');
  try {
    const told = await post(`/api/flags/${encodeURIComponent(flag.id)}/answer`, { text });
    flags = (flags ?? []).map((one) => (one.id === flag.id ? { ...one, ...told } : one));
    answered.set(flag.id, '');
  } catch (error) {
    answered.set(flag.id, codeOf(error));
  }
  draw();
}

const me = await reader(root);
if (me) {
  account = me.account;
  languageEvents.addEventListener('change', draw);
  draw();
  try {
    ({ flags } = await get('/api/flags'));
  } catch (error) {
    problem = problemOf(error);
  }
  draw();
}
