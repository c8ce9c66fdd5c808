import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pauseShown } from '../room/pause.js';
import { initial, reduce } from '../room/reducer.js';

function snapshot(version, own, change = {}) {
  return {
    version, room: 'r', state: 'live', you: { participant: 'kp', abilities: ['join', 'pause'], connection: null },
    chair: 'kp', session: 's', started_at_ms: 0, knocks: [], pause: null,
    participants: [{
      id: 'kp', role: 'consulting_physician', name: 'Person kp', site: 'X', time_zone: 'Asia/Seoul', language: 'ko', verified: true,
      present: true, away: false, mic: true, camera: true, consent: 'granted', recorded: true, recordable: true, quality: null, ...own,
    }],
    ...change,
  };
}

const run = (...events) => events.reduce(reduce, initial());
const JOINED = [{ type: 'joining' }, { type: 'snapshot', snapshot: snapshot(1, {}), fresh: true }];
const PAUSE = { by: 'kp', reason: 'examination', since_ms: 1000 };
const lit = (state, now) => ({ type: 'recording', recording: { state, stored_until_ms: 900, degraded: [] }, now });

test('who takes consent back is held back until media has confirmed it, however long that takes', () => {
  const cut = run(...JOINED, { type: 'cut' });
  assert.equal(cut.cut, true);
  const told = reduce(cut, { type: 'decided', decision: 'declined' });
  assert.equal(told.cut, true, 'the books know, media has not said so');
  const known = reduce(told, { type: 'snapshot', snapshot: snapshot(2, { consent: 'declined', recorded: true }) });
  assert.equal(known.cut, true, 'the room knows, media has not said so');
  const confirmed = reduce(known, { type: 'snapshot', snapshot: snapshot(3, { consent: 'declined', recorded: false }) });
  assert.equal(confirmed.cut, false);
});

test('a seat that is not recorded for another reason is no confirmation', () => {
  const cut = run(...JOINED, { type: 'cut' }, { type: 'snapshot', snapshot: snapshot(2, { recorded: false }) });
  assert.equal(cut.cut, true);
});

test('who agrees again is not held back', () => {
  assert.equal(run(...JOINED, { type: 'cut' }, { type: 'decided', decision: 'granted' }).cut, false);
});

test('a pause is called one only once the store has said so, and over only when it records again', () => {
  const wanted = run(...JOINED, lit('recording', 1000), { type: 'snapshot', snapshot: snapshot(2, {}, { pause: PAUSE }) });
  assert.equal(pauseShown(wanted, 2000).phase, 'pausing');
  const paused = reduce(wanted, lit('paused', 2000));
  assert.deepEqual(pauseShown(paused, 2000), { phase: 'paused', by: 'kp', reason: 'examination', since_ms: 1000, minutes: 0, reminders: 0 });
  const over = reduce(paused, { type: 'snapshot', snapshot: snapshot(3, {}) });
  assert.equal(pauseShown(over, 3000).phase, 'resuming');
  assert.equal(over.notices.at(-1).message, 'notice-resumed');
  assert.equal(pauseShown(reduce(over, lit('recording', 3000)), 3000), null);
});

test('a pause is called uncertain when the server has been silent for five seconds', () => {
  const paused = run(...JOINED, lit('paused', 1000), { type: 'snapshot', snapshot: snapshot(2, {}, { pause: PAUSE }) });
  assert.equal(pauseShown(paused, 6000).phase, 'paused');
  assert.equal(pauseShown(paused, 6001).phase, 'pausing');
});

test('after five minutes, and each five after, everybody is reminded', () => {
  const at = (now) => pauseShown(run(...JOINED, lit('paused', now), { type: 'snapshot', snapshot: snapshot(2, {}, { pause: PAUSE }) }), now);
  assert.equal(at(300_999).reminders, 0);
  assert.deepEqual([at(301_000).reminders, at(301_000).minutes], [1, 5]);
  assert.deepEqual([at(960_000).reminders, at(960_000).minutes], [3, 15]);
});
