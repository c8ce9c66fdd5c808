/**
 * A microphone that is on and gives nothing at all: a switch on the headset, the wrong input, a dead cable. Pure; `now` in ms.
 * A quiet room is not silence: only samples that are zero to the last bit of 16 count, and a microphone that was heard
 * once is believed for longer, because noise filters can come near to that.
 */

/** Peak of a block; half of the least step of 16 bits. */
export const DIGITAL_SILENCE = 1.6e-5;
export const NEVER_HEARD_MS = 8000;
export const HEARD_BEFORE_MS = 30_000;

export class SilentMic {
  constructor() {
    this.anew();
  }

  /** Another track, or it was off: judged from the beginning. */
  anew() {
    this.heardOnce = false;
    /** @type {number | null} since when there is nothing */
    this.since = null;
    this.silent = false;
  }

  /**
   * @param {number | null} peak of the last block, 0..1; null = not known (off, or the page may not listen yet)
   * @param {number} now
   * @returns {boolean} whether the person must be told
   */
  look(peak, now) {
    if (peak === null) {
      this.since = null;
      this.silent = false;
    } else if (peak > DIGITAL_SILENCE) {
      this.heardOnce = true;
      this.since = null;
      this.silent = false;
    } else {
      this.since ??= now;
      this.silent = now - this.since >= (this.heardOnce ? HEARD_BEFORE_MS : NEVER_HEARD_MS);
    }
    return this.silent;
  }
}
