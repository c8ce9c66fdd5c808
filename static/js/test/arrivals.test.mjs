import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arrivals } from '../room/arrivals.js';

const MINUTE = 60_000;
const people = [{ id: 'in', name: 'Interpreter', present: false }];
const three = { participant: 'in', ready_in_ms: 3 * MINUTE, said_ago_ms: 0, ready: false };

test('the minutes are counted down from when it was heard, and end in a word', () => {
  const arrivals = new Arrivals();
  arrivals.heard(three, 1000);
  const at = (ms) => arrivals.coming(people, 1000 + ms)[0];
  assert.equal(at(0).minutes, 3);
  assert.equal(at(61_000).minutes, 2);
  assert.deepEqual([at(3 * MINUTE).minutes, at(3 * MINUTE).late], [0, true]);
  assert.equal(at(8 * MINUTE), undefined);
});

test('who has come is not on the way any more, and neither is who took it back', () => {
  const arrivals = new Arrivals();
  arrivals.heard(three, 0);
  assert.deepEqual(arrivals.coming([{ ...people[0], present: true }], 0), []);
  arrivals.heard({ participant: 'in', ready_in_ms: null }, 0);
  assert.deepEqual(arrivals.coming(people, 0), []);
});

test('ready is believed for a quarter of an hour', () => {
  const arrivals = new Arrivals();
  arrivals.all([{ ...three, ready_in_ms: 0, said_ago_ms: 5 * MINUTE, ready: true }], 10 * MINUTE);
  assert.equal(arrivals.coming(people, 10 * MINUTE)[0].ready, true);
  assert.deepEqual(arrivals.coming(people, 20 * MINUTE), []);
});
