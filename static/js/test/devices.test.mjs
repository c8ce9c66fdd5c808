import assert from 'node:assert/strict';
import { test } from 'node:test';

if (!('navigator' in globalThis)) globalThis.navigator = {};
const { Devices } = await import('../room/devices.js');

class Track extends EventTarget {
  constructor(kind) {
    super();
    Object.assign(this, { kind, enabled: true, contentHint: '' });
  }

  stop() {}
}

function open() {
  const devices = new Devices();
  devices.keep({ getTracks: () => [new Track('audio'), new Track('video')] });
  return devices;
}

const leave = (devices) => [devices.audio.enabled, devices.camera.enabled];

test('what is withheld is silent and black in the same instant, and is back as it was switched', () => {
  const devices = open();
  devices.withhold(true);
  assert.deepEqual(leave(devices), [false, false]);
  assert.deepEqual([devices.micOn, devices.cameraOn], [true, true]);
  devices.withhold(false);
  assert.deepEqual(leave(devices), [true, true]);
});

test('no switch, key or other device opens what is withheld', async () => {
  const devices = open();
  devices.withhold(true);
  await devices.setMic(false);
  await devices.setMic(true);
  await devices.setCamera(true);
  devices.talk(true);
  devices.hush('cough', false);
  devices.keep({ getTracks: () => [new Track('audio'), new Track('video')] });
  assert.deepEqual(leave(devices), [false, false]);
  devices.talk(false);
  devices.hush('cough', true);
  devices.withhold(false);
  assert.deepEqual(leave(devices), [false, true], 'one still coughs');
});
