/** The words around a consent's text, in the text's language, whatever the page's is. */
import { readOut } from '../i18n.js';

const AROUND = Object.freeze(['recipient', 'country', 'items', 'purpose', 'method', 'period', 'refuse'].map((item) => `consent-item-${item}`)
  .concat(['consent-important', 'consent-more', 'consent-say-yes', 'consent-say-no']));

/** What stands around a text, in the text's language: by message id. @param {string} language @returns {Promise<Record<string, string>>} */
export async function wordsAround(language) {
  const found = await readOut(language, language, AROUND);
  return Object.fromEntries(AROUND.map((id, at) => [id, found[at] ?? '']));
}
