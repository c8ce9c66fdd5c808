/**
 * One file on its way to the server: begun, sent piece by piece, paused, gone on with where the server says. No DOM, no clock of its own.
 * A line that breaks is no error: it is tried again until there is one, or somebody pauses it.
 */
import { ApiRefusal } from '../api.js';

/** @typedef {'waiting' | 'sending' | 'paused' | 'line' | 'done' | 'failed'} UploadState */

const SOON_MS = 200;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
/** States of a document that an earlier upload of the same file left behind: it is sent anew. */
const GIVEN_UP = ['expired', 'cancelled', 'refused', 'withdrawn'];
const MOST_TIMES = 20;
const PASSING = ['network', 'too_many_attempts', 'decoder_busy', 'store_away', 'not_ready'];

/** @param {unknown} error whether waiting may help */
function passes(error) {
  return error instanceof ApiRefusal && (PASSING.includes(error.code) || (error.status >= 500 && error.status !== 507));
}

export class Upload {
  /**
   * @param {import('../types/documents.js').Chosen} chosen
   * @param {string} visibility
   * @param {{transport: import('../types/documents.js').Transport, pieceBytes: number, changed: () => void, rest: (ms: number, signal: AbortSignal) => Promise<void>}} parts
   *   rest = waits so long, or until there is a line again, or the signal
   */
  constructor(chosen, visibility, parts) {
    this.chosen = chosen;
    this.visibility = visibility;
    this.parts = parts;
    /** @type {UploadState} */
    this.state = 'waiting';
    /** The document it becomes. @type {string | null} */
    this.id = null;
    /** What the server has, and what is on the way besides. */
    this.offset = 0;
    this.flying = 0;
    /** @type {string | null} */
    this.problem = null;
    this.stopper = new AbortController();
  }

  get name() {
    return this.chosen.file.name;
  }

  get size() {
    return this.chosen.file.size;
  }

  /** Of 1. */
  get share() {
    return this.size ? Math.min(1, (this.offset + this.flying) / this.size) : 0;
  }

  get settled() {
    return this.state === 'done' || this.state === 'failed' || this.state === 'paused';
  }

  /** What was sent stays; `run` goes on. */
  pause() {
    if (this.state === 'done' || this.state === 'failed') return;
    this.become('paused');
    this.stopper.abort();
  }

  /** Until it is done, paused or refused. Never throws. */
  async run() {
    this.stopper = new AbortController();
    const { signal } = this.stopper;
    this.problem = null;
    this.become('sending');
    let pause = FIRST_PAUSE_MS;
    let known = this.id === null;
    while (!signal.aborted) {
      try {
        if (this.id === null) await this.begin();
        else if (!known) await this.ask();
        known = true;
        if (signal.aborted) return;
        if (this.offset >= this.size) {
          this.become('done');
          return;
        }
        this.become('sending');
        await this.piece(signal);
        pause = FIRST_PAUSE_MS;
      } catch (error) {
        this.flying = 0;
        known = false;
        if (signal.aborted) return;
        if (error instanceof ApiRefusal && error.code === 'upload_offset') {
          await this.parts.rest(SOON_MS, signal); // then it is asked where to go on
          continue;
        }
        if (!passes(error) || !(await this.readable())) {
          this.fail(error);
          return;
        }
        this.become('line');
        await this.parts.rest(pause, signal);
        pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
      }
    }
  }

  async begin() {
    const { file, kind, request } = this.chosen;
    for (let time = 0; time < MOST_TIMES; time += 1) {
      const row = await this.parts.transport.begin({ name: file.name, size: file.size, kind, visibility: this.visibility, request: time ? `${request}-${time}` : request });
      if (GIVEN_UP.includes(row.state)) continue;
      this.id = row.id;
      this.offset = row.state === 'uploading' ? row.offset : this.size;
      return;
    }
    throw new ApiRefusal('upload_over', 409);
  }

  async ask() {
    const { state, offset } = await this.parts.transport.where(/** @type {string} */ (this.id));
    this.offset = state === 'uploading' ? offset : this.size;
  }

  /** @param {AbortSignal} signal */
  async piece(signal) {
    const end = Math.min(this.size, this.offset + this.parts.pieceBytes);
    const piece = this.chosen.file.slice(this.offset, end);
    this.offset = await this.parts.transport.put(/** @type {string} */ (this.id), this.offset, piece, (bytes) => {
      this.flying = bytes;
      this.parts.changed();
    }, signal);
    this.flying = 0;
    this.parts.changed();
  }

  /** A file that was moved, changed or taken out of its drive looks like a broken line. */
  async readable() {
    try {
      await this.chosen.file.slice(0, 1).arrayBuffer();
    } catch {
      this.problem = 'file_unreadable';
      return false;
    }
    return true;
  }

  /** @param {unknown} error */
  fail(error) {
    this.problem ??= error instanceof ApiRefusal ? error.code : 'unexpected';
    this.become('failed');
  }

  /** @param {UploadState} state */
  become(state) {
    this.state = state;
    this.parts.changed();
  }
}

/** Several files one after the other: a thin line is not shared out. */
export class Queue {
  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
    /** @type {Upload[]} */
    this.uploads = [];
    this.running = false;
  }

  get busy() {
    return this.uploads.some((one) => ['waiting', 'sending', 'line'].includes(one.state));
  }

  /** @param {Upload} upload */
  add(upload) {
    this.uploads = [...this.uploads.filter((one) => one.state !== 'failed' || one.name !== upload.name), upload];
    void this.go();
  }

  /** @param {Upload} upload go on with a paused or failed one */
  again(upload) {
    upload.become('waiting');
    void this.go();
  }

  /** @param {Upload} upload */
  drop(upload) {
    upload.pause();
    this.uploads = this.uploads.filter((one) => one !== upload);
    this.changed();
  }

  stop() {
    for (const one of this.uploads) one.pause();
  }

  async go() {
    if (this.running) return;
    this.running = true;
    for (let next = this.next(); next; next = this.next()) await next.run();
    this.running = false;
    this.changed();
  }

  next() {
    return this.uploads.find((one) => one.state === 'waiting');
  }
}
