import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { countryName, dateIn, languageName, learn, numberIn, OWN_DATA, listIn, ownName, percentIn, sizeIn } from '../cldr.js';
import { fullDate, hourMinute, weekdayDate } from '../time.js';
import { fallbacks, LANGUAGES, UNREVIEWED } from '../languages.js';

for (const code of OWN_DATA) learn(code, JSON.parse(readFileSync(new URL(`../../i18n/cldr/${code}.json`, import.meta.url), 'utf8')));
const AT = Date.UTC(2026, 10, 26, 20, 5); // Thursday in Almaty's morning is Friday

test('dates are written as each language writes them, at the place asked for', () => {
  assert.equal(fullDate(AT, 'kk', 'UTC').replaceAll('\u202f', ' '), '2026 ж. 26 қараша, бейсенбі');
  assert.equal(fullDate(AT, 'kk', 'Asia/Almaty').replaceAll('\u202f', ' '), '2026 ж. 27 қараша, жұма');
  assert.equal(fullDate(AT, 'uz', 'UTC'), 'payshanba, 26-noyabr, 2026');
  assert.equal(fullDate(AT, 'mn', 'UTC').replaceAll('\u202f', ' '), '2026 оны арван нэгдүгээр сарын 26, пүрэв гараг');
  assert.equal(weekdayDate(AT, 'kk', 'UTC'), '26 қар., бс');
  assert.equal(weekdayDate(AT, 'uz', 'UTC'), 'Pay, 26-noy');
  assert.equal(weekdayDate(AT, 'mn', 'UTC'), '11-р сарын 26. Пү');
  assert.equal(hourMinute(AT, 'mn', 'Asia/Ulaanbaatar'), '04:05');
});

test('a zone that nobody knows is UTC, not an exception', () => {
  assert.equal(fullDate(AT, 'uz', 'Nowhere/Here'), 'payshanba, 26-noyabr, 2026');
});

test('a language that browsers know is left to them', () => {
  assert.equal(dateIn(AT, 'ko', 'UTC', 'full_date'), null);
  assert.equal(numberIn(1234.5, 'en'), '1,234.5');
});

test('a comma is the decimal sign in Almaty and Tashkent and parts thousands in Ulaanbaatar', () => {
  assert.equal(numberIn(1234.5, 'kk').replaceAll('\u00a0', ' '), '1 234,5');
  assert.equal(numberIn(1234.5, 'uz').replaceAll('\u00a0', ' '), '1 234,5');
  assert.equal(numberIn(1234.5, 'mn'), '1,234.5');
  assert.equal(percentIn(0.42, 'uz'), '42%');
});

test('a size is told in the unit in which people say it', () => {
  const told = (/** @type {number} */ bytes, /** @type {string} */ language) => sizeIn(bytes, language).replaceAll('\u00a0', ' ');
  assert.equal(told(4096 * 1024 ** 2, 'en'), '4.3 GB');
  assert.equal(told(4096 * 1024 ** 2, 'ru'), '4,3 ГБ');
  assert.equal(told(4096 * 1024 ** 2, 'ko'), '4.3GB');
  assert.equal(told(4096 * 1024 ** 2, 'kk'), '4,3 ГБ');
  assert.equal(told(4096 * 1024 ** 2, 'uz'), '4,3 GB');
  assert.equal(told(4096 * 1024 ** 2, 'mn'), '4.3 ГБ');
  assert.equal(told(3_440_000, 'mn'), '3.4 МБ');
  assert.equal(told(3_440_000, 'uz'), '3,4 MB');
  assert.equal(told(999_960_000, 'en'), '1 GB');
  assert.equal(told(999_600, 'en'), '1 MB');
  assert.equal(told(12_300, 'en'), '12 kB');
  assert.equal(told(7, 'kk'), told(1000, 'kk'));
});

test('a list ends as its language ends one', () => {
  assert.equal(listIn(['a', 'b', 'c'], 'uz'), 'a, b va c');
  assert.equal(listIn(['a', 'b'], 'kk'), 'a және b');
  assert.equal(listIn(['a'], 'mn'), 'a');
  assert.equal(listIn(['a', 'b'], 'en'), 'a and b');
});

test('languages and countries have their names in each language', () => {
  assert.equal(languageName('ko', 'kk'), 'корей тілі');
  assert.equal(languageName('ru', 'mn'), 'орос');
  assert.equal(countryName('UZ', 'uz'), 'Oʻzbekiston');
  assert.equal(countryName('KR', 'en'), 'South Korea');
  assert.equal(languageName('not a code', 'mn'), 'not a code');
  assert.deepEqual(LANGUAGES.map(ownName), ['한국어', 'Русский', 'Қазақша', 'Oʻzbekcha', 'Монгол', 'English']);
});

test('every language without a reviewer is one of the pages, and each ends in English', () => {
  assert.deepEqual(UNREVIEWED.filter((code) => !LANGUAGES.includes(code)), []);
  for (const code of LANGUAGES) assert.deepEqual([fallbacks(code)[0], fallbacks(code).at(-1)], [code, 'en']);
  assert.deepEqual(fallbacks('uz'), ['uz', 'ru', 'en']);
});
