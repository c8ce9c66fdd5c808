import assert from 'node:assert/strict';
import { test } from 'node:test';
import { difference, Plugged } from '../room/plugged.js';

const mic = (id, label = id) => ({ deviceId: id, kind: 'audioinput', label });
const speaker = (id) => ({ deviceId: id, kind: 'audiooutput', label: id });
const track = (id) => ({ label: id, getSettings: () => ({ deviceId: id }) });
const settled = () => new Promise((resolve) => setImmediate(resolve));

class Desk extends EventTarget {
  constructor(list, used) {
    super();
    Object.assign(this, { list, audio: used ? track(used) : null, camera: null, choice: {}, micOn: true, cameraOn: true, asked: [], next: null });
  }
  async again(kind) { this.asked.push(kind); this[kind] = this.next ? track(this.next) : null; }
  async choose(kind, id) { this.choice[kind] = id; }
  now(list) { this.list = list; this.dispatchEvent(new Event('change')); return settled(); }
}

async function made(list, used) {
  const desk = new Desk(list, used);
  const plugged = new Plugged(desk);
  await desk.now(list);
  return { desk, plugged };
}

test('the stand-ins of the system are no devices of their own', () => {
  assert.deepEqual(difference([mic('a')], [mic('a'), mic('default'), mic('communications')]), { came: [], went: [] });
});

test('a microphone that is plugged in is offered, and nothing is changed by itself', async () => {
  const { desk, plugged } = await made([mic('a')], 'a');
  assert.equal(plugged.news, null);
  await desk.now([mic('a'), mic('b', 'Headset')]);
  assert.deepEqual(plugged.news, { kind: 'audio', code: 'plugged', id: 'b', label: 'Headset' });
  assert.deepEqual(desk.asked, []);
});

test('the names that come with the permission are no news', async () => {
  const { plugged } = await made([], null);
  await plugged.devices.now([mic('a'), mic('b')]);
  assert.equal(plugged.news, null);
});

test('a microphone in use that is pulled out is replaced, and both are named', async () => {
  const { desk, plugged } = await made([mic('a'), mic('b', 'Headset')], 'b');
  desk.next = 'a';
  desk.audio = null; // its track ended a moment before
  await desk.now([mic('a')]);
  assert.deepEqual(desk.asked, ['audio']);
  assert.deepEqual(plugged.news, { kind: 'audio', code: 'replaced', label: 'Headset', now: 'a' });
});

test('one that is pulled out and was not in use is no news', async () => {
  const { desk, plugged } = await made([mic('a'), mic('b')], 'a');
  await desk.now([mic('a')]);
  assert.deepEqual([plugged.news, desk.asked], [null, []]);
});

test('where nothing takes its place, the banner of the missing device speaks and this is silent', async () => {
  const { desk, plugged } = await made([mic('a'), speaker('s')], 'a');
  desk.audio = null;
  await desk.now([speaker('s')]);
  assert.equal(plugged.news, null);
});

test('a chosen loudspeaker that is gone gives way to the usual one', async () => {
  const { desk, plugged } = await made([mic('a'), speaker('s')], 'a');
  desk.choice.speaker = 's';
  await desk.now([mic('a')]);
  assert.equal(desk.choice.speaker, '');
  assert.equal(plugged.news.code, 'replaced');
});
