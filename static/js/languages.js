/** The languages of the pages, and what is read where one has no text. No DOM; server/i18n.py says the same. */

export const LANGUAGES = Object.freeze(['ko', 'ru', 'kk', 'uz', 'mn', 'en']);
/** Languages whose texts no native medical reviewer has read yet; docs/languages.md says how one leaves. */
export const UNREVIEWED = Object.freeze(['kk', 'uz', 'mn']);
export const FALLBACK = 'en';
/** Who reads the language reads these too. */
const NEAREST = /** @type {Record<string, string[]>} */ ({ kk: ['ru'], uz: ['ru'], mn: ['ru'] });

/** @param {string} code @returns {string[]} the language itself, then those to fall back on */
export function fallbacks(code) {
  return [...new Set([code, ...(NEAREST[code] ?? []), FALLBACK])];
}
