/**
 * Dates, numbers and names in the languages for which browsers have none: Chromium has stubs for Kazakh and Uzbek
 * ("2026 M11 26, Thu") and nothing for Mongolian. Data: i18n/cldr/*.json, made from CLDR by tests/support/cldr.py.
 * It must not touch the DOM; what reads the files is given to `learn`.
 */

/**
 * @typedef {object} Cldr
 * @property {string[]} weekdays from Sunday on
 * @property {string[]} weekdays_short
 * @property {string[]} months
 * @property {string[]} months_short
 * @property {string} full_date CLDR pattern
 * @property {string} weekday_date CLDR pattern
 * @property {string} list_pair of two
 * @property {string} list_end of more, before the last
 * @property {string} decimal
 * @property {string} group
 * @property {string} percent
 * @property {string} kilobyte
 * @property {string} megabyte
 * @property {string} gigabyte
 * @property {Record<string, string>} languages
 * @property {Record<string, string>} regions
 */

/** Languages that have a file. */
export const OWN_DATA = Object.freeze(['kk', 'uz', 'mn']);
/** How the speakers of these languages name them. */
const OWN_NAMES = /** @type {Record<string, string>} */ ({ kk: 'Қазақша', uz: 'Oʻzbekcha', mn: 'Монгол' });
/** @type {Map<string, Cldr>} */
const learned = new Map();

/** @param {string} code @param {Cldr} data */
export function learn(code, data) {
  learned.set(code, data);
}

/** @param {string} code @returns {boolean} the language's data are still to be read */
export function lacks(code) {
  return OWN_DATA.includes(code) && !learned.has(code);
}

/**
 * @param {number} ms
 * @param {string} language
 * @param {string | undefined} zone
 * @param {'full_date' | 'weekday_date'} kind
 * @returns {string | null} null: the browser knows this language itself
 */
export function dateIn(ms, language, zone, kind) {
  const data = learned.get(language);
  if (!data) return null;
  const parts = new Intl.DateTimeFormat('en-US', { timeZone: zone, year: 'numeric', month: 'numeric', day: 'numeric', weekday: 'short' }).formatToParts(ms);
  const part = (/** @type {string} */ type) => parts.find((one) => one.type === type)?.value ?? '';
  const month = Number(part('month')) - 1;
  const weekday = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'].indexOf(part('weekday'));
  const words = /** @type {Record<string, string>} */ ({
    EEEE: data.weekdays[weekday], EEE: data.weekdays_short[weekday], MMMM: data.months[month], MMM: data.months_short[month],
    y: part('year'), d: part('day'),
  });
  return data[kind].replace(/'([^']*)'|EEEE|EEE|MMMM|MMM|y|d/g, (found, quoted) => quoted ?? words[found]);
}

/** @param {number} value @param {string} language @param {number} [digits] behind the decimal sign, at most */
export function numberIn(value, language, digits = 3) {
  const data = learned.get(language);
  const plain = new Intl.NumberFormat(data ? 'en-US' : language, { maximumFractionDigits: digits });
  if (!data) return plain.format(value);
  return plain.formatToParts(value).map((part) => (part.type === 'decimal' ? data.decimal : part.type === 'group' ? data.group : part.value)).join('');
}

/** Several things, the last with "and". @param {readonly string[]} items @param {string} language */
export function listIn(items, language) {
  const data = learned.get(language);
  if (!data) return new Intl.ListFormat(language, { type: 'conjunction' }).format(items);
  if (items.length < 2) return items.join('');
  const pattern = items.length === 2 ? data.list_pair : data.list_end;
  return pattern.replace('{0}', () => items.slice(0, -1).join(', ')).replace('{1}', () => items.at(-1) ?? '');
}

/** @param {number} share of 1 @param {string} language */
export function percentIn(share, language) {
  const data = learned.get(language);
  if (!data) return new Intl.NumberFormat(language, { style: 'percent' }).format(share);
  return data.percent.replace('#,##0', numberIn(Math.round(share * 100), language));
}

/** What a file's size is told in: the first in which it is a thousand or less. */
const SIZES = /** @type {const} */ ([['kilobyte', 1e3], ['megabyte', 1e6], ['gigabyte', 1e9]]);

/** A size as people say it: kilobytes whole, megabytes and gigabytes with one decimal at most. @param {number} bytes @param {string} language */
export function sizeIn(bytes, language) {
  const at = SIZES.findIndex(([unit, of]) => round(bytes / of, unit) < 1000);
  const [unit, of] = SIZES[at < 0 ? SIZES.length - 1 : at] ?? SIZES[0];
  const value = Math.max(unit === 'kilobyte' ? 1 : 0, round(bytes / of, unit));
  const data = learned.get(language);
  if (!data) return new Intl.NumberFormat(language, { style: 'unit', unit, maximumFractionDigits: 1 }).format(value);
  return data[unit].replace('{0}', numberIn(value, language, 1));
}

/** @param {number} value @param {string} unit */
function round(value, unit) {
  return unit === 'kilobyte' ? Math.round(value) : Math.round(value * 10) / 10;
}

/**
 * @param {string} code a language
 * @param {string} reader
 */
export function languageName(code, reader) {
  return learned.get(reader)?.languages[code] ?? named(code, reader, 'language');
}

/**
 * @param {string} code a country
 * @param {string} reader
 */
export function countryName(code, reader) {
  return learned.get(reader)?.regions[code] ?? named(code, reader, 'region');
}

/** @param {string} code @returns {string} a language's name in itself, as its speakers look for it */
export function ownName(code) {
  const name = OWN_NAMES[code] ?? named(code, code, 'language');
  try {
    return name.charAt(0).toLocaleUpperCase(code) + name.slice(1);
  } catch {
    return code; // no code at all
  }
}

/** @param {string} code @param {string} reader @param {Intl.DisplayNamesType} type */
function named(code, reader, type) {
  try {
    return new Intl.DisplayNames([reader], { type }).of(code) ?? code;
  } catch {
    return code; // no code at all
  }
}
