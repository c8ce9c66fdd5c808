/** The exports of a recording as the server tells them; asks again while one is being made. It must not know the page. */
import { codeOf, get, post } from '../api.js';

/** @typedef {import('../types/wire.js').Export} Export */

const POLL_MS = 1000;
const SLOW_POLL_MS = 5000;

/** Events: `change`. `problem` is the code of the last refusal, null after a success. */
export class ExportList extends EventTarget {
  /** @param {string} recording */
  constructor(recording) {
    super();
    this.path = `/api/recordings/${encodeURIComponent(recording)}/exports`;
    /** @type {Export[] | null} */
    this.exports = null;
    /** fingerprint of the key that signs bundles */
    this.bundleKey = '';
    /** @type {string | null} */
    this.problem = null;
    this.busy = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  async load() {
    clearTimeout(this.timer);
    try {
      const told = await get(this.path);
      this.exports = told.exports;
      this.bundleKey = told.bundle_key;
    } catch (error) {
      if (this.exports === null) this.problem = codeOf(error);
      this.timer = setTimeout(() => void this.load(), SLOW_POLL_MS);
    }
    if (this.exports?.some(waiting)) this.timer = setTimeout(() => void this.load(), POLL_MS);
    this.dispatchEvent(new Event('change'));
  }

  /** @param {object} order */
  ask(order) {
    return this.act(this.path, order);
  }

  /** Ends a running one; a finished one is destroyed. @param {Export} row */
  cancel(row) {
    return this.act(`${this.path}/${encodeURIComponent(row.id)}/cancel`, {});
  }

  /**
   * @param {Export} row
   * @param {string} reason
   */
  address(row, reason) {
    return `${this.path}/${encodeURIComponent(row.id)}/file?reason=${encodeURIComponent(reason)}`;
  }

  /**
   * @param {string} path
   * @param {object} body
   */
  async act(path, body) {
    this.busy = true;
    this.problem = null;
    this.dispatchEvent(new Event('change'));
    try {
      await post(path, body);
    } catch (error) {
      this.problem = codeOf(error);
    }
    this.busy = false;
    await this.load();
  }

  close() {
    clearTimeout(this.timer);
  }
}

/** @param {Export} row @returns {boolean} whether it is still to come */
export function waiting(row) {
  return row.state === 'queued' || row.state === 'running';
}
