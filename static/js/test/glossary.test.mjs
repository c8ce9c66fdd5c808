import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mock, test } from 'node:test';
import { ApiRefusal } from '../api.js';
import { folded, searchText } from '../room/folding.js';
import { base64, differences, forReader, Glossary, languageOf } from '../room/glossary.js';
import { TermCard } from '../room/term-card.js';

const FOLDING = JSON.parse(readFileSync(new URL('../../../tests/data/folding.json', import.meta.url), 'utf8'));
const term = (id, texts, version = 1) => ({ id, version, texts, note: '', confirmed: null, changed_ms: 0 });

test('what is typed finds what the server finds, and folds as it folds', () => {
  for (const [typed, text] of FOLDING.found) assert.ok(searchText({ en: text }, ['en']).includes(folded(typed)), `${typed} in ${text}`);
  for (const [typed, text] of FOLDING.not_found) assert.ok(!searchText({ en: text }, ['en']).includes(folded(typed)), `${typed} not in ${text}`);
  for (const [text, bare] of FOLDING.folded) assert.equal(folded(text), bare.normalize('NFKD'));
});

/** A server that answers from a list of answers; one that is an error is thrown. */
function made(...answers) {
  const asked = [];
  const next = async (path, body) => {
    asked.push([path, body]);
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  let now = 0;
  const book = new Glossary('/g', { get: next, post: next, now: () => now, typing: 0 });
  return { book, asked, later: () => { now += 60_000; } };
}

const listed = (...terms) => ({ terms, found: terms.length, total: terms.length });

test('a glossary that is here whole is searched without a word to the server, the best first', async () => {
  const { book, asked } = made(listed(term('a', { en: 'foreshorten' }), term('b', { en: 'a short leg' }), term('c', { ko: '짧다', en: 'short' })));
  await book.look();
  book.search('SHORT');
  assert.deepEqual(book.shown.map((one) => one.id), ['c', 'b', 'a']);
  book.search('짧ㄷ');
  assert.deepEqual(book.shown.map((one) => one.id), ['c']);
  book.search('');
  assert.equal(book.found, 3);
  assert.equal(asked.length, 1);
});

test('a glossary too large to be sent is searched by the server, and only the last question is answered', async () => {
  const { book, asked } = made({ terms: [term('a', { en: 'one' })], found: 900, total: 900 }, { terms: [term('z', { en: 'stent' })], found: 1, total: 900 });
  await book.look();
  book.search('st');
  book.search('ste');
  assert.deepEqual(book.shown, [], 'nothing of what is here');
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(asked.slice(1), [['/g/search', { query: 'ste' }]]);
  assert.deepEqual(book.shown.map((one) => one.id), ['z']);
});

test('looking again fetches what others have changed, but not with every key', async () => {
  const { book, asked, later } = made(listed(), listed(term('a', { en: 'one' })));
  await book.look();
  await book.look();
  assert.equal(asked.length, 1);
  later();
  await book.look();
  assert.equal(book.shown.length, 1);
});

test('a term that somebody else has added is fetched when it is shown', async () => {
  const { book, asked } = made(listed(), listed(term('a', { en: 'one' })));
  book.heard('a');
  assert.equal(asked.length, 0, 'nobody has opened the glossary here');
  await book.look();
  book.heard('a');
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(book.shown.map((one) => one.id), ['a']);
  book.heard('a');
  assert.equal(asked.length, 2);
});

test('a term changed by somebody else is shown as it is now, and why ours was refused', async () => {
  const { book } = made(listed(term('a', { en: 'one' })), new ApiRefusal('term_changed', 409), listed(term('a', { en: 'two' }, 2)));
  await book.look();
  assert.equal(await book.edit(book.terms[0], { en: 'mine' }, ''), false);
  assert.equal(book.terms[0].texts.en, 'two');
  assert.deepEqual(book.problem, { code: 'term_changed' });
  assert.equal(book.busy, false);
});

test('what is added, confirmed and deleted is so at once', async () => {
  const sure = { ...term('a', { en: 'one' }, 2), confirmed: { name: 'K', at_ms: 1 } };
  const { book, asked } = made(listed(), term('a', { en: 'one' }), sure, null);
  await book.look();
  assert.equal(await book.add({ en: 'one' }, ''), true);
  assert.equal(book.shown[0].id, 'a');
  await book.confirm(book.terms[0]);
  assert.equal(book.shown[0].confirmed.name, 'K');
  await book.remove(book.terms[0]);
  assert.deepEqual([book.shown, book.total], [[], 0]);
  assert.deepEqual(asked.at(-1), ['/g/a/delete', { version: 2 }]);
});

test('a file is looked at, then taken as it was seen; one too large never leaves', async () => {
  const look = { rows: 1, added: 1, changed: 0, same: 0, unconfirmed: 0, too_many: 0, problems: [], seen: 's' };
  const { book, asked } = made(look, { added: 1 }, listed(term('a', { en: 'one' })));
  const data = new TextEncoder().encode('en\nодин\n');
  assert.deepEqual(await book.lookAt(data), look);
  assert.equal(await book.take(data, 's'), true);
  assert.deepEqual(asked[1], ['/g/file', { file: Buffer.from(data).toString('base64'), seen: 's' }]);
  assert.equal(book.total, 1);
  assert.equal((await book.lookAt(new Uint8Array(600_000))).problems[0].reason, 'too_big');
  assert.equal(asked.length, 3);
});

test('the line of a file that was refused is kept for the words', async () => {
  const { book } = made(new ApiRefusal('file_refused', 400, { code: 'file_refused', line: 7 }));
  assert.equal(await book.lookAt(new Uint8Array(1)), null);
  assert.deepEqual(book.problem, { code: 'file_refused', line: 7 });
});

test('bytes of any number become base64', () => {
  for (const size of [0, 1, 0x8000, 0x8001, 100_000]) {
    const data = Uint8Array.from({ length: size }, (_, at) => at % 256);
    assert.equal(base64(data), Buffer.from(data).toString('base64'));
  }
});

test('each reader has their own language in front and the others beside it', () => {
  const texts = { ko: '척추', ru: 'позвоночник', kk: 'омыртқа' };
  assert.deepEqual(forReader(texts, ['ru'], ['ko', 'ru']), { main: ['ru', 'позвоночник'], beside: [['ko', '척추']] });
  assert.deepEqual(forReader(texts, ['ko', 'en'], ['ru']), { main: ['ko', '척추'], beside: [['ru', 'позвоночник']] });
  assert.deepEqual(forReader(texts, ['ru', 'ko', 'ru'], ['ru', 'ko']), { main: ['ru', 'позвоночник'], beside: [['ko', '척추']] });
  assert.deepEqual(forReader(texts, ['uz', 'en'], ['uz', 'ko']), { main: ['ko', '척추'], beside: [] }, 'no text of theirs: whatever there is');
  assert.deepEqual(forReader({}, ['ru'], []), { main: ['', ''], beside: [] });
});

test('a new term begins in the language it was typed in', () => {
  assert.equal(languageOf('척ㅊ', ['ru', 'ko']), 'ko');
  assert.equal(languageOf('шов', ['ru', 'ko']), 'ru');
  assert.equal(languageOf('тігіс', ['kk', 'ko']), 'kk');
  assert.equal(languageOf('stent', ['ru', 'ko']), 'en');
});

test('the card goes by itself, but not from under a hand, and a new term takes its place', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  let drawn = 0;
  const card = new TermCard(() => { drawn += 1; }, 1000);
  card.show({ term: 'a', texts: {}, confirmed: false, by: 's', at_ms: 0 });
  mock.timers.tick(900);
  card.show({ term: 'b', texts: {}, confirmed: false, by: 's', at_ms: 0 });
  mock.timers.tick(900);
  assert.equal(card.shown.term, 'b');
  card.hold(true);
  mock.timers.tick(5000);
  assert.equal(card.shown.term, 'b');
  card.hold(false);
  mock.timers.tick(1000);
  assert.equal(card.shown, null);
  assert.equal(drawn, 3);
  mock.timers.reset();
});

