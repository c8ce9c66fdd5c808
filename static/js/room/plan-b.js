/**
 * Plan B: when sound and picture have been away for a while, people telephone. Whom, and at which number; nothing else.
 */
import { isSilent, MEDIA_GRACE_MS } from './reducer.js';

/** Most falls are over by then; a card that comes and goes would only be in the way. */
export const PLAN_B_AFTER_MS = 10_000;

/** @param {import('./reducer.js').State} state @param {number} now */
export function isDown(state, now) {
  if (state.phase !== 'room') return false;
  if (state.link === 'lost' || isSilent(state, now)) return true;
  return state.media !== 'connected' && now - state.mediaSinceMs > MEDIA_GRACE_MS;
}

/** Remembers since when it has been down. */
export class Outage {
  constructor() {
    /** @type {number | null} */
    this.since = null;
  }

  /**
   * @param {import('./reducer.js').State} state
   * @param {number} now
   * @returns {boolean} whether it is time to telephone
   */
  lasts(state, now) {
    if (!isDown(state, now)) this.since = null;
    else this.since ??= now;
    return this.since !== null && now - this.since >= PLAN_B_AFTER_MS;
  }
}

/**
 * @param {import('./reducer.js').State} state
 * @returns {{name: string, role: string, site: string, telephone: string | null}[]} everybody else's seat
 */
export function people(state) {
  const answer = state.seat;
  return (answer?.seats ?? []).filter((seat) => seat.id !== answer?.seat.id);
}

/**
 * Where somebody's life may be at stake, whoever asks: the number that is dialled there, once for each site.
 * @param {import('./reducer.js').State} state
 * @returns {{site: string, number: string}[]}
 */
export function emergencies(state) {
  const known = (state.seat?.seats ?? []).flatMap((seat) => (seat.emergency ? [/** @type {const} */ ([seat.site, seat.emergency])] : []));
  return [...new Map(known)].map(([site, number]) => ({ site, number }));
}

/** @param {string} telephone @returns {string} as a link dials it (RFC 3966) */
export function dial(telephone) {
  return `tel:${telephone.replace(/[^+0-9]/g, '')}`;
}
