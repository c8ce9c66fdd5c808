import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HEARD_BEFORE_MS, NEVER_HEARD_MS, SilentMic } from '../room/silent-mic.js';

test('a microphone that never gave anything is named after eight seconds and forgotten with the first sound', () => {
  const mic = new SilentMic();
  assert.equal(mic.look(0, 1000), false);
  assert.equal(mic.look(0, 1000 + NEVER_HEARD_MS - 1), false);
  assert.equal(mic.look(0, 1000 + NEVER_HEARD_MS), true);
  assert.equal(mic.look(0.2, 10_000), false);
});

test('one that was heard is believed for longer, because a noise filter makes a quiet room nearly silent', () => {
  const mic = new SilentMic();
  mic.look(0.2, 0);
  mic.look(0, 100);
  assert.equal(mic.look(0, 100 + NEVER_HEARD_MS), false);
  assert.equal(mic.look(0, 100 + HEARD_BEFORE_MS), true);
});

test('the noise of a quiet room is no silence', () => {
  const mic = new SilentMic();
  for (let now = 0; now < 60_000; now += 80) assert.equal(mic.look(3e-5, now), false);
});

test('while nobody may listen nothing is said, and afterwards it is judged from the beginning', () => {
  const mic = new SilentMic();
  mic.look(0, 0);
  assert.equal(mic.look(null, NEVER_HEARD_MS), false);
  assert.equal(mic.look(0, NEVER_HEARD_MS + 1), false);
});
