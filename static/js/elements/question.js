/** One question of a referral form: what it is, why it is asked, its control, and what is wrong with the answer. It only asks. */
import { html, live, nothing } from '/static/vendor/lit.js';
import { language, t } from '../i18n.js';
import { inWords, pick, ticked } from '../referral/texts.js';
import { icon } from './icons.js';

/** @typedef {import('../types/referral.js').Question} Question */
/** @typedef {import('../types/referral.js').Answer} Answer */
/** @typedef {import('../types/referral.js').Problem} Problem */

/** More choices than this are a list to choose from. */
const MOST_BUTTONS = 6;
const MOST_CHARS = 10_000;

/**
 * @typedef {{
 *   answer: Answer | undefined, problem: Problem | null, asked: boolean, aside: import('../types/referral.js').Aside[],
 *   put: (answer: Answer, now: boolean) => void, settle: (aside: import('../types/referral.js').Aside, take: boolean) => void,
 * }} Slot `asked`: a return asks about this one
 */

/** @param {Problem} problem */
export function problemText(problem) {
  const { least = 0, min = 0, max = 0, days = 0 } = problem;
  return t(`referral-problem-${problem.code.replaceAll('_', '-')}`, { least, min, max, days });
}

/** @param {Question} question @param {Slot} slot */
export function questionRow(question, slot) {
  const id = `q-${question.id}`;
  const group = question.kind === 'many' || (question.kind === 'choice' && question.choices.length <= MOST_BUTTONS);
  const about = `${id}-why${slot.problem ? ` ${id}-problem` : ''}`;
  const label = html`${pick(question.label, language())}${question.unit ? html` <span class="hint">(${question.unit})</span>` : nothing}
    ${question.optional ? html` <span class="hint">${t('referral-optional')}</span>` : nothing}`;
  const more = html`<p class="hint question-why" id="${id}-why">${pick(question.why, language())}</p>`;
  const wrong = slot.problem ? html`<p class=${slot.problem.blocks ? 'question-problem' : 'question-mention'} id="${id}-problem" data-testid="question-problem">${icon('warning')}<span>${problemText(slot.problem)}</span></p>` : nothing;
  const inner = group
    ? html`<fieldset aria-describedby=${about}><legend id=${id} tabindex="-1">${label}</legend>${more}${choices(question, slot)}${notKnown(question, slot)}</fieldset>`
    : html`<label for=${id}>${label}</label>${more}${control(question, slot, id, about)}${notKnown(question, slot)}`;
  return html`<div class="question-row" data-testid="question" data-question=${question.id} ?data-wrong=${slot.problem?.blocks} ?data-asked=${slot.asked}>
    ${slot.asked ? html`<p class="chip chip-open">${t('referral-asked-again')}</p>` : nothing}${inner}${wrong}
    ${slot.aside.map((one) => html`<div class="notice notice-warn" data-testid="aside"><div><p>${t('referral-aside', { name: one.by })}</p>
      <p class="said">${inWords(question, one.answer, language()) ?? t('referral-not-known')}</p>
      <div class="row"><button type="button" class="secondary" data-testid="aside-take" @click=${() => slot.settle(one, true)}>${t('referral-aside-take')}</button>
        <button type="button" class="quiet" data-testid="aside-leave" @click=${() => slot.settle(one, false)}>${t('referral-aside-leave')}</button></div></div></div>`)}
  </div>`;
}

/** @param {Question} question @param {Slot} slot @param {string} id @param {string} about */
function control(question, slot, id, about) {
  const value = typeof slot.answer === 'string' ? slot.answer : '';
  const off = slot.answer === null;
  const wrong = slot.problem?.blocks ? 'true' : 'false';
  const typed = (/** @type {Event} */ event) => slot.put(/** @type {HTMLInputElement} */ (event.target).value, false);
  const chosen = (/** @type {Event} */ event) => slot.put(/** @type {HTMLInputElement} */ (event.target).value, true);
  switch (question.kind) {
    case 'long_text':
      return html`<textarea id=${id} rows="4" maxlength=${MOST_CHARS} aria-describedby=${about} aria-invalid=${wrong} ?disabled=${off} .value=${live(value)} @input=${typed}></textarea>`;
    case 'choice':
      return html`<select id=${id} aria-describedby=${about} aria-invalid=${wrong} ?disabled=${off} @change=${chosen}><option value="" ?selected=${value === ''}>${t('referral-choose')}</option>
        ${question.choices.map((one) => html`<option value=${one.id} ?selected=${one.id === value}>${pick(one.label, language())}</option>`)}</select>`;
    case 'date':
      return html`<input id=${id} type="date" class="short" aria-describedby=${about} aria-invalid=${wrong} ?disabled=${off} .value=${live(value)} @change=${chosen} />`;
    case 'number':
      return html`<input id=${id} type="text" class="short" inputmode="decimal" autocomplete="off" maxlength="20" aria-describedby=${about} aria-invalid=${wrong} ?disabled=${off} .value=${live(value)} @input=${typed} />`;
    default:
      return html`<input id=${id} type="text" autocomplete="off" maxlength=${MOST_CHARS} aria-describedby=${about} aria-invalid=${wrong} ?disabled=${off} .value=${live(value)} @input=${typed} />`;
  }
}

/** @param {Question} question @param {Slot} slot */
function choices(question, slot) {
  const many = question.kind === 'many';
  const chosen = Array.isArray(slot.answer) ? slot.answer : slot.answer ? [slot.answer] : [];
  const put = (/** @type {string} */ id, /** @type {Event} */ event) => {
    const on = /** @type {HTMLInputElement} */ (event.target).checked;
    slot.put(many ? ticked(question, chosen, id, on) : id, true);
  };
  return html`<div class="choices">${question.choices.map((one) => html`<label class="tick"><input type=${many ? 'checkbox' : 'radio'} name=${question.id} value=${one.id}
    .checked=${live(chosen.includes(one.id))} ?disabled=${slot.answer === null} @change=${(/** @type {Event} */ event) => put(one.id, event)} /><span>${pick(one.label, language())}</span></label>`)}</div>`;
}

/** @param {Question} question @param {Slot} slot */
function notKnown(question, slot) {
  if (!question.not_known) return nothing;
  return html`<label class="tick not-known"><input type="checkbox" data-testid="not-known" .checked=${live(slot.answer === null)}
    @change=${(/** @type {Event} */ event) => slot.put(/** @type {HTMLInputElement} */ (event.target).checked ? null : '', true)} /><span>${t('referral-not-known')}</span></label>`;
}
