/** The term that everybody in the room is being shown: it goes by itself, but not from under a hand. No DOM. */

/** @typedef {{term: string, texts: Record<string, string>, confirmed: boolean, by: string, at_ms: number}} ShownTerm */

/** Long enough to be read in two languages. */
export const HIDE_AFTER_MS = 15_000;

export class TermCard {
  /** @param {() => void} changed @param {number} [hideAfter] ms */
  constructor(changed, hideAfter = HIDE_AFTER_MS) {
    this.changed = changed;
    this.hideAfter = hideAfter;
    /** @type {ShownTerm | null} */
    this.shown = null;
    this.held = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** @param {ShownTerm} term in place of the one before */
  show(term) {
    this.shown = term;
    this.wait();
    this.changed();
  }

  dismiss() {
    clearTimeout(this.timer);
    this.held = false;
    if (!this.shown) return;
    this.shown = null;
    this.changed();
  }

  /** While a pointer or the keyboard is on it, it stays. @param {boolean} on */
  hold(on) {
    this.held = on;
    this.wait();
  }

  wait() {
    clearTimeout(this.timer);
    if (this.shown && !this.held) this.timer = setTimeout(() => this.dismiss(), this.hideAfter);
  }
}
