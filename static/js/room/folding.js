/**
 * How words are compared when they are searched: the same as the server does (server/domain/glossary.py), so that what is
 * found while one types is what the server finds. Pure; tests/data/folding.json is read by the tests of both.
 */

/** Letters that no decomposition takes back to the one that a neighbour's keyboard has. @type {Record<string, string>} */
const LETTERS = {
  ә: 'а', ғ: 'г', қ: 'к', ң: 'н', ө: 'о', ұ: 'у', ү: 'у', һ: 'х', і: 'и', ҳ: 'х', є: 'е', ґ: 'г',
  ı: 'i', ł: 'l', ø: 'o', đ: 'd', æ: 'ae', œ: 'oe', ß: 'ss', ς: 'σ',
};
const FOREIGN = new RegExp(`[${Object.keys(LETTERS).join('')}]`, 'gu');
const APOSTROPHES = /['`\u00b4\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u2018\u2019\u201b\u2032]/gu;

/** Without case, accents and neighbours' letters; Hangul stays taken apart, so half a syllable finds the whole. @param {string} text */
export function folded(text) {
  const apart = text.normalize('NFKD').toLowerCase().normalize('NFKD');
  const bare = apart.replace(/\p{Mn}/gu, '').replace(APOSTROPHES, '').replace(FOREIGN, (letter) => LETTERS[letter]);
  return bare.split(/\s+/u).filter(Boolean).join(' ');
}

/** All texts folded, one a line with a line's end before and after each. @param {Record<string, string>} texts @param {readonly string[]} languages */
export function searchText(texts, languages) {
  return `\n${languages.filter((code) => texts[code]).map((code) => folded(texts[code])).join('\n')}\n`;
}

/** 0 begins with the folded query, 1 a word begins with it, 2 it is elsewhere, 3 it is not there. @param {string} lines @param {string} query */
export function rank(lines, query) {
  if (!lines.includes(query)) return 3;
  if (lines.includes(`\n${query}`)) return 0;
  return lines.includes(` ${query}`) ? 1 : 2;
}
