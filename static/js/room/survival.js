/**
 * Survival mode, as a page knows it: somebody's line carries a voice and stills, and nothing else. Pure.
 * Which lines these are is media's word, in the snapshot; what a page then sends, and what it shows, follows from it here.
 *
 * @typedef {import('./reducer.js').State} State
 * @typedef {import('../types/wire.js').Participant} Participant
 */

/** @param {Participant} person */
export function survives(person) {
  return person.present && person.line?.mode === 'survival';
}

/**
 * @param {State} state
 * @returns {Participant[]} those whose lines are so thin, oneself first
 */
export function survivors(state) {
  const own = state.snapshot?.you.participant;
  const found = (state.snapshot?.participants ?? []).filter(survives);
  return found.sort((one, other) => Number(other.id === own) - Number(one.id === own));
}

/**
 * What this page is to send sparingly: its voice for anybody's sake, its pictures when the line is its own.
 * @param {State} state
 * @returns {{audio: boolean, camera: boolean}}
 */
export function sparing(state) {
  const found = survivors(state);
  return { audio: found.length > 0, camera: found.some((person) => person.id === state.snapshot?.you.participant) };
}

/**
 * Whether a person's picture comes as stills on this page: their line is thin, or this one.
 * @param {State} state
 * @param {Participant} person
 */
export function isStill(state, person) {
  const own = state.snapshot?.you.participant;
  return person.id !== own && person.camera && survivors(state).some((one) => one.id === person.id || one.id === own);
}
