/**
 * The case's glossary as one page knows it: HTTP only, no DOM. It fetches once and searches here as one types; a glossary too
 * large to be sent whole is searched by the server. What is shown follows `change`.
 *
 * @typedef {{
 *   id: string, version: number, texts: Record<string, string>, note: string,
 *   confirmed: {name: string, at_ms: number} | null, changed_ms: number,
 * }} Term
 * @typedef {{terms: Term[], found: number, total: number, case_label?: string, may?: string[]}} Found
 * @typedef {{texts: Record<string, string>, note: string}} Wording
 * @typedef {Wording & {term: string, version: number, what: string, before: Wording | null, by: string, at_ms: number}} TermState
 * @typedef {{line: number, reason: string, column: string}} Problem
 * @typedef {{
 *   rows: number, added: number, changed: number, same: number, unconfirmed: number, too_many: number, problems: Problem[], seen: string,
 * }} Look what taking a file would do
 */
import { codeOf, get, post } from '../api.js';
import { folded, rank, searchText } from './folding.js';

/** In the order of the server's columns. */
export const TERM_LANGUAGES = Object.freeze(['ko', 'ru', 'kk', 'uz', 'mn', 'en']);
export const MAX_TEXT = 200;
export const MAX_NOTE = 500;
export const MAX_FILE_BYTES = 512 * 1024;
const SHOWN = 50;
const TYPING_MS = 150;
/** What others have changed meanwhile is fetched when somebody looks again. */
const FRESH_MS = 10_000;

export class Glossary extends EventTarget {
  /**
   * @param {string} base `/api/seats/{seat}/glossary`, `/api/cases/{case}/glossary`
   * @param {{get: typeof get, post: typeof post, now?: () => number, typing?: number}} http
   */
  constructor(base, http = { get, post }) {
    super();
    this.base = base;
    this.http = http;
    /** @type {Term[]} what the server has sent, in its order */
    this.terms = [];
    this.total = 0;
    /** @type {Term[]} what is to be shown now */
    this.shown = [];
    this.found = 0;
    this.query = '';
    this.loaded = false;
    /** Whether the list could not be fetched when it was last asked for. */
    this.failed = false;
    /** Another one: terms have changed. */
    this.revision = 0;
    this.label = '';
    /** @type {string[]} of an account: `write`, `confirm` */
    this.may = [];
    this.busy = false;
    /** @type {{code: string, line?: number} | null} the last refusal */
    this.problem = null;
    /** @type {string | null} the term that everybody was just shown */
    this.told = null;
    this.fetchedAt = -Infinity;
    /** @type {import('../api.js').Kept} months of terms are sent again only when one has changed */
    this.kept = {};
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.typing = undefined;
    this.asked = 0;
  }

  /** Whether all there is has been sent. */
  get whole() {
    return this.terms.length === this.total;
  }

  changed() {
    this.dispatchEvent(new Event('change'));
  }

  now() {
    return this.http.now?.() ?? Date.now();
  }

  /** Fetches the list, unless that was done a moment ago. */
  async look() {
    if (this.now() - this.fetchedAt < FRESH_MS) return;
    await this.load();
  }

  async load() {
    this.fetchedAt = this.now();
    try {
      /** @type {Found} */
      const answer = await this.http.get(this.base, this.kept);
      this.terms = answer.terms;
      this.total = answer.total;
      this.label = answer.case_label ?? '';
      this.may = answer.may ?? [];
      this.problem = null;
      this.failed = false;
      this.revision += 1;
    } catch (error) {
      this.fetchedAt = -Infinity;
      this.failed = true;
      this.problem = { code: codeOf(error) };
    }
    this.loaded = true;
    this.search(this.query);
  }

  /** @param {string} query as typed */
  search(query) {
    this.query = query;
    clearTimeout(this.typing);
    const wanted = folded(query);
    this.answer(found(this.terms, wanted));
    if (wanted && !this.whole) this.typing = setTimeout(() => void this.askServer(query), this.http.typing ?? TYPING_MS);
  }

  /** @param {Term[]} terms */
  answer(terms) {
    this.shown = terms.slice(0, SHOWN);
    this.found = terms.length;
    this.changed();
  }

  /** @param {string} query */
  async askServer(query) {
    const number = ++this.asked;
    try {
      /** @type {Found} */
      const answer = await this.http.post(`${this.base}/search`, { query });
      if (number !== this.asked || query !== this.query) return;
      this.shown = answer.terms;
      this.found = answer.found;
      this.changed();
    } catch (error) {
      if (number === this.asked) this.refused(error);
    }
  }

  /** @param {Record<string, string>} texts @param {string} note @returns {Promise<boolean>} whether it is there now */
  async add(texts, note) {
    return this.change(async () => {
      /** @type {Term} */
      const term = await this.http.post(this.base, { texts, note });
      this.terms = [...this.terms, term];
      this.total += 1;
    });
  }

  /** @param {Term} term @param {Record<string, string>} texts @param {string} note */
  async edit(term, texts, note) {
    return this.change(async () => this.put(await this.http.post(this.at(term), { version: term.version, texts, note })));
  }

  /** @param {Term} term */
  async confirm(term) {
    return this.change(async () => this.put(await this.http.post(`${this.at(term)}/confirm`, { version: term.version })));
  }

  /** @param {Term} term */
  async remove(term) {
    return this.change(async () => {
      await this.http.post(`${this.at(term)}/delete`, { version: term.version });
      this.terms = this.terms.filter((one) => one.id !== term.id);
      this.total -= 1;
    });
  }

