import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Mixer } from '../room/mixer.js';

class Stream {
  constructor(tracks) { this.tracks = tracks; }
  getAudioTracks() { return this.tracks; }
}
const node = () => ({ connect: (next) => next, disconnect: () => undefined, gain: { setTargetAtTime: () => undefined } });

/** A mixer whose graph runs or sleeps as the browser likes. */
function made(context) {
  globalThis.MediaStream = /** @type {any} */ (Stream);
  const mixer = new Mixer();
  Object.assign(context, { createGain: node, createMediaStreamSource: node });
  Object.assign(mixer, { context, into: node() });
  return mixer;
}

test('the graph plays and the element is muted, and what the graph does not play the element does', () => {
  const context = { state: 'running' };
  const mixer = made(context);
  const element = { srcObject: new Stream(['a']), muted: false, volume: 1 };
  mixer.attach('lp', element);
  assert.deepEqual([element.muted, mixer.carries(element)], [true, true]);
  context.state = 'suspended';
  mixer.refresh();
  assert.deepEqual([element.muted, mixer.carries(element)], [false, false]);
});

test('a track that is away while the graph falls asleep is heard from the element when it is back', () => {
  const context = { state: 'running' };
  const mixer = made(context);
  const element = { srcObject: new Stream(['a']), muted: false, volume: 1 };
  mixer.attach('lp', element);
  element.srcObject = new Stream([]);
  mixer.attach('lp', element);
  context.state = 'suspended';
  mixer.refresh();
  element.srcObject = new Stream(['b']);
  mixer.attach('lp', element);
  assert.equal(element.muted, false);
  context.state = 'running';
  mixer.refresh();
  assert.equal(element.muted, true);
});
