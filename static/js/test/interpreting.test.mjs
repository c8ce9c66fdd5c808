import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  REMIND_EVERY_MS, directionOf, directionsOf, followed, handoverStep, nextSource, partners, putAside, reminderDue, said, seatAnew, signalShown, signalled, turnLight, turned,
} from '../room/interpreting.js';

const person = (id, role, more = {}) => ({ id, role, name: id, present: true, away: false, out: false, ...more });
const LP = person('lp', 'referring_physician');
const KP = person('kp', 'consulting_physician');
const IN = person('in', 'interpreter', { speaks: ['ru', 'ko'] });
const IN2 = person('in2', 'interpreter', { speaks: ['ru', 'ko'] });
const room = (more = {}, people = [LP, KP, IN], own = 'kp') => ({
  you: { participant: own, abilities: [], connection: null, levels: {}, listening: null }, participants: people,
  interpretation: { mode: 'consecutive', active: 'in', direction: null, floor: null, floor_by: 'voice', handover: null, both_open: false, muted: null, ...more },
});

test('the turn goes from the speaker to the interpreter and back to a speaker', () => {
  let seat = followed(seatAnew(), room(), 0);
  assert.deepEqual(turnLight(seat, room()), { kind: null, holder: null, next: null, byHand: false });
  seat = turned(seat, room(), 'lp');
  assert.deepEqual(turnLight(seat, room()), { kind: 'speaker', holder: 'lp', next: null, byHand: false });
  seat = turned(seat, room(), null);
  assert.equal(turnLight(seat, room()).next, 'interpreter');
  seat = turned(turned(seat, room(), 'in'), room(), null);
  assert.equal(turnLight(seat, room()).next, 'speaker');
});

test('nobody is asked to take their turn where all speak at once, or where no interpreter is', () => {
  const seat = turned(turned(followed(seatAnew(), room(), 0), room(), 'lp'), room(), null);
  assert.equal(turnLight(seat, room({ mode: 'simultaneous' })).next, null);
  assert.equal(turnLight(seat, room({}, [LP, KP])).next, null);
});

test('an interpreter who drops is named until one is back, and who never came is not', () => {
  let seat = followed(seatAnew(), room({ active: null }, [LP, KP, { ...IN, present: false }]), 0);
  assert.equal(seat.lost, null);
  seat = followed(seat, room(), 0);
  assert.equal(seat.lost, null);
  for (const gone of [{ away: true }, { present: false }, { out: true }]) {
    assert.equal(followed(seat, room({ active: null }, [LP, KP, { ...IN, ...gone }]), 0).lost, 'in');
  }
  const dropped = followed(seat, room({ active: null }, [LP, KP, { ...IN, away: true }]), 0);
  assert.equal(followed(dropped, room({ active: null }, [LP, KP, { ...IN, present: false }]), 0).lost, 'in');
  assert.equal(followed(dropped, room(), 0).lost, null);
  assert.equal(followed(seat, room({ active: 'in2' }, [LP, KP, { ...IN, away: true }, IN2]), 0).lost, null, 'another one renders');
});

test('a reminder comes every twenty minutes of one interpreter, can be put aside, and begins anew with the next', () => {
  let seat = followed(seatAnew(), room(), 1000);
  assert.equal(reminderDue(seat, 1000 + REMIND_EVERY_MS - 1), 0);
  assert.equal(reminderDue(seat, 1000 + REMIND_EVERY_MS), 1);
  seat = putAside(followed(seat, room(), 5000), 1000 + REMIND_EVERY_MS);
  assert.equal(reminderDue(seat, 1000 + REMIND_EVERY_MS + 1), 0);
  assert.equal(reminderDue(seat, 1000 + 2 * REMIND_EVERY_MS), 2);
  seat = followed(seat, room({ active: 'in2' }, [LP, KP, IN, IN2]), 2 * REMIND_EVERY_MS);
  assert.equal(reminderDue(seat, 2 * REMIND_EVERY_MS + 1000), 0);
  assert.equal(reminderDue(seatAnew(), 1e12), 0);
});

test('a signal is shown for a glance and the newest replaces the one before', () => {
  let seat = signalled(seatAnew(), { by: 'in', kind: 'repeat', at_ms: 5 }, 1000);
  seat = signalled(seat, { by: 'in', kind: 'slower', at_ms: 6 }, 2000);
  assert.equal(signalShown(seat, 13_999)?.kind, 'slower');
  assert.equal(signalShown(seat, 14_000), null);
});

test('the line between interpreters keeps only what is on the screen', () => {
  let seat = seatAnew();
  for (let i = 0; i < 60; i += 1) seat = said(seat, { by: 'in', text: String(i), at_ms: i });
  assert.equal(seat.texts.length, 50);
  assert.equal(seat.texts.at(-1)?.text, '59');
});

test('one key asks for a hand-over, takes it back or accepts it', () => {
  const two = [LP, KP, IN, IN2];
  assert.equal(handoverStep(room({}, two, 'in')), 'request');
  assert.equal(handoverStep(room({ handover: { by: 'in', since_ms: 1 } }, two, 'in')), 'cancel');
  assert.equal(handoverStep(room({ handover: { by: 'in', since_ms: 1 } }, two, 'in2')), 'accept');
  assert.equal(handoverStep(room({}, [LP, KP, IN], 'in')), null);
  assert.equal(handoverStep(room({}, [LP, KP, IN, { ...IN2, away: true }], 'in')), null);
  assert.deepEqual(partners(room({}, [LP, KP, IN, { ...IN2, away: true }], 'in')).map((one) => one.id), ['in2']);
  assert.deepEqual(partners(room({}, [LP, KP, IN, { ...IN2, out: true }], 'in')), []);
});

test('who renders and has dropped is not waited for: the other one’s key takes over', () => {
  assert.equal(handoverStep(room({}, [LP, KP, { ...IN, away: true }, IN2], 'in2')), 'request');
  assert.equal(handoverStep(room({ active: 'in2' }, [LP, KP, { ...IN, away: true }, IN2], 'in2')), null);
});

test('directions are those between an interpreter’s own languages', () => {
  assert.deepEqual(directionOf(IN), { source: 'ru', target: 'ko' });
  assert.deepEqual(directionOf({ ...IN, direction: { source: 'ko', target: 'ru' } }), { source: 'ko', target: 'ru' });
  assert.equal(directionOf({ ...IN, speaks: ['ru'] }), null);
  assert.equal(directionsOf({ ...IN, speaks: ['kk', 'ru', 'ko'] }).length, 6);
});

test('one key goes through whom to render from and comes back to the floor', () => {
  const at = (listening) => {
    const snapshot = room({}, [LP, KP, IN, IN2], 'in2');
    snapshot.you.listening = listening;
    return nextSource(snapshot);
  };
  assert.deepEqual([at(null), at('lp'), at('kp'), at('in')], ['lp', 'kp', 'in', null]);
  assert.equal(at('gone'), null);
});
