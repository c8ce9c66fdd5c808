/**
 * While the socket is lost: asks once a second whether the server can be reached.
 * An attempt that began in the dark repeats its first packet ever later (RFC 6298), and the light does not help it; a fresh
 * one gets through at once. It must not know the socket: it tells, and who listens decides.
 */

const EVERY_MS = 1000;
const WITHIN_MS = 3000;
const ADDRESS = '/healthz';

export class Beacon {
  /** @param {() => void} seen called each time the server has answered while this is lit */
  constructor(seen) {
    this.seen = seen;
    /** @type {number | undefined} */
    this.timer = undefined;
  }

  /** Idempotent. */
  light() {
    this.timer ??= setInterval(() => void this.look(), EVERY_MS);
  }

  out() {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  async look() {
    const answer = await fetch(ADDRESS, { cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(WITHIN_MS) }).catch(() => null);
    if (answer && this.timer !== undefined) this.seen();
  }
}
