import assert from 'node:assert/strict';
import { test } from 'node:test';
import { levelOf, QualityMeter } from '../room/quality.js';

const report = (received, lost, { rtt = 0.1, up = 0 } = {}) => [
  ['pair', { type: 'candidate-pair', nominated: true, currentRoundTripTime: rtt }],
  ['in', { type: 'inbound-rtp', packetsReceived: received, packetsLost: lost }],
  ['out', { type: 'remote-inbound-rtp', fractionLost: up }],
];

test('loss is counted since the last report, not since the beginning', () => {
  const meter = new QualityMeter();
  meter.read(report(1000, 100), 'a');
  assert.deepEqual(meter.read(report(1990, 110), 'a'), { rtt_ms: 100, loss_up: 0, loss_down: 0.01, up_bps: null, level: 'good' });
});

test('another connection begins to count anew', () => {
  const meter = new QualityMeter();
  meter.read(report(1000, 500), 'a');
  assert.equal(meter.read(report(100, 0), 'b').loss_down, 0);
});

test('recovered packets never make loss negative', () => {
  const meter = new QualityMeter();
  meter.read(report(100, 20), 'a');
  assert.equal(meter.read(report(200, 10), 'a').loss_down, 0);
});

test('nothing to judge by gives no judgement', () => {
  assert.equal(new QualityMeter().read([], 'a'), null);
});

test('the worse of delay and loss decides the word', () => {
  assert.equal(levelOf(150, 0, 0.01), 'good');
  assert.equal(levelOf(150, 0.05, 0), 'fair');
  assert.equal(levelOf(150, 0, 0.2), 'poor');
  assert.equal(levelOf(400, 0, 0), 'fair');
  assert.equal(levelOf(900, 0, 0), 'poor');
  assert.equal(levelOf(null, 0, 0), 'good');
});

test('what can be sent is told only while it holds the picture back', () => {
  const sending = (why) => [
    ['pair', { type: 'candidate-pair', nominated: true, currentRoundTripTime: 0.1, availableOutgoingBitrate: 61_234.5 }],
    ['voice', { type: 'outbound-rtp' }],
    ['camera', { type: 'outbound-rtp', qualityLimitationReason: why }],
  ];
  assert.equal(new QualityMeter().read(sending('bandwidth'), 'a').up_bps, 61_235);
  assert.equal(new QualityMeter().read(sending('none'), 'a').up_bps, null);
});
