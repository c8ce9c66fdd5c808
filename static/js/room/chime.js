/**
 * A soft chime for who waits or is waited for: when it rings, and the notes. It must not know the DOM's elements; when to
 * ring is pure, the notes are made by the browser (no file).
 *
 * @typedef {import('./reducer.js').State} State
 */
import { may } from './reducer.js';

const STORE = 'hyeopjin.chime';
const LOUDNESS = 0.12;
/** Hz, and seconds after the first: rising for somebody who is there, a question for somebody at the door. */
const NOTES = Object.freeze({
  arrived: /** @type {[number, number][]} */ ([[659.25, 0], [880, 0.18]]),
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
  const known = new Set((old.knocks ?? []).map((knock) => knock.id));
  if (may(now, 'admit') && (fresh.knocks ?? []).some((knock) => !known.has(knock.id))) return 'knock';
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
export async function play(ring, sink) {
  const context = new AudioContext();
  setTimeout(() => void context.close().catch(() => undefined), 2500); // also where it was never allowed to run
  const aim = /** @type {AudioContext & {setSinkId?: (id: string) => Promise<void>}} */ (context);
  if (sink) await aim.setSinkId?.(sink).catch(() => undefined);
  await context.resume().catch(() => undefined);
  for (const [frequency, after] of NOTES[ring]) {
    const note = context.createOscillator();
    const gain = context.createGain();
    const at = context.currentTime + after;
    note.frequency.value = frequency;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(LOUDNESS, at + 0.03);
    gain.gain.exponentialRampToValueAtTime(0.001, at + 0.5);
    note.connect(gain).connect(context.destination);
    note.start(at);
    note.stop(at + 0.55);
  }
}
