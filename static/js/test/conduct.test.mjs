import assert from 'node:assert/strict';
import { test } from 'node:test';
import { justOpened, open, SHOWN_MS, STEPS } from '../room/conduct.js';

const step = (name, more = {}) => ({ participant: 'in', session: 's', step: name, outcome: 'done', reason: null, at_ms: 1000, ...more });
const state = (own) => ({ snapshot: { session: 's', you: { participant: own }, participants: [{ id: 'kp', name: 'Physician' }, { id: 'in', name: 'Interpreter' }] } });

test('what was confirmed in another session, or by another interpreter, is open', () => {
  const steps = [step('identity'), step('hearing', { session: 'older' }), step('languages', { participant: 'in2' })];
  assert.deepEqual(open(steps, 's', 'in'), ['introduction', 'hearing', 'languages', 'confidentiality']);
});

test('what was left out with a reason is settled too', () => {
  assert.deepEqual(open(STEPS.map((name) => step(name, { outcome: 'skipped', reason: 'emergency' })), 's', 'in'), []);
});

test('others are told for a while when the opening is complete, and that a part was left out', () => {
  const all = STEPS.map((name) => step(name));
  assert.equal(justOpened(all.slice(1), state('kp'), 2000), null);
  assert.deepEqual(justOpened(all, state('kp'), 2000), { name: 'Interpreter', at_ms: 1000, skipped: false });
  assert.equal(justOpened(all, state('in'), 2000), null);
  assert.equal(justOpened(all, state('kp'), 1001 + SHOWN_MS), null);
  all[0] = step(STEPS[0], { outcome: 'skipped', reason: 'no_time' });
  assert.equal(justOpened(all, state('kp'), 2000).skipped, true);
});
