/** The world's countries by name. Pure: no DOM. */
import { countryName } from './cldr.js';

/** ISO 3166-1, two letters each. */
const CODES = ('AFALDZADAOAGARAMAUATAZBSBHBDBBBYBEBZBJBTBOBABWBRBNBGBFBIKHCMCACVCFTDCLCNCOKMCGCDCRCIHRCUCYCZDKDJDMDOECEGSVGQEREEETFJFIFRGAGMGEDEGHGRGDGTGNGWGYHTHNHKHUISINIDIRIQIEILITJMJP'
  + 'JOKZKEKIKPKRKWKGLALVLBLSLRLYLILTLUMGMWMYMVMLMTMHMRMUMXFMMDMCMNMEMAMZMMNANRNPNLNZNINENGMKNOOMPKPWPSPAPGPYPEPHPLPTQARORURWKNLCVCWSSMSTSASNRSSCSLSGSKSISBSOZASSESLKSDSRSECHSYTWTJTZTHTLTGTOTTTNTRTMTVUGUAAEGBUSUYUZVUVAVEVNYEZMZW').match(/../g) ?? [];

/** @param {string} reader a language @returns {{code: string, name: string}[]} in the reader's alphabet */
export function countries(reader) {
  return CODES.map((code) => ({ code, name: countryName(code, reader) })).sort((a, b) => a.name.localeCompare(b.name, reader));
}
