/**
 * A soft chime for who waits or is waited for: when it rings, and which notes. It must not know the DOM's elements; when to
 * ring is pure.
 *
 * @typedef {import('./reducer.js').State} State
 */
import { asksIn } from './prebrief.js';
import { may, me } from './reducer.js';
import { playNotes } from './tones.js';

const STORE = 'hyeopjin.chime';
const LOUDNESS = 0.12;
/** Hz, and seconds after the first: rising for somebody who is there or may come in, a question for somebody at the door. */
const NOTES = Object.freeze({
  arrived: /** @type {[number, number][]} */ ([[659.25, 0], [880, 0.18]]),
  called: /** @type {[number, number][]} */ ([[659.25, 0], [880, 0.18], [1046.5, 0.36]]),
  knock: /** @type {[number, number][]} */ ([[880, 0], [880, 0.22], [1046.5, 0.44]]),
});
/** @typedef {keyof typeof NOTES} Ring */

/**
 * @param {State} before
 * @param {State} now
 * @returns {Ring | null} what this change rings for
 */
export function ringFor(before, now) {
  if (before.phase === 'knocking' && now.phase === 'door') return 'arrived'; // one's own knock was answered
  const [old, fresh] = [before.snapshot, now.snapshot];
  if (now.phase !== 'room' || !old || !fresh || old === fresh) return null;
  if (me(before)?.waits && !me(now)?.waits) return 'called';
  const known = new Set((old.knocks ?? []).map((knock) => knock.id));
  if (may(now, 'admit') && (fresh.knocks ?? []).some((knock) => !known.has(knock.id))) return 'knock';
  if (asksIn(now) && !asksIn(before)) return 'knock';
  const here = new Set(old.participants.filter((person) => person.present).map((person) => person.id));
  const own = fresh.you.participant;
  // After a reload all the others come "back" in the first snapshot only; a seat that falls and returns stays present.
  return fresh.participants.some((person) => person.present && person.id !== own && !here.has(person.id)) ? 'arrived' : null;
}

/** Whether a ring is to be heard: nobody is talked over, unless nobody looks at the page. @param {{on: boolean, talking: boolean, hidden: boolean}} now */
export function isHeard({ on, talking, hidden }) {
  return on && (!talking || hidden);
}

export function chimeOn() {
  try {
    return localStorage.getItem(STORE) !== 'off';
  } catch {
    return true;
  }
}

/** @param {boolean} on */
export function setChime(on) {
  try {
    if (on) localStorage.removeItem(STORE);
    else localStorage.setItem(STORE, 'off');
  } catch {
    /* storage forbidden: it rings */
  }
}

/** @param {Ring} ring @param {string} [sink] the loudspeaker chosen */
export function play(ring, sink) {
  return playNotes(NOTES[ring], { loudness: LOUDNESS, fades: 0.5 }, sink);
}
