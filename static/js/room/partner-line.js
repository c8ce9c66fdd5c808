/**
 * Talking to one's fellow interpreter alone, as long as a key is held. The microphone is silent from the press until the
 * server has said that media lets it go to nobody else, and again from the release until it is back on the floor: what is meant
 * for a colleague is never heard by the patient, however slow the line is.
 */

/** How long to wait before it is asked once more that the line be closed. */
const AGAIN_MS = 1000;
/** Refusals after which nobody knows whether it was done, or which pass by themselves. */
const UNSURE = new Set(['timeout', 'media_away', 'store_away', 'too_fast', 'internal']);

export class PartnerLine {
  /**
   * @param {{
   *   send: (on: boolean) => Promise<{ok: boolean, code?: string}>,
   *   hush: (on: boolean) => void, talk: (on: boolean) => void, changed: () => void, refused: (code: string) => void,
   * }} page `hush`: nothing leaves the microphone; `talk`: it is on even if it was switched off
   */
  constructor(page) {
    this.page = page;
    this.wanted = false;
    /** Media has it; what is said goes to the partner alone. */
    this.open = false;
    /** The server may have it, whatever it said. */
    this.asked = false;
    /** @type {Promise<void>} one step after the other */
    this.work = Promise.resolve();
  }

  press() {
    if (this.wanted) return this.work;
    this.wanted = true;
    this.page.hush(true);
    return this.then(() => this.begin());
  }

  release() {
    if (!this.wanted) return this.work;
    this.wanted = false;
    this.page.hush(true);
    return this.then(() => this.finish());
  }

  /** @param {() => Promise<void>} step */
  then(step) {
    this.work = this.work.then(step).finally(() => this.page.changed());
    this.page.changed();
    return this.work;
  }

  async begin() {
    if (!this.wanted) return;
    const ack = await this.page.send(true);
    this.open = ack.ok;
    this.asked ||= ack.ok || UNSURE.has(ack.code ?? '');
    if (!ack.ok) this.page.refused(ack.code ?? 'unexpected');
    if (!ack.ok || !this.wanted) return; // let go meanwhile: finish() follows
    this.page.talk(true);
    this.page.hush(false);
  }

  async finish() {
    this.page.talk(false);
    this.open = false;
    if (this.asked) {
      let ack = await this.page.send(false);
      if (ack.code === 'media_away') this.page.refused(ack.code);
      while (!ack.ok && UNSURE.has(ack.code ?? '') && !this.wanted) {
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
        ack = await this.page.send(false);
      }
      this.asked = !ack.ok && UNSURE.has(ack.code ?? '');
    }
    if (!this.wanted) this.page.hush(false);
  }

  /** A visit begun anew finds the line as it was left: whoever does not hold the key closes it. @param {boolean} partner what the server says */
  follow(partner) {
    if (!partner || this.wanted || this.asked) return;
    this.asked = true;
    this.page.hush(true);
    void this.then(() => this.finish());
  }
}
