/** The end of a consultation, counted down so that it can be taken back. It must not know what ends. */
export class Ending {
  /** @param {{changed: () => void, end: () => unknown}} to told each second, and when the time is up */
  constructor(to) {
    this.to = to;
    /** @type {number | null} seconds left; null = nothing ends */
    this.left = null;
  }

  /** @param {number} seconds */
  begin(seconds) {
    this.left = seconds;
    this.to.changed();
    setTimeout(() => {
      if (this.left !== seconds) return;
      if (seconds > 1) {
        this.begin(seconds - 1);
        return;
      }
      this.undo();
      this.to.end();
    }, 1000);
  }

  undo() {
    this.left = null;
    this.to.changed();
  }
}
