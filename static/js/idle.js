/**
 * Whether somebody still touches the page: when it is to be covered, and when the server is to be told that it is used. No DOM.
 * The server judges by itself; this only keeps it informed and covers the page in time.
 */

export const REPORT_MS = 60_000;

export class Idle {
  /**
   * @param {{afterMs: number, now: () => number, report: () => void, cover: () => void, busy: () => boolean}} parts
   *   `busy`: something plays, so somebody watches
   */
  constructor(parts) {
    this.parts = parts;
    this.last = parts.now();
    this.reported = parts.now();
    /** When this page last told; the first touch of a page is told at once: pages may be left within a minute. */
    this.told = -Infinity;
    this.covered = false;
  }

  /** How often the server is told: well before it would lock. */
  get everyMs() {
    return Math.min(REPORT_MS, this.parts.afterMs / 4);
  }

  /** Somebody touched the page, here or in another window. */
  touched(at = this.parts.now()) {
    if (!this.covered) this.last = Math.max(this.last, at);
  }

  /** Another window has told the server. @param {number} at */
  heard(at) {
    this.touched(at);
    this.reported = Math.max(this.reported, at);
    this.told = this.reported;
  }

  /** Every second or so. */
  look() {
    if (this.covered) return;
    const now = this.parts.now();
    if (this.parts.busy()) this.last = now;
    if (now - this.last >= this.parts.afterMs) this.cover();
    else if (this.last > this.reported && now - this.told >= this.everyMs) {
      this.reported = now;
      this.told = now;
      this.parts.report();
    }
  }

  cover() {
    if (this.covered) return;
    this.covered = true;
    this.parts.cover();
  }

  uncovered() {
    this.covered = false;
    this.last = this.parts.now();
    this.reported = this.last;
    this.told = this.last;
  }
}
