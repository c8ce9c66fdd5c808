/**
 * How loud each person is to be on this page. The server says who is in front, behind or off; the page sets volumes.
 * Pure: numbers only; who plays them is room/mixer.js.
 */
import { interprets } from './interpreting.js';

/** −6 dB: the speaker stays audible under the interpreter who renders what was just said. */
export const GENTLE = 0.5;
/** What stands behind the interpreter unless the listener has chosen otherwise: −12 dB. */
export const BEHIND = 0.25;
/** A volume has gone two thirds of its way after so long: quick enough for a turn, too slow to click. */
const GLIDE_MS = 80;
/**
 * The same, to and from nothing: 40 dB down in a ninth of a second. What the server has cut off a browser still plays on
 * for a third of a second, a stretched echo of the last syllable; and what begins is not to lose its first one.
 */
const CUT_MS = 25;
const THERE = 0.004;

/**
 * @param {import('../types/wire.js').Snapshot | null} snapshot
 * @param {string | null} floor who has it now
 * @param {number} behind 0..1, the listener's own choice
 * @returns {Map<string, number>} 0..1 per other participant
 */
export function volumesOf(snapshot, floor, behind) {
  const own = snapshot?.you.participant;
  const everybody = snapshot?.participants ?? [];
  const turns = snapshot?.interpretation?.mode === 'consecutive';
  const renders = turns && floor !== own && everybody.some((person) => person.id === floor && interprets(person));
  return new Map(everybody.filter((person) => person.id !== own).map((person) => {
    const level = snapshot?.you.levels?.[person.id] ?? 'front';
    if (level === 'off') return [person.id, 0];
    if (level === 'behind') return [person.id, turns ? GENTLE : behind];
    return [person.id, renders && !interprets(person) ? GENTLE : 1];
  }));
}

/**
 * @param {number} from
 * @param {number} to
 * @param {number} ms since the last step
 * @returns {number} the next value on the way, in small steps at first and last, and never past its end
 */
export function glide(from, to, ms) {
  const next = to + (from - to) * Math.exp(-ms / (from === 0 || to === 0 ? CUT_MS : GLIDE_MS));
  return Math.abs(next - to) < THERE ? to : next;
}
