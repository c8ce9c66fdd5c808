/**
 * The interpreter's opening of a session, as a page knows it. Pure: no DOM, no clock; it blocks nothing.
 *
 * @typedef {import('../types/asides.js').ConductStep} ConductStep
 * @typedef {import('./reducer.js').State} State
 */

/** In the order in which they are done. */
export const STEPS = Object.freeze(['introduction', 'hearing', 'identity', 'languages', 'confidentiality']);
/** What is read out, line by line: i18n/opening/ has a file for each of these languages. */
export const LINES = Object.freeze(['greeting', 'everything', 'confidential', 'each-other', 'asks', 'hearing']);
export const READ_IN = Object.freeze(['ko', 'ru', 'kk', 'uz', 'mn', 'en']);
export const SKIP_REASONS = Object.freeze(['emergency', 'done_before', 'no_time', 'other']);
/** So long the others see that the opening is complete. */
export const SHOWN_MS = 15_000;

/**
 * @param {ConductStep[]} steps
 * @param {string | null} session what was confirmed in another session counts no more
 * @param {string | null} seat
 * @returns {string[]} steps that this interpreter has neither done nor left out
 */
export function open(steps, session, seat) {
  const settled = new Set(steps.filter((one) => one.session === session && one.participant === seat).map((one) => one.step));
  return STEPS.filter((step) => !settled.has(step));
}

/**
 * @param {ConductStep[]} steps
 * @param {State} state
 * @param {number} now
 * @returns {{name: string, at_ms: number, skipped: boolean} | null} an opening that somebody else has just completed
 */
export function justOpened(steps, state, now) {
  const snapshot = state.snapshot;
  for (const person of snapshot?.participants ?? []) {
    if (person.id === snapshot?.you.participant) continue;
    const own = steps.filter((one) => one.participant === person.id && one.session === snapshot?.session);
    const last = Math.max(0, ...own.map((one) => one.at_ms));
    if (own.length < STEPS.length || now - last > SHOWN_MS) continue;
    return { name: person.name, at_ms: last, skipped: own.some((one) => one.outcome === 'skipped') };
  }
  return null;
}