  /** @param {string | null} term null: of all, also of those that are deleted @returns {Promise<TermState[]>} newest first */
  async history(term) {
    const { states } = await this.http.get(term === null ? `${this.base}/history` : `${this.base}/${encodeURIComponent(term)}/history`);
    return states;
  }

  /** @param {Uint8Array} data @returns {Promise<Look | null>} null: refused, and `problem` says why */
  async lookAt(data) {
    if (data.length > MAX_FILE_BYTES) return { ...NOTHING, problems: [{ line: 1, reason: 'too_big', column: '' }] };
    /** @type {Look | null} */
    let look = null;
    await this.change(async () => {
      look = await this.http.post(`${this.base}/file`, { file: base64(data) });
    });
    return look;
  }

  /** @param {Uint8Array} data @param {string} seen of the look before @returns {Promise<boolean>} */
  async take(data, seen) {
    const taken = await this.change(() => this.http.post(`${this.base}/file`, { file: base64(data), seen }));
    if (taken) await this.load();
    return taken;
  }

  /** @param {Term} term */
  at(term) {
    return `${this.base}/${encodeURIComponent(term.id)}`;
  }

  /** @param {Term} term in place of what it was */
  put(term) {
    this.terms = this.terms.map((one) => (one.id === term.id ? term : one));
  }

  /** @param {() => Promise<unknown>} act @returns {Promise<boolean>} */
  async change(act) {
    this.busy = true;
    this.problem = null;
    this.changed();
    let done = false;
    try {
      await act();
      this.revision += 1;
      done = true;
    } catch (error) {
      this.refused(error);
      // Somebody else was first: what is shown must be what there is.
      if (['term_changed', 'not_found', 'glossary_changed'].includes(codeOf(error))) {
        const problem = this.problem;
        await this.load();
        this.problem = problem;
      }
    }
    this.busy = false;
    this.search(this.query);
    return done;
  }

  /** @param {unknown} error */
  refused(error) {
    const line = /** @type {{detail?: {line?: unknown}}} */ (error)?.detail?.line;
    this.problem = { code: codeOf(error), ...(typeof line === 'number' ? { line } : {}) };
    this.changed();
  }

  /** Somebody shows a term; one that is not known here was added since: the list is fetched anew. @param {string} id */
  heard(id) {
    if (!this.loaded || !this.whole || this.terms.some((one) => one.id === id)) return;
    void this.load();
  }

  /** The server's word on a term that was to be shown. @param {string} id @param {{ok: boolean, code?: string} | undefined} ack */
  acked(id, ack) {
    this.told = ack?.ok ? id : null;
    this.problem = ack?.ok ? null : { code: ack?.code ?? 'timeout' };
    this.changed();
  }
}

/** @type {Look} */
const NOTHING = { rows: 0, added: 0, changed: 0, same: 0, unconfirmed: 0, too_many: 0, problems: [], seen: '' };

/**
 * Those that the folded query is found in, the best first; without one, all.
 * @param {Term[]} terms
 * @param {string} query
 */
export function found(terms, query) {
  if (!query) return terms;
  const ranked = terms.map((term) => {
    const lines = searchText(term.texts, TERM_LANGUAGES);
    return { term, lines, rank: rank(lines, query) };
  });
  return ranked.filter((one) => one.rank < 3).sort((a, b) => a.rank - b.rank || (a.lines < b.lines ? -1 : 1)).map((one) => one.term);
}

/**
 * A term as one reader sees it: in a language of theirs, beside what the others in the room speak.
 * @param {Record<string, string>} texts
 * @param {string[]} own the reader's languages, the first one first
 * @param {string[]} others languages spoken in the room
 * @returns {{main: [string, string], beside: [string, string][]}} pairs of language and text
 */
export function forReader(texts, own, others) {
  const there = (/** @type {string} */ code) => Boolean(texts[code]);
  const main = [...own, 'en', ...TERM_LANGUAGES].find(there) ?? '';
  const beside = [...new Set([...own, ...others])].filter((code) => there(code) && code !== main);
  return { main: [main, texts[main] ?? ''], beside: beside.map((code) => [code, texts[code]]) };
}

/**
 * What a change made of a term: what was, and what is; what was deleted is no more.
 * @param {TermState} state
 * @returns {{what: string, from: string, to: string}[]} `what`: a language or `note`
 */
export function differences(state) {
  const gone = state.what === 'deleted';
  const [was, is] = gone ? [state, null] : [state.before, state];
  const found = TERM_LANGUAGES.map((code) => ({ what: code, from: was?.texts[code] ?? '', to: is?.texts[code] ?? '' }));
  found.push({ what: 'note', from: was?.note ?? '', to: is?.note ?? '' });
  return found.filter((one) => one.from !== one.to);
}

/** Which language somebody types in, by its letters: where a new term's first text belongs. @param {string} text @param {string[]} spoken in the room */
export function languageOf(text, spoken) {
  if (/[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]/u.test(text)) return 'ko';
  if (/\p{Script=Cyrillic}/u.test(text)) return spoken.find((code) => ['ru', 'kk', 'mn'].includes(code)) ?? 'ru';
  return spoken.find((code) => code === 'uz') ?? 'en';
}

/** @param {Uint8Array} data */
export function base64(data) {
  let text = '';
  for (let at = 0; at < data.length; at += 0x8000) text += String.fromCharCode(...data.subarray(at, at + 0x8000));
  return btoa(text);
}