test('a list that could not be fetched is not an empty one, and is fetched again', async () => {
  const { book } = made(new ApiRefusal('network', 0), { ...listed(term('a', { en: 'one' })), case_label: 'C-1', may: ['write'] });
  await book.look();
  assert.deepEqual([book.loaded, book.failed, book.problem?.code], [true, true, 'network']);
  const before = book.revision;
  await book.load();
  assert.deepEqual([book.failed, book.problem, book.label, book.may], [false, null, 'C-1', ['write']]);
  assert.notEqual(book.revision, before);
});

test('a history says what a change made of a term, and what was deleted is no more', () => {
  const state = (what, before, texts, note = '') => ({ what, before, texts, note, term: 'a', version: 2, by: '', at_ms: 0 });
  assert.deepEqual(differences(state('added', null, { en: 'one' })), [{ what: 'en', from: '', to: 'one' }]);
  const old = { texts: { ko: '하나', ru: 'один' }, note: '' };
  assert.deepEqual(differences(state('edited', old, { ko: '하나', ru: 'одна', kk: 'бір' }, 'f.')), [
    { what: 'ru', from: 'один', to: 'одна' }, { what: 'kk', from: '', to: 'бір' }, { what: 'note', from: '', to: 'f.' },
  ]);
  assert.deepEqual(differences(state('confirmed', old, old.texts)), []);
  assert.deepEqual(differences(state('deleted', old, old.texts)).map((one) => [one.what, one.from, one.to]), [['ko', '하나', ''], ['ru', 'один', '']]);
});

test('the history of one term and of all are asked for where they are', async () => {
  const { book, asked } = made({ states: [] }, { states: [1] });
  assert.deepEqual([await book.history('a/b'), await book.history(null)], [[], [1]]);
  assert.deepEqual(asked.map(([path]) => path), ['/g/a%2Fb/history', '/g/history']);
});
