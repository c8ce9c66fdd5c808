/**
 * What was recorded of this seat, once the visit is over, and taking consent back afterwards: HTTP only, no DOM.
 * It asks again until what was asked for has happened; without the seat's cookie there is nothing to show.
 */
import { codeOf } from '../api.js';

/** @typedef {import('../types/wire.js').SeatPast} SeatPast */

const AGAIN_MS = 2000;

export class PastFlow extends EventTarget {
  /** @param {import('./visit.js').Visit} visit */
  constructor(visit) {
    super();
    this.visit = visit;
    /** @type {SeatPast | null} */
    this.shown = null;
    this.asking = false;
    this.busy = false;
    /** @type {string | null} */
    this.problem = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.again = undefined;
  }

  async load() {
    clearTimeout(this.again);
    try {
      this.shown = await this.visit.past();
      if (this.shown && unsettled(this.shown)) this.again = setTimeout(() => void this.load(), AGAIN_MS);
    } catch {
      if (this.shown) this.again = setTimeout(() => void this.load(), AGAIN_MS);
    }
    this.changed();
  }

  /** @param {boolean} asking */
  ask(asking) {
    this.asking = asking;
    this.problem = null;
    this.changed();
  }

  async withdraw() {
    this.busy = true;
    this.changed();
    try {
      await this.visit.destroy();
      this.asking = false;
      this.problem = null;
      await this.load();
    } catch (error) {
      this.problem = codeOf(error);
    }
    this.busy = false;
    this.changed();
  }

  changed() {
    this.dispatchEvent(new Event('change'));
  }
}

/** Whether something will change by itself: a destruction that was asked for. @param {SeatPast} past */
export function unsettled(past) {
  return past.recordings.some((one) => one.state === 'requested' || one.state === 'begun');
}
