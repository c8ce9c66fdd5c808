/** Instants and spans as words, in a place's zone and a language. Pure: no DOM, no clock of its own. */
import { dateIn } from './cldr.js';

/**
 * @param {number} ms Unix milliseconds
 * @param {string} language
 * @param {string | undefined} zone IANA name; undefined = this computer's
 * @param {Intl.DateTimeFormatOptions} options
 */
function format(ms, language, zone, options) {
  try {
    return new Intl.DateTimeFormat(language, { ...options, timeZone: zone }).format(ms);
  } catch {
    return new Intl.DateTimeFormat(language, { ...options, timeZone: 'UTC' }).format(ms);
  }
}

/**
 * @param {number} ms @param {string} language @param {string | undefined} zone @param {'full_date' | 'weekday_date'} kind
 * @returns {string | null} in a language that browsers do not know
 */
function own(ms, language, zone, kind) {
  try {
    return dateIn(ms, language, zone, kind);
  } catch {
    return dateIn(ms, language, 'UTC', kind);
  }
}

/** @param {number} ms @param {string} language @param {string} [zone] */
export function hourMinute(ms, language, zone) {
  return format(ms, language, zone, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
}

/** @param {number} ms @param {string} language @param {string} [zone] */
export function hourMinuteSecond(ms, language, zone) {
  return format(ms, language, zone, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
}

/** @param {number} ms @param {string} language @param {string} [zone] */
export function weekdayDate(ms, language, zone) {
  return own(ms, language, zone, 'weekday_date') ?? format(ms, language, zone, { weekday: 'short', month: 'short', day: 'numeric' });
}

/** @param {number} ms @param {string} language @param {string} [zone] */
export function fullDate(ms, language, zone) {
  return own(ms, language, zone, 'full_date') ?? format(ms, language, zone, { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' });
}

/**
 * @param {number} ms @param {string} language @param {string} [zone]
 * @returns {string} the zone's name with its offset, e.g. "GMT+9"
 */
export function zoneName(ms, language, zone) {
  try {
    const parts = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'shortOffset' }).formatToParts(ms);
    return parts.find((part) => part.type === 'timeZoneName')?.value ?? '';
  } catch {
    return 'UTC';
  }
}

/**
 * @param {number} ms a span
 * @returns {string} "m:ss" or "h:mm:ss"
 */
export function span(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const pad = (/** @type {number} */ value) => String(value).padStart(2, '0');
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`;
}

/** @param {number} now @param {string} zone @returns {[string, string]} the first and the last day of the month before, there */
export function lastMonth(now, zone) {
  const [year, month] = new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit' }).format(now).split('-').map(Number);
  const day = (/** @type {number} */ y, /** @type {number} */ m, /** @type {number} */ d) => new Date(Date.UTC(y, m, d)).toISOString().slice(0, 10);
  return [day(year, month - 2, 1), day(year, month - 1, 0)];
}
