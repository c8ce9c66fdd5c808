/**
 * What a person has chosen for themselves at this computer and nobody else needs to know: how loud what stands behind is,
 * whether the desk's keys are on; and what they want to hear, which the server is told anew at each visit.
 * An interpreter's notes are here too, for this window alone: they are never sent.
 */
import { BEHIND } from './volumes.js';

const STORE = 'hyeopjin.interpreting';
const NOTES = 'hyeopjin.notes.';
const SINCE = 'hyeopjin.renders.';
const CHOICES = ['original', 'interpreted', 'both'];

/** @typedef {{behind: number, keys: boolean, hearing: import('../types/wire.js').Hearing | null}} Wishes */

/** @param {unknown} text what was stored @returns {Wishes} */
export function wishesFrom(text) {
  /** @type {any} */
  let kept = null;
  try {
    kept = JSON.parse(typeof text === 'string' ? text : 'null');
  } catch {
    /* somebody else's: as if there were none */
  }
  const { behind, keys, hearing } = kept ?? {};
  return {
    behind: typeof behind === 'number' && behind >= 0 && behind <= 1 ? behind : BEHIND,
    keys: keys !== false,
    hearing: CHOICES.includes(hearing) ? hearing : null,
  };
}

/** @returns {Wishes} */
export function readWishes() {
  return wishesFrom(read(() => localStorage.getItem(STORE)));
}

/** @param {Wishes} wishes */
export function keepWishes(wishes) {
  read(() => localStorage.setItem(STORE, JSON.stringify(wishes)));
}

/** @param {string} seat @returns {string} */
export function readNotes(seat) {
  return read(() => sessionStorage.getItem(NOTES + seat)) ?? '';
}

/** @param {string} seat @param {string} text empty = nothing is kept */
export function keepNotes(seat, text) {
  read(() => (text ? sessionStorage.setItem(NOTES + seat, text) : sessionStorage.removeItem(NOTES + seat)));
}

/** Since when an interpreter has rendered, over a reload. @param {string} seat @param {string} active @returns {number | null} */
export function readSince(seat, active) {
  const [who, since] = (read(() => sessionStorage.getItem(SINCE + seat)) ?? '').split(' ');
  return who === active && Number(since) > 0 ? Number(since) : null;
}

/** @param {string} seat @param {string} active @param {number} sinceMs */
export function keepSince(seat, active, sinceMs) {
  read(() => sessionStorage.setItem(SINCE + seat, `${active} ${sinceMs}`));
}

/**
 * @template T
 * @param {() => T} what
 * @returns {T | null} null where storage is forbidden: then a choice lives as long as the page
 */
function read(what) {
  try {
    return what();
  } catch {
    return null;
  }
}
