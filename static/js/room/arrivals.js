/**
 * Who is on the way, as a page shows it: counted down by its own clock from the span that the server named.
 * Pure: no DOM, no clock; `now` is an argument.
 *
 * @typedef {import('../types/asides.js').ArrivalTold} ArrivalTold
 * @typedef {{participant: string, name: string, minutes: number, ready: boolean, saidAt: number, late: boolean}} Coming
 */

const MINUTE_MS = 60_000;
/** As the server: so long after the time that was named nobody believes it any more. */
const LATE_MS = 5 * MINUTE_MS;
const READY_MS = 15 * MINUTE_MS;

export class Arrivals {
  constructor() {
    /** @type {Map<string, {at: number, saidAt: number, ready: boolean, name: string}>} */
    this.known = new Map();
  }

  /** @param {ArrivalTold[]} all what the books hold now @param {number} now */
  all(all, now) {
    this.known.clear();
    for (const one of all) this.heard(one, now);
  }

  /** @param {ArrivalTold} told @param {number} now */
  heard(told, now) {
    if (told.ready_in_ms === null) this.known.delete(told.participant);
    else {
      this.known.set(told.participant, {
        at: now + told.ready_in_ms, saidAt: now - (told.said_ago_ms ?? 0), ready: told.ready ?? false, name: told.name ?? '',
      });
    }
  }

  /**
   * @param {{id: string, name: string, present?: boolean}[]} people
   * @param {number} now
   * @returns {Coming[]} who has not come yet and is still believed
   */
  coming(people, now) {
    return people.flatMap((person) => {
      const told = this.known.get(person.id);
      if (!told || person.present) return [];
      if (told.ready ? now - told.saidAt >= READY_MS : now - told.at >= LATE_MS) return [];
      return [{
        participant: person.id, name: person.name || told.name, ready: told.ready, saidAt: told.saidAt,
        minutes: Math.max(0, Math.ceil((told.at - now) / MINUTE_MS)), late: !told.ready && told.at <= now,
      }];
    });
  }
}
