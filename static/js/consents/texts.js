/** A consent's text with its holes filled, and the path of a drawn name. No DOM. */
import { countryName, listIn } from '../cldr.js';

/** @typedef {import('../types/consents.js').Places} Places */

export const PURPOSES = Object.freeze(['consultation', 'recording', 'transfer_abroad', 'follow_up_review', 'teaching']);
const MAX_PATH = 11_900;
const NEAR = 6;

/**
 * @param {string} words
 * @param {Places} places
 * @param {string} language of the text
 */
export function filled(words, places, language) {
  const none = '—';
  /** @type {Record<string, string>} */
  const by = {
    clinic: places.clinic,
    recipient: listIn(places.recipients, language) || none,
    country: listIn(places.countries.map((code) => countryName(code, language)), language) || none,
    years: String(places.years),
  };
  return words.replace(/\{([a-z]+)\}/g, (hole, name) => by[name] ?? hole);
}

/** A name drawn with finger or mouse, in a box of 1000 × 400: only moves and lines, as the server keeps it. */
export class Drawing {
  constructor() {
    this.path = '';
    /** @type {[number, number] | null} */
    this.last = null;
  }

  /** @param {number} x @param {number} y from 0 to 1 of the box */
  begin(x, y) {
    this.last = null;
    this.to(x, y, 'M');
  }

  /** @param {number} x @param {number} y @param {'M' | 'L'} [how] */
  to(x, y, how = 'L') {
    const point = /** @type {[number, number]} */ ([Math.round(Math.min(Math.max(x, 0), 1) * 1000), Math.round(Math.min(Math.max(y, 0), 1) * 400)]);
    if (this.path.length > MAX_PATH) return;
    if (how === 'L' && this.last && Math.hypot(point[0] - this.last[0], point[1] - this.last[1]) < NEAR) return;
    this.last = point;
    this.path += `${how}${point[0]} ${point[1]}`;
  }

  /** A dot or a single stroke of two points is no name. */
  get isName() {
    return /^M\d+ \d+(?:[ML]\d+ \d+){4,}$/.test(this.path);
  }

  clear() {
    this.path = '';
    this.last = null;
  }
}
