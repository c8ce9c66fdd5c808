import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawn, inOrder, lanesOf, lastPause, layerAt, lengthOf, presentAt, share, turnAt, WatchedSpans } from '../review/timeline.js';
import { hourMinute, span, weekdayDate, zoneName } from '../time.js';

const track = { offset_ms: 1000, duration_ms: 9000, present: [[1000, 4000], [6000, 10_000]] };

test('a track is present from its beginning up to, not including, its end', () => {
  assert.deepEqual([999, 1000, 3999, 4000, 6000].map((ms) => presentAt(track, ms)), [false, true, true, false, true]);
});

test('the share of the recording that a track holds is whole per cent', () => {
  assert.equal(share(track, 10_000), 70);
  assert.equal(share({ ...track, present: [[-50, 20_000]] }, 10_000), 100);
  assert.equal(share(track, 0), 0);
});

test('a recording without a length is as long as its longest track', () => {
  assert.equal(lengthOf({ duration_ms: null, tracks: [track] }), 10_000);
  assert.equal(lengthOf({ duration_ms: 12_000, tracks: [track] }), 12_000);
});

test('a gap is drawn inside the line, wide enough to be pointed at', () => {
  assert.deepEqual(drawn({ from: 2000, to: 4000 }, 10_000, 0.01), [0.2, 0.2]);
  assert.deepEqual(drawn({ from: 2000, to: 2001 }, 10_000, 0.01), [0.2, 0.01]);
  assert.deepEqual(drawn({ from: 8000, to: 99_000 }, 10_000, 0.01), [0.8, 1 - 0.8]);
  assert.deepEqual(drawn({ from: 10_400, to: 99_000 }, 10_000, 0.01), [0.99, 0.01]);
});

test('a pause to the very end is told from one that something follows', () => {
  const paused = (from, to) => ({ from, to, cause: 'paused' });
  const recording = (...gaps) => ({ duration_ms: 10_000, tracks: [], gaps });
  assert.equal(lastPause(recording(paused(2000, 4000))), null);
  assert.equal(lastPause(recording({ from: 9900, to: 12_000, cause: 'left' })), null);
  assert.equal(lastPause(recording(paused(2000, 4000), paused(9600, 30_000))).from, 9600);
  assert.equal(lastPause(recording(paused(10_040, 10_050))).from, 10_040);
});

test('steps of playing join to one span, a jump begins another', () => {
  const spans = new WatchedSpans();
  for (const ms of [0, 100, 200, 5000, 5100]) spans.at(ms, 500);
  assert.deepEqual(spans.take(), [[0, 200], [5000, 5100]]);
  assert.deepEqual(spans.take(), []);
});

test('standing still adds nothing, and what was skipped during a pause is not watched', () => {
  const spans = new WatchedSpans();
  spans.at(0, 500);
  spans.at(100, 500);
  spans.cut();
  spans.at(300, 500);
  spans.at(300, 500);
  spans.at(400, 500);
  assert.deepEqual(spans.take(), [[0, 100], [300, 400]]);
});

test('after spans were told, playing on goes on where they ended', () => {
  const spans = new WatchedSpans();
  spans.at(0, 500);
  spans.at(300, 500);
  spans.take();
  spans.at(600, 500);
  assert.deepEqual(spans.take(), [[300, 600]]);
});

test('one instant is told in both places’ time, each with its own day', () => {
  const at = Date.UTC(2026, 10, 23, 18, 30);
  assert.equal(hourMinute(at, 'en', 'Asia/Almaty'), '23:30');
  assert.equal(hourMinute(at, 'en', 'Asia/Seoul'), '03:30');
  assert.equal(weekdayDate(at, 'en', 'Asia/Almaty'), 'Mon, Nov 23');
  assert.equal(weekdayDate(at, 'en', 'Asia/Seoul'), 'Tue, Nov 24');
  assert.equal(zoneName(at, 'en', 'Asia/Seoul'), 'GMT+9');
  assert.equal(zoneName(at, 'en', 'No/Where'), 'UTC');
});

test('spans are read as minutes and seconds, hours only when there are some', () => {
  assert.deepEqual([0, 59_999, 61_000, 3_661_000, -5].map(span), ['0:00', '0:59', '1:01', '1:01:01', '0:00']);
});

test('tracks stand in the same order in every recording, a picture before its voice', () => {
  const of = (role, kind) => ({ role, kind, participant: role });
  const mixed = [of('interpreter', 'audio'), of('reviewer', 'audio'), of('consulting_physician', 'audio'), of('referring_physician', 'audio'), of('referring_physician', 'camera')];
  assert.deepEqual(inOrder(mixed).map((one) => `${one.role} ${one.kind}`), [
    'referring_physician camera', 'referring_physician audio', 'consulting_physician audio', 'interpreter audio', 'reviewer audio',
  ]);
});

const high = { id: 's-camera', participant: 's', kind: 'camera', rid: 'h', present: [[0, 4000], [8000, 9000]], gaps: [{ from: 4000, to: 8000, cause: 'layer_off' }, { from: 9000, to: 12_000, cause: 'left' }] };
const low = { ...high, id: 's-camera-l', rid: 'l', present: [[500, 6000], [8000, 10_000]], gaps: [] };
const voice = { id: 's-audio', participant: 's', kind: 'audio', rid: '', present: [[0, 9000]], gaps: [] };

test('a picture in layers is one lane, there where either layer is', () => {
  const [picture, sound] = lanesOf([low, high, voice]);
  assert.equal(picture.id, 's-camera');
  assert.deepEqual(picture.present, [[0, 6000], [8000, 10_000]]);
  assert.deepEqual(picture.gaps, [{ from: 6000, to: 8000, cause: 'layer_off' }, { from: 10_000, to: 12_000, cause: 'left' }]);
  assert.deepEqual(sound.layers, [voice]);
  assert.equal(lanesOf([low])[0].id, 's-camera-l');
});

test('whoever is looked at is sharp, the others thin, and either stands in for the other', () => {
  const [picture] = lanesOf([high, low]);
  assert.equal(layerAt(picture, 1000, true), high);
  assert.equal(layerAt(picture, 1000, false), low);
  assert.equal(layerAt(picture, 5000, true), low);
  assert.equal(layerAt(picture, 100, false), high);
  assert.equal(layerAt(picture, 7000, true), high);
});

test('a picture is turned as its sender said last', () => {
  const phone = { ...high, rotations: [[1000, 90], [5000, 0], [6000, 270]] };
  assert.deepEqual([999, 1000, 4999, 5000, 9000].map((ms) => turnAt(phone, ms)), [0, 90, 90, 0, 270]);
  assert.equal(turnAt(voice, 1000), 0);
});
