/** Texts of a referral form in the reader's language, and answers as words. No DOM. */
import { fallbacks } from '../languages.js';

/** @typedef {import('../types/referral.js').Texts} Texts */
/** @typedef {import('../types/referral.js').Question} Question */

/** @param {Texts} texts @param {string} language */
export function pick(texts, language) {
  for (const code of fallbacks(language)) if (texts[code]) return texts[code];
  return '';
}

/**
 * An answer in words; null is "not known", for the caller to say.
 * @param {Question} question
 * @param {import('../types/referral.js').Answer | undefined} answer
 * @param {string} language
 * @returns {string | null}
 */
export function inWords(question, answer, language) {
  if (answer === null) return null;
  if (answer === undefined || answer.length === 0) return '';
  const named = (/** @type {string} */ id) => pick(question.choices.find((choice) => choice.id === id)?.label ?? { en: id }, language);
  if (Array.isArray(answer)) return answer.map(named).join(', ');
  if (question.kind === 'choice') return named(answer);
  return question.unit ? `${answer} ${question.unit}` : answer;
}

/**
 * Choices after one was ticked or not: what stands alone ("none") and the others exclude each other.
 * @param {Question} question
 * @param {string[]} chosen
 * @param {string} id
 * @param {boolean} on
 */
export function ticked(question, chosen, id, on) {
  if (!on) return chosen.filter((one) => one !== id);
  if (question.exclusive.includes(id)) return [id];
  return [...chosen.filter((one) => !question.exclusive.includes(one) && one !== id), id];
}

/**
 * Whole years at a day; null while it is no date.
 * @param {string} born YYYY-MM-DD
 * @param {Date} today
 */
export function ageAt(born, today) {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(born);
  if (!match) return null;
  const [year, month, day] = match.slice(1).map(Number);
  const before = today.getMonth() + 1 < month || (today.getMonth() + 1 === month && today.getDate() < day);
  const age = today.getFullYear() - year - (before ? 1 : 0);
  return age < 0 ? null : age;
}
