import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counted, engineOf, lineFigures, soundFigures } from '../self-test/figures.js';

test('a sentence stands out from the pauses between its words', () => {
  const windows = [...Array(30)].map((_, i) => ({ level: i % 3 ? 0.7 : 0.1, peak: i === 4 ? 1 : 0.4 }));
  assert.deepEqual(soundFigures(windows), { silence_db: -54, speech_db: -18, clipped_pct: 3.3 });
});

test('nothing heard is as quiet as the meter goes, nothing listened to as well', () => {
  assert.deepEqual(soundFigures([{ level: 0, peak: 0 }]), { silence_db: -60, speech_db: -60, clipped_pct: 0 });
  assert.deepEqual(soundFigures([]), { silence_db: -60, speech_db: -60, clipped_pct: 0 });
});

test('browsers are told by their own names', () => {
  const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';
  assert.deepEqual(engineOf(chrome), { engine: 'chrome', version: 140 });
  assert.deepEqual(engineOf(chrome.replace('Chrome', 'HeadlessChrome')), { engine: 'chrome', version: 140 });
  assert.deepEqual(engineOf(`${chrome} Edg/139.0.0.0`), { engine: 'edge', version: 139 });
  assert.deepEqual(engineOf(`${chrome} OPR/100.0`), { engine: 'other', version: 100 });
  assert.deepEqual(engineOf('Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'), { engine: 'firefox', version: 140 });
  const safari = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1';
  assert.deepEqual(engineOf(safari), { engine: 'safari', version: 17 });
  assert.deepEqual(engineOf('curl/8.0'), { engine: 'other', version: 0 });
});

/** @param {object[]} stats @returns {[string, any][]} */
const report = (...stats) => stats.map((stat, i) => [String(i), stat]);

test('rates are what arrived, and a loss on the way up is not one on the way down', () => {
  const sends = (/** @type {number} */ bytes, /** @type {number} */ packets, /** @type {number} */ lost, /** @type {number} */ at) => counted(report(
    { type: 'outbound-rtp', bytesSent: bytes, headerBytesSent: 0, packetsSent: packets },
    { type: 'remote-inbound-rtp', packetsLost: lost },
    { type: 'candidate-pair', nominated: true, currentRoundTripTime: 0.1234 },
  ), at);
  const receives = (/** @type {number} */ bytes, /** @type {number} */ packets, /** @type {number} */ lost, /** @type {number} */ at) => counted(report(
    { type: 'inbound-rtp', bytesReceived: bytes, packetsReceived: packets, packetsLost: lost }), at);
  const first = { sends: sends(1000, 10, 0, 0), receives: receives(500, 5, 0, 0) };
  const last = { sends: sends(1_001_000, 1010, 100, 8000), receives: receives(850_500, 855, 150, 8000) };
  assert.deepEqual(lineFigures(first, last), { up_kbps: 900, down_kbps: 850, loss_up_pct: 10, loss_down_pct: 5, round_trip_ms: 123 });
});

test('a line that carried nothing divides by nothing', () => {
  const nothing = { sends: counted([], 0), receives: counted([], 0) };
  assert.deepEqual(lineFigures(nothing, nothing), { up_kbps: 0, down_kbps: 0, loss_up_pct: 0, loss_down_pct: 0, round_trip_ms: null });
});
