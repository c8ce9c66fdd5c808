import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initial } from '../room/reducer.js';
import { asksIn, held, places, waits } from '../room/prebrief.js';

const ZONES = { lp: 'Asia/Almaty', pt: 'Asia/Almaty', kp: 'Asia/Seoul', in: 'Asia/Seoul' };
const ROLES = { lp: 'referring_physician', pt: 'patient', kp: 'consulting_physician', in: 'interpreter' };
function room(own, changed = {}, abilities = []) {
  const participants = Object.keys(ZONES).map((id) => ({
    id, name: `Person ${id}`, role: ROLES[id], site: ZONES[id], time_zone: ZONES[id], present: true, out: false, waits: false, ...changed[id],
  }));
  return { ...initial(), phase: 'room', snapshot: { you: { participant: own, abilities }, participants } };
}
const WAITS = { pt: { out: true, waits: true } };

test('the waiting page is for who waits, and for a patient of whom nothing is known yet', () => {
  assert.equal(waits(room('pt', WAITS)), true);
  assert.equal(waits(room('kp', WAITS)), false);
  assert.equal(waits(room('pt')), false);
  assert.equal(waits(room('pt', { pt: { out: true } })), false, 'who has been in and stepped out sees the room');
  const joining = (role) => ({ ...initial(), phase: 'room', seat: { seat: { role } } });
  assert.equal(waits(joining('patient')), true);
  assert.equal(waits(joining('interpreter')), false);
  assert.equal(waits({ ...joining('patient'), full: 1 }), false, 'the server is full: that is said in the room');
  assert.equal(waits({ ...room('pt', WAITS), phase: 'over' }), false);
});

test('who may let somebody in sees all who are out, an interpreter those who wait, a patient nobody', () => {
  const out = { ...WAITS, in: { out: true } };
  assert.deepEqual(held(room('lp', out, ['step_out'])).map((person) => person.id), ['pt', 'in']);
  assert.deepEqual(held(room('in', WAITS, ['interpret'])).map((person) => person.id), ['pt']);
  assert.deepEqual(held(room('in', { lp: { out: true } }, ['interpret'])), []);
  assert.deepEqual(held(room('pt', { in: { out: true, waits: true, present: false } }, ['chat'])), []);
  const absent = { pt: { ...WAITS.pt, present: false } };
  assert.deepEqual(held(room('kp', absent, ['step_out'])).map((person) => person.present), [false]);
});

test('somebody asks in when they sit outside, and only those are told who may answer', () => {
  assert.equal(asksIn(room('lp', WAITS, ['step_out'])), true);
  assert.equal(asksIn(room('in', WAITS, ['interpret'])), false);
  assert.equal(asksIn(room('lp', { pt: { ...WAITS.pt, present: false } }, ['step_out'])), false);
  assert.equal(asksIn(room('lp', { pt: { out: true } }, ['step_out'])), false);
});

test('each place has one clock, one’s own first', () => {
  assert.deepEqual(places(room('pt', WAITS)), [
    { site: 'Asia/Almaty', zone: 'Asia/Almaty', own: true }, { site: 'Asia/Seoul', zone: 'Asia/Seoul', own: false },
  ]);
  assert.deepEqual(places({ ...initial(), phase: 'room' }), []);
});
