/**
 * Professionals first: whether this seat waits outside, who else does, and what somebody who waits may look at. Pure.
 *
 * @typedef {import('./reducer.js').State} State
 * @typedef {import('../types/wire.js').Participant} Participant
 */
import { awaited, may, me, present } from './reducer.js';

/**
 * @param {State} state
 * @returns {boolean} whether the page is the waiting page. A patient's is, until the server says that they are in: nothing of the
 *   room is shown and taken away again
 */
export function waits(state) {
  if (state.phase !== 'room' || state.full !== null) return false;
  const own = me(state);
  return own ? own.waits === true : state.seat?.seat.role === 'patient';
}

/** @param {State} state @returns {Participant[]} everybody else who is out, whoever sits there already first: shown to those who may let them in */
export function held(state) {
  const own = state.snapshot?.you.participant;
  const out = [...present(state), ...awaited(state)].filter((person) => person.out && person.id !== own);
  if (may(state, 'step_out')) return out;
  return may(state, 'interpret') ? out.filter((person) => person.waits) : [];
}

/** @param {State} state @returns {boolean} whether somebody sits outside whom this page may let in */
export function asksIn(state) {
  return may(state, 'step_out') && present(state).some((person) => person.waits);
}

/**
 * @param {State} state
 * @returns {{site: string, zone: string, own: boolean}[]} each place once, one's own first
 */
export function places(state) {
  const own = me(state);
  if (!own) return [];
  const others = (state.snapshot?.participants ?? []).filter((person) => person.site !== own.site);
  const found = new Map([own, ...others].map((person) => [person.site, person.time_zone]));
  return [...found].map(([site, zone]) => ({ site, zone, own: site === own.site }));
}
