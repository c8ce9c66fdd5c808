import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isStill, sparing, survivors, survives } from '../room/survival.js';

const person = (id, mode, more = {}) => ({ id, present: true, camera: true, line: mode && { mode, down_bps: 0, paused: [] }, ...more });
const room = (own, ...participants) => ({ snapshot: { you: { participant: own }, participants } });

test('a line is thin by the word of media alone, and only of who is there', () => {
  assert.equal(survives(person('a', 'survival')), true);
  assert.equal(survives(person('a', 'thin')), false);
  assert.equal(survives(person('a', null)), false);
  assert.equal(survives(person('a', 'survival', { present: false })), false);
});

test('oneself is named first', () => {
  const state = room('b', person('a', 'survival'), person('b', 'survival'), person('c', 'full'));
  assert.deepEqual(survivors(state).map((one) => one.id), ['b', 'a']);
});

test('everybody spares the voice for one thin line, and only its own page the pictures', () => {
  const people = [person('a', 'survival'), person('b', 'full')];
  assert.deepEqual(sparing(room('b', ...people)), { audio: true, camera: false });
  assert.deepEqual(sparing(room('a', ...people)), { audio: true, camera: true });
  assert.deepEqual(sparing(room('a', person('a', 'thin'))), { audio: false, camera: false });
  assert.deepEqual(sparing({ snapshot: null }), { audio: false, camera: false });
});

test('pictures are stills to and from a thin line, and between good lines they move', () => {
  const [a, b, c] = [person('a', 'survival'), person('b', 'full'), person('c', 'full')];
  assert.equal(isStill(room('b', a, b, c), a), true);
  assert.equal(isStill(room('b', a, b, c), c), false);
  assert.equal(isStill(room('a', a, b, c), c), true);
  assert.equal(isStill(room('a', a, b, { ...c, camera: false }), { ...c, camera: false }), false);
});
