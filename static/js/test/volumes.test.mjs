import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CEILING, MAKE_UP, curve } from '../room/limiter.js';
import { GENTLE, glide, volumesOf } from '../room/volumes.js';
import { wishesFrom } from '../room/wishes.js';

const room = (levels, mode = 'consecutive', own = 'kp') => ({
  you: { participant: own, levels },
  participants: [{ id: 'lp', role: 'referring_physician' }, { id: 'kp', role: 'consulting_physician' }, { id: 'in', role: 'interpreter' }],
  interpretation: { mode },
});
const heard = (...given) => Object.fromEntries(volumesOf(...given));

test('whoever speaks goes gently down while the interpreter renders, and comes back', () => {
  const levels = { lp: 'front', in: 'front' };
  assert.deepEqual(heard(room(levels), 'in', 0.1), { lp: GENTLE, in: 1 });
  assert.deepEqual(heard(room(levels), 'lp', 0.1), { lp: 1, in: 1 });
  assert.deepEqual(heard(room(levels), null, 0.1), { lp: 1, in: 1 });
});

test('the interpreter hears nobody more softly for their own rendering', () => {
  assert.deepEqual(heard(room({ lp: 'front', kp: 'front' }, 'consecutive', 'in'), 'in', 0.1), { lp: 1, kp: 1 });
});

test('what stands behind is as loud as the listener chose, and only the server puts it there', () => {
  assert.deepEqual(heard(room({ lp: 'behind', in: 'front' }, 'simultaneous'), 'in', 0.1), { lp: 0.1, in: 1 });
  assert.deepEqual(heard(room({ lp: 'off', in: 'front' }, 'simultaneous'), 'lp', 0.1), { lp: 0, in: 1 });
  assert.deepEqual(heard(room({ lp: 'front', in: 'off' }, 'simultaneous'), 'in', 0.1), { lp: 1, in: 0 });
});

test('whom the server says nothing of is heard: a page must not silence anybody', () => {
  assert.deepEqual(heard(room(undefined), null, 0), { lp: 1, in: 1 });
  assert.equal(volumesOf(null, null, 0).size, 0);
});

test('a volume glides without a step that would click, and arrives', () => {
  let volume = 1;
  let steps = 0;
  while (volume !== GENTLE) {
    const next = glide(volume, GENTLE, 20);
    assert.ok(next < volume && volume - next < 0.12, `${volume} → ${next}`);
    volume = next;
    steps += 1;
  }
  assert.ok(steps * 20 < 500, `${steps * 20} ms`);
  assert.equal(glide(0, 1, 10_000), 1);
});

test('what is cut off is inaudible in a ninth of a second, and what begins is there at once', () => {
  let volume = 1;
  for (let ms = 0; ms < 120; ms += 20) {
    const next = glide(volume, 0, 20);
    assert.ok(next >= volume / 3, 'no step that clicks');
    volume = next;
  }
  assert.ok(volume <= 0.01, `${volume} after 120 ms`);
  volume = 0;
  for (let ms = 0; ms < 60; ms += 20) volume = glide(volume, 1, 20);
  assert.ok(volume > 0.7, `${volume} after 60 ms`);
});

test('no sample passes the ceiling, and the limiter makes nothing louder', () => {
  const points = curve();
  assert.equal(Math.max(...points), CEILING);
  assert.equal(Math.min(...points), -CEILING);
  assert.equal(points[512], 0);
  assert.ok(Math.abs(points[512 + 128] - 0.25) < 1e-6, 'speech passes as it is');
  assert.ok(MAKE_UP > 2 && MAKE_UP < 4, String(MAKE_UP));
});

test('choices that are damaged or somebody else’s are as if there were none', () => {
  const plain = wishesFrom(null);
  assert.equal(plain.keys, true);
  for (const text of ['{', 'null', '7', '{"behind": 3, "hearing": "x"}', '{"behind": "loud"}']) assert.deepEqual(wishesFrom(text), plain);
  assert.deepEqual(wishesFrom('{"behind": 0, "keys": false, "hearing": "both"}'), { behind: 0, keys: false, hearing: 'both' });
});
