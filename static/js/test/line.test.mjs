import assert from 'node:assert/strict';
import test from 'node:test';
import { isThin, pausedFor, roughKbit, unseenBy } from '../room/line.js';
import { shownIn } from '../room/shown.js';
import { connectionWords, initial, reduce } from '../room/reducer.js';

const thin = { mode: 'thin', down_bps: 183_000, paused: [{ participant: 'b', kind: 'camera', why: 'thin' }] };
const people = [
  { id: 'a', name: 'A', present: true, line: thin },
  { id: 'b', name: 'B', present: true, line: { mode: 'full', down_bps: 0, paused: [] } },
  { id: 'c', name: 'C', present: false, line: thin },
  { id: 'd', name: 'D', present: true, line: null },
];

test('a picture is paused for whom the server says, and for nobody else', () => {
  assert.equal(pausedFor(people[0], 'b', 'camera')?.why, 'thin');
  assert.equal(pausedFor(people[0], 'b', 'screen'), null);
  assert.equal(pausedFor(people[1], 'b', 'camera'), null);
  assert.equal(pausedFor(people[3], 'b', 'camera'), null);
  assert.equal(pausedFor(null, 'b', 'camera'), null);
});

test('one is told who of those present does not see one', () => {
  assert.deepEqual(unseenBy(people, 'b'), ['A']);
  assert.deepEqual(unseenBy(people, 'a'), []);
});

test('a rate is said in tens, and not at all when it is not known', () => {
  assert.deepEqual([183_000, 3_000, 0].map(roughKbit), [180, 10, null]);
});

test('a thin line is said in the bar', () => {
  assert.equal(isThin(people[0]), true);
  let state = reduce({ ...initial(), phase: 'room' }, { type: 'media', state: 'connected', now: 0 });
  state = { ...state, link: 'online', snapshot: { you: { participant: 'a', abilities: [] }, participants: people } };
  assert.equal(connectionWords(state, 10_000).message, 'connection-thin');
});

test('heights are told in device pixels and in steps, the largest of a picture shown twice', () => {
  const tile = (participant, height, kind) => ({ dataset: { participant, kind }, querySelector: () => null, getBoundingClientRect: () => ({ height }) });
  assert.deepEqual(shownIn([tile('b', 101), tile('a', 0), tile('b', 230), tile('a', 500, 'screen')], 2), [
    { participant: 'a', kind: 'camera', height: 0 },
    { participant: 'a', kind: 'screen', height: 1000 },
    { participant: 'b', kind: 'camera', height: 480 },
  ]);
});
