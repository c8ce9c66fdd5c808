/** A week of work as a form shows it: times of day for each part, and back to minutes. Pure: no DOM. */

/** The shape that most centres have: Monday to Friday, an hour at noon. */
export const OFFICE = Object.freeze([...Array.from({ length: 5 }, () => [[540, 780], [840, 1080]]), [], []]);
const DAY = 1440;

/** @param {number} minutes since midnight @returns {string} as a time field has it; the day's end is 00:00 */
export function clockOf(minutes) {
  const at = minutes % DAY;
  return `${String(Math.floor(at / 60)).padStart(2, '0')}:${String(at % 60).padStart(2, '0')}`;
}

/** @param {string} text @param {boolean} [end] midnight is the day's end @returns {number | null} */
export function minutesOf(text, end = false) {
  const found = /^(\d\d):(\d\d)/.exec(text);
  if (!found) return null;
  const minutes = Number(found[1]) * 60 + Number(found[2]);
  return end && minutes === 0 ? DAY : minutes;
}

/**
 * One day's parts out of its fields; a part with neither time is none.
 * @param {[string, string][]} times
 * @returns {number[][] | null} null: a time is missing, or they are not in order
 */
export function partsOf(times) {
  const parts = [];
  let last = -1;
  for (const [from, to] of times) {
    if (!from && !to) continue;
    const [begin, end] = [minutesOf(from), minutesOf(to, true)];
    if (begin === null || end === null || begin <= last || end <= begin) return null;
    parts.push([begin, end]);
    last = end;
  }
  return parts;
}

/** @param {string} from first day @param {string} to last day, included @returns {{from: string, to: string}} as the server keeps them */
export function absence(from, to) {
  const after = new Date(`${to}T00:00Z`);
  after.setUTCDate(after.getUTCDate() + 1);
  return { from: `${from}T00:00`, to: `${after.toISOString().slice(0, 10)}T00:00` };
}

/** @param {{from: string, to: string}} kept @returns {[string, string]} first and last day, or the instants where it is no whole day */
export function daysOf({ from, to }) {
  if (!from.endsWith('T00:00') || !to.endsWith('T00:00')) return [from.replace('T', ' '), to.replace('T', ' ')];
  const last = new Date(`${to}Z`);
  last.setUTCDate(last.getUTCDate() - 1);
  return [from.slice(0, 10), last.toISOString().slice(0, 10)];
}
