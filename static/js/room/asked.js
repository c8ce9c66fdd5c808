/**
 * What is asked at this seat, looked at again: by itself at the door and outside, inside when the server says so. HTTP only;
 * what it comes to is the reducer's.
 */
import { waits } from './prebrief.js';

const EVERY_MS = 10_000;

export class Asked {
  /**
   * @param {import('./visit.js').Visit} visit
   * @param {{state: () => import('./reducer.js').State, happen: (event: import('./reducer.js').Event) => void}} page
   */
  constructor(visit, page) {
    this.visit = visit;
    this.page = page;
    setInterval(() => this.tick(), EVERY_MS);
  }

  tick() {
    const state = this.page.state();
    if (state.seat && (state.phase === 'door' || waits(state))) void this.look();
  }

  /** An answer that is under way says more than this one. */
  async look() {
    const seat = await this.visit.look().catch(() => null);
    if (seat && !this.page.state().busy) this.page.happen({ type: 'asked', seat });
  }
}
