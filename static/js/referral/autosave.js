/**
 * Saves a draft while it is typed: what changed is sent soon, one save at a time, and sent again until the server has it. No DOM.
 * It must not drop anything: what was not acknowledged stays here, and is what a page that is left asks about.
 */

/** @typedef {import('../types/referral.js').Answers} Answers */
/** @typedef {import('../types/referral.js').Draft} Draft */

export const SOON_MS = 800;
export const AGAIN_MS = 3_000;
/** What may be otherwise the next time, without anything being typed anew; signed in again in another tab, for one. */
const PASSING = new Set(['network', 'not_ready', 'internal', 'unexpected', 'too_many_attempts', 'sign_in_required', 'locked']);

export class Autosave {
  /**
   * @param {{
   *   version: number,
   *   send: (body: {version: number, editor: string, answers: Answers, settled: string[], specialty?: string}) => Promise<Draft>,
   *   changed: (draft: Draft | null) => void, later: (work: () => void, ms: number) => unknown, cancel: (timer: any) => void, editor: string,
   * }} parts `changed` is called with what the server answered, or with null when only the state changed
   */
  constructor(parts) {
    this.parts = parts;
    this.version = parts.version;
    /** Not acknowledged yet. @type {Answers} */
    this.pending = {};
    /** On the way. @type {Answers} */
    this.sending = {};
    /** @type {string[]} */
    this.settled = [];
    /** @type {string | undefined} */
    this.specialty = undefined;
    /** Why the last save failed: a code; null when it did not. @type {string | null} */
    this.problem = null;
    /** @type {unknown} */
    this.timer = null;
    /** @type {Promise<void> | null} */
    this.running = null;
  }

  /** @returns {'saved' | 'saving' | 'unsaved' | 'failed'} */
  get state() {
    if (this.problem !== null) return 'failed';
    if (this.running) return 'saving';
    return this.isClean ? 'saved' : 'unsaved';
  }

  get isClean() {
    return Object.keys(this.pending).length === 0 && Object.keys(this.sending).length === 0 && this.settled.length === 0 && this.specialty === undefined;
  }

  /**
   * @param {string} question
   * @param {import('../types/referral.js').Answer} answer
   * @param {boolean} now a choice is saved at once: other questions may follow from it
   */
  note(question, answer, now = false) {
    this.pending[question] = answer;
    this.soon(now ? 0 : SOON_MS);
    this.parts.changed(null);
  }

  /** @param {string} id an answer that lay aside: seen, and taken or left */
  settle(id) {
    this.settled.push(id);
    this.soon(0);
  }

  /** @param {string} specialty */
  become(specialty) {
    this.specialty = specialty;
    this.soon(0);
  }

  /** @param {number} ms */
  soon(ms) {
    this.parts.cancel(this.timer);
    this.timer = this.parts.later(() => void this.flush(), ms);
  }

  /** Everything that is not saved yet; again what was typed meanwhile. Ends when all is saved or a save failed. */
  async flush() {
    this.parts.cancel(this.timer);
    for (;;) {
      while (this.running) await this.running; // of two who wait one begins, and the other waits for that
      if (this.isClean) return;
      await this.one();
      if (this.problem !== null) return;
    }
  }

  async one() {
    this.running = this.once();
    await this.running;
    this.running = null;
    this.parts.changed(null);
  }

  /** Asks the server for the draft as it is judged now, though nothing was typed: the patient was changed. */
  async look() {
    await this.flush();
    if (this.problem !== null) return;
    while (this.running) await this.running;
    await this.one();
  }

  async once() {
    this.sending = this.pending;
    this.pending = {};
    const settled = this.settled;
    const specialty = this.specialty;
    this.settled = [];
    this.specialty = undefined;
    this.parts.changed(null);
    try {
      const draft = await this.parts.send({
        version: this.version, editor: this.parts.editor, answers: this.sending, settled, ...(specialty === undefined ? {} : { specialty }),
      });
      this.sending = {};
      this.version = draft.version;
      this.problem = null;
      this.parts.changed(draft);
    } catch (error) {
      this.pending = { ...this.sending, ...this.pending };
      this.sending = {};
      this.settled = [...settled, ...this.settled];
      this.specialty = this.specialty ?? specialty;
      this.problem = /** @type {{code?: string}} */ (error)?.code ?? 'unexpected';
      if (PASSING.has(this.problem)) this.timer = this.parts.later(() => void this.flush(), AGAIN_MS);
    }
  }

  /** What the server does not have yet, for a copy in this browser; null when it has everything. */
  get owed() {
    const answers = { ...this.sending, ...this.pending };
    return Object.keys(answers).length === 0 ? null : { version: this.version, editor: this.parts.editor, answers };
  }

  /**
   * What an earlier page of this browser owed. It names the version that page saw and its name, so that its own saves are no conflict
   * and those of others are.
   * @param {{version: number, editor: string, answers: Answers}} copy
   */
  resume(copy) {
    this.version = Math.min(this.version, copy.version);
    this.parts.editor = copy.editor;
    this.pending = { ...copy.answers, ...this.pending };
    this.soon(0);
  }

  /**
   * What the page shows: the server's, with what it does not have yet.
   * @param {Answers} answers
   */
  over(answers) {
    return { ...answers, ...this.sending, ...this.pending };
  }
}
