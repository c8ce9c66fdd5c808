/** What two people changed of the same thing at once, put together. No DOM. */

const same = (/** @type {unknown} */ a, /** @type {unknown} */ b) => JSON.stringify(a) === JSON.stringify(b);
const isRecord = (/** @type {unknown} */ one) => typeof one === 'object' && one !== null && !Array.isArray(one);

/**
 * Theirs, with what only I changed. Where both changed the same value theirs is taken: nobody writes over what they have not seen.
 * @param {any} before what both began with
 * @param {any} mine
 * @param {any} theirs
 * @returns {any}
 */
export function merged(before, mine, theirs) {
  if (![before, mine, theirs].every(isRecord)) return same(before, theirs) ? mine : theirs;
  return Object.fromEntries(Object.keys({ ...theirs, ...mine }).map((key) => [key, merged(before[key], mine[key], theirs[key])]));
}
