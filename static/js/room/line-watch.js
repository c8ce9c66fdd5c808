/**
 * Whether anything still arrives from the server, told within about a second. Pure: it is fed a counter of received bytes.
 *
 * A browser checks a path that works every 2.5 s and calls it lost after five or more; a NAT that forgot us, or another
 * network, need not cost that. Something always comes while we send (receiver reports, transport feedback), so a
 * counter that stands still for several times its usual pause is a broken path.
 */

const LEAST_MS = 800;
const MOST_MS = 3000;
const USUAL_TIMES = 3;
/** Another way is not looked for again sooner: the search itself costs a thin line something. */
const APART_MS = 5000;
/** So many arrivals say what is usual here. */
const KNOWN_AFTER = 8;
/** How quickly an unusually long pause is forgotten, per look. */
const FADING = 0.97;

export class LineWatch {
  constructor() {
    /** @type {number | null} */
    this.count = null;
    this.at = 0;
    this.seenAt = 0;
    this.arrivals = 0;
    this.toldAt = -Infinity;
    /** The longest pause of late, ms. */
    this.usual = 0;
    this.stalled = false;
  }

  /** Another connection, or one that is just being made. */
  anew() {
    Object.assign(this, new LineWatch());
  }

  /**
   * @param {number} count bytes received so far
   * @param {number} now ms
   * @returns {boolean} true once, when the line has just gone silent
   */
  look(count, now) {
    const slept = now - this.at > MOST_MS; // nobody looked: what came meanwhile is not known
    this.at = now;
    if (count !== this.count || slept) {
      const pause = now - this.seenAt;
      if (this.count !== null && !slept && pause <= MOST_MS) this.usual = Math.max(this.usual * FADING, pause);
      this.count = count;
      this.seenAt = now;
      this.arrivals += 1;
      this.stalled = false;
      return false;
    }
    if (this.stalled || this.arrivals < KNOWN_AFTER || now - this.seenAt < this.limit() || now - this.toldAt < APART_MS) return false;
    this.stalled = true;
    this.toldAt = now;
    return true;
  }

  limit() {
    return Math.min(MOST_MS, Math.max(LEAST_MS, USUAL_TIMES * this.usual));
  }
}

/**
 * @param {Iterable<[string, any]>} report an RTCStatsReport
 * @returns {number} bytes received: on the transport, or on its candidate pairs where a browser does not count the whole
 */
export function bytesReceived(report) {
  let transport = 0;
  let pairs = 0;
  for (const [, stat] of report) {
    if (stat.type === 'transport') transport += stat.bytesReceived ?? 0;
    else if (stat.type === 'candidate-pair') pairs += stat.bytesReceived ?? 0;
  }
  return transport || pairs;
}
