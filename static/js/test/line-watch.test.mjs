import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesReceived, LineWatch } from '../room/line-watch.js';

/** Feeds a counter that grows every `every` ms, looked at each 250 ms. */
function flow(watch, from, until, every) {
  const told = [];
  for (let now = from; now <= until; now += 250) if (watch.look(Math.floor(now / every), now)) told.push(now);
  return told;
}

test('a line that goes silent is told once, within a second or so', () => {
  const watch = new LineWatch();
  assert.deepEqual(flow(watch, 0, 5000, 100), []);
  const told = [];
  for (let now = 5250; now < 9000; now += 250) if (watch.look(50, now)) told.push(now);
  assert.equal(told.length, 1);
  assert.ok(told[0] <= 6000, `${told}`);
  assert.equal(watch.stalled, true);
  watch.look(51, 9000);
  assert.equal(watch.stalled, false);
});

test('where packets come seldom, a pause as long as usual is no fall', () => {
  for (const every of [700, 1100, 2000]) assert.deepEqual(flow(new LineWatch(), 0, 60_000, every), []);
});

test('nobody looked for a while: that is no fall of the line', () => {
  const watch = new LineWatch();
  flow(watch, 0, 5000, 100);
  assert.equal(watch.look(50, 65_000), false);
  assert.equal(watch.look(50, 65_250), false);
});

test('a browser that does not count its transport is judged by its candidate pairs', () => {
  const pair = ['p', { type: 'candidate-pair', bytesReceived: 5 }];
  assert.equal(bytesReceived([['t', { type: 'transport', bytesReceived: 7 }], pair]), 7);
  assert.equal(bytesReceived([pair, ['t', { type: 'transport' }]]), 5);
});
