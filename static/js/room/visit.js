/**
 * How this browser came to its seat, and whether it had joined: HTTP and sessionStorage only.
 * The token in the address is spent by the person's first answer, never by looking at the page.
 */
import { ApiRefusal, get, post } from '../api.js';

/** @typedef {import('../types/wire.js').SeatAnswer} SeatAnswer */

const KNOCK_EVERY_MS = 2000;

export class Visit {
  /** @param {string} seat */
  constructor(seat) {
    this.seat = seat;
    this.base = `/api/seats/${encodeURIComponent(seat)}`;
    this.token = location.hash.slice(1);
    this.store = `hyeopjin.joined.${seat}`;
  }

  /** @returns {Promise<SeatAnswer | null>} null = this browser has no credential for the seat */
  async look() {
    try {
      return await get(this.base);
    } catch (error) {
      if (error instanceof ApiRefusal && (error.status === 401 || error.status === 403)) return null;
      throw error;
    }
  }

  /** Spends the token, once. The address loses it at once, so that nobody copies it from there. */
  async redeem() {
    if (!this.token) return;
    await post(`${this.base}/redeem`, { token: this.token });
    this.forgetToken();
  }

  forgetToken() {
    this.token = '';
    history.replaceState(null, '', location.pathname);
  }

  /**
   * @param {SeatAnswer} answer
   * @param {'granted' | 'declined'} decision
   * @param {string[]} others
   * @param {string} language
   * @returns {Promise<{decision: string, missing: string[]}>} what the patient, who sits here, has not agreed to
   */
  async consent(answer, decision, others, language) {
    return post(`${this.base}/consent`, {
      decision, persons: [answer.seat.name, ...others], language, version: answer.consent_version,
    });
  }

  /** @returns {{token?: string}} the link's token, while there is one: looking does not spend it */
  proof() {
    return this.token ? { token: this.token } : {};
  }

  /** @returns {Promise<import('../types/wire.js').ProbeAnswer>} offers to try the way with; they lead to no media */
  async probe() {
    return post(`${this.base}/probe`, this.proof());
  }

  /** @param {object} result @returns {Promise<{relay_fault: string | null}>} */
  async probed(result) {
    return post(`${this.base}/probe/result`, { ...result, ...this.proof() });
  }

  /** What was recorded of this seat so far is to be destroyed. */
  async destroy() {
    await post(`${this.base}/destroy`, {});
  }

  /** @returns {Promise<import('../types/wire.js').SeatPast | null>} what was recorded of this seat; null = no credential any more */
  async past() {
    try {
      return await get(`${this.base}/past`);
    } catch (error) {
      if (error instanceof ApiRefusal && (error.status === 401 || error.status === 403)) return null;
      throw error;
    }
  }

  /**
   * Asks those inside to be let in, and waits for their answer.
   * @param {string} name
   * @returns {Promise<boolean>} whether this browser now holds the seat
   */
  async knock(name) {
    await post(`${this.base}/knock`, { token: this.token, name });
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, KNOCK_EVERY_MS));
      const { state } = await get(`${this.base}/knock`).catch((error) => {
        if (error instanceof ApiRefusal && error.status > 0 && error.status < 500) throw error;
        return { state: 'waiting' }; // no answer just now: ask again
      });
      if (state === 'waiting') continue;
      if (state === 'admitted') this.forgetToken();
      return state === 'admitted';
    }
  }

  /** @returns {{mic: boolean, camera: boolean, cut?: boolean} | null} what was on when this window was last in the room */
  joined() {
    try {
      return JSON.parse(sessionStorage.getItem(this.store) ?? 'null');
    } catch {
      return null;
    }
  }

  /** @param {{mic: boolean, camera: boolean, cut?: boolean} | null} own */
  remember(own) {
    try {
      if (own) sessionStorage.setItem(this.store, JSON.stringify(own));
      else sessionStorage.removeItem(this.store);
    } catch {
      /* storage forbidden: after a reload the door is shown again */
    }
  }
}
