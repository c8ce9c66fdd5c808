import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Wholeness, meterOf } from '../room/sources.js';

const report = (packetsReceived, packetsLost, more = {}) => [['a', { type: 'inbound-rtp', packetsReceived, packetsLost, ...more }]];

test('a meter is straight in decibels: silence is empty, full scale is full', () => {
  assert.equal(meterOf(undefined), 0);
  assert.equal(meterOf(0), 0);
  assert.equal(meterOf(1), 1);
  assert.ok(Math.abs(meterOf(0.1) - 2 / 3) < 1e-9);
});

test('loss is of late, not of ever', () => {
  const whole = new Wholeness();
  whole.read(report(100, 50));
  assert.equal(whole.quality, null, 'one look is no difference');
  whole.read(report(200, 50));
  assert.deepEqual([whole.loss, whole.quality], [0, 'good']);
  whole.read(report(280, 70));
  assert.deepEqual([whole.loss, whole.quality], [0.2, 'poor']);
});

test('sound that was made up counts as lost, and silence that was made up does not', () => {
  const whole = new Wholeness();
  whole.read(report(100, 0, { totalSamplesReceived: 0, concealedSamples: 0, silentConcealedSamples: 0 }));
  whole.read(report(200, 0, { totalSamplesReceived: 1000, concealedSamples: 50, silentConcealedSamples: 0 }));
  assert.equal(whole.quality, 'fair');
  whole.read(report(300, 0, { totalSamplesReceived: 2000, concealedSamples: 150, silentConcealedSamples: 100 }));
  assert.equal(whole.quality, 'good');
});

test('who sends nothing is neither well nor badly received', () => {
  const whole = new Wholeness();
  whole.read(report(100, 0));
  whole.read(report(100, 0));
  assert.deepEqual([whole.loss, whole.quality], [null, null]);
});
