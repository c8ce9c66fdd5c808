import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initial } from '../room/reducer.js';
import { isHeard, ringFor } from '../room/chime.js';

const person = (id, present) => ({ id, present, away: false });
function room(here, knocks = [], abilities = ['admit'], phase = 'room') {
  const participants = ['kp', 'lp', 'in'].map((id) => person(id, here.includes(id)));
  return { ...initial(), phase, snapshot: { you: { participant: 'kp', abilities }, chair: 'kp', participants, knocks: knocks.map((id) => ({ id })) } };
}

test('it rings for somebody who comes, once, and not for who was there on coming in', () => {
  const alone = room(['kp']);
  assert.equal(ringFor(alone, room(['kp', 'in'])), 'arrived');
  assert.equal(ringFor({ ...initial(), phase: 'room' }, room(['kp', 'in'])), null);
  assert.equal(ringFor(room(['kp', 'in']), room(['kp', 'in'])), null);
  assert.equal(ringFor(room(['kp', 'in']), room(['kp'])), null);
});

test('it rings for a knock at the pages of those who may answer it', () => {
  assert.equal(ringFor(room(['kp']), room(['kp'], ['k1'])), 'knock');
  assert.equal(ringFor(room(['kp'], ['k1']), room(['kp'], ['k1', 'k2'])), 'knock');
  assert.equal(ringFor(room(['kp'], ['k1']), room(['kp'], ['k1'])), null);
  assert.equal(ringFor(room(['kp'], [], []), room(['kp'], ['k1'], [])), null);
});

test('who knocked hears that they are let in', () => {
  assert.equal(ringFor({ ...initial(), phase: 'knocking' }, { ...initial(), phase: 'door' }), 'arrived');
  assert.equal(ringFor({ ...initial(), phase: 'knocking' }, { ...initial(), phase: 'used' }), null);
});

test('it talks over nobody, unless nobody looks at the page, and is silent where it was turned off', () => {
  assert.equal(isHeard({ on: true, talking: false, hidden: false }), true);
  assert.equal(isHeard({ on: true, talking: true, hidden: false }), false);
  assert.equal(isHeard({ on: true, talking: true, hidden: true }), true);
  assert.equal(isHeard({ on: false, talking: false, hidden: true }), false);
});

test('it rings as for a knock when somebody waits outside, and for who waits when they are let in', () => {
  const with_ = (own, patient, abilities) => {
    const participants = [person('lp', true), { ...person('pt', patient.present ?? true), ...patient }];
    return { ...initial(), phase: 'room', snapshot: { you: { participant: own, abilities }, participants, knocks: [] } };
  };
  const gone = { present: false, out: true, waits: true };
  const waits = { out: true, waits: true };
  assert.equal(ringFor(with_('lp', gone, ['step_out']), with_('lp', waits, ['step_out'])), 'knock');
  assert.equal(ringFor(with_('in', gone, []), with_('in', waits, [])), 'arrived');
  assert.equal(ringFor(with_('lp', waits, ['step_out']), with_('lp', waits, ['step_out'])), null);
  assert.equal(ringFor(with_('lp', waits, ['step_out']), with_('lp', { waits: false }, ['step_out'])), null);
  assert.equal(ringFor(with_('pt', waits, []), with_('pt', { waits: false }, [])), 'called');
});
