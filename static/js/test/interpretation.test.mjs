import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordingOf } from '../review/clip.js';
import { flagsOn, languagesOf, laneOf, nextStep, rowsOf, stepsOf } from '../review/interpretation.js';
import { ownName } from '../cldr.js';

const span = (participant, from, to) => ({ participant, from, to });
const pair = (said, rendered, source, target) => ({ said, rendered, source, target, mode: 'consecutive' });
const found = {
  people: [
    { participant: 'kp', role: 'consulting_physician', languages: ['ko'] },
    { participant: 'lp', role: 'referring_physician', languages: ['ru'] },
    { participant: 'in', role: 'interpreter', languages: ['ru', 'ko'] },
  ],
  pairs: [
    pair([span('kp', 1000, 3000), span('kp', 4000, 5000)], span('in', 6000, 9000), 'ko', 'ru'),
    pair([span('lp', 10_000, 12_000)], span('in', 13_000, 15_000), 'ru', 'ko'),
  ],
  own: [{ ...span('in', 20_000, 22_000), signalled: true }],
  changes: [], flags: [],
};

test('the lanes are the languages in which something was said or rendered', () => {
  assert.deepEqual(languagesOf(found), ['ko', 'ru']);
  assert.deepEqual(languagesOf({ ...found, pairs: [pair([], span('in', 0, 1), 'ko', 'en')] }), ['en', 'ko', 'ru']);
});

test('in Korean one hears who speaks it, and the interpreter at the very seconds at which they render into it', () => {
  const heard = laneOf(found, 'ko');
  assert.equal(heard('kp', 1500), true);
  assert.equal(heard('lp', 10_500), false);
  assert.equal(heard('in', 7000), false);
  assert.equal(heard('in', 14_000), true);
  assert.equal(heard('in', 12_800), true, 'a voice begins a little before it is loud');
  assert.equal(heard('in', 15_500), false);
});

test('what nobody can assign to a language is heard in all of them, rather than nowhere', () => {
  assert.equal(laneOf(found, 'ko')('in', 21_000), true);
  assert.equal(laneOf(found, 'ru')('in', 21_000), true);
  assert.equal(laneOf(found, 'ru')('somebody', 1), true);
});

test('steps go from what was said to its rendering, and on', () => {
  const steps = stepsOf(found);
  assert.deepEqual(steps.map((one) => [one.part, one.from, one.to]), [
    ['said', 1000, 5000], ['rendered', 6000, 9000], ['said', 10_000, 12_000], ['rendered', 13_000, 15_000],
  ]);
  assert.equal(nextStep(steps, -1, 1, 5500), 2, 'the first one is what is said next');
  assert.equal(nextStep(steps, -1, 1, 90_000), 2);
  assert.equal(nextStep(steps, 2, 1, 0), 3);
  assert.equal(nextStep(steps, 3, 1, 0), 3);
  assert.equal(nextStep(steps, 0, -1, 0), 0);
  assert.equal(nextStep([], -1, 1, 0), -1);
});

test('what was set stands between the pairs where it was, and once', () => {
  const changes = [
    { at: 0, kind: 'mode', participant: null, value: 'consecutive' },
    { at: 10_500, kind: 'mode', participant: null, value: 'consecutive' },
    { at: 11_000, kind: 'mode', participant: null, value: 'simultaneous' },
    { at: 11_000, kind: 'direction', participant: 'in', value: 'ru>ko' },
  ];
  const rows = rowsOf({ ...found, changes }).map((row) => ('pair' in row ? row.index : row.change.value));
  assert.deepEqual(rows, ['consecutive', 0, 'simultaneous', 'ru>ko', 1]);
});

test('a flag belongs to the rendering that it lies on, also when its edges were found anew', () => {
  const flags = [span('in', 6050, 9100), span('in', 14_000, 15_000), span('kp', 6000, 9000)];
  assert.deepEqual(flagsOn(flags, found.pairs[0]), [flags[0]]);
});

test('a language is named in itself', () => {
  assert.equal(ownName('ko'), '한국어');
  assert.equal(ownName('ru'), 'Русский');
  assert.equal(ownName('not a code'), 'not a code');
});

test('the seconds around a flag are a recording that begins at the first of them', () => {
  const track = { id: 't', participant: 'kp', name: 'N', role: 'consulting_physician', language: 'ko', offset_ms: 5000, end_ms: 30_000, present: [[6000, 30_000]] };
  const made = recordingOf({ id: 'f', window: [5000, 40_000], started_at_ms: 100, from: 20_000, tracks: [track] });
  assert.equal(made.duration_ms, 25_000);
  assert.deepEqual([made.tracks[0].offset_ms, made.tracks[0].duration_ms, made.tracks[0].present], [0, 25_000, [[1000, 25_000]]]);
});
