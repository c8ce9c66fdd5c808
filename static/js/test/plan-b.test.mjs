import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Outage, PLAN_B_AFTER_MS, dial, isDown, people } from '../room/plan-b.js';
import { initial } from '../room/reducer.js';

const room = (change = {}) => ({ ...initial(), phase: 'room', link: 'online', media: 'connected', mediaSinceMs: 1000, ...change });

test('a lost page, failed media and a silent server are outages, the door is none', () => {
  assert.equal(isDown(room(), 100_000), false);
  assert.equal(isDown(room({ link: 'lost' }), 2000), true);
  assert.equal(isDown(room({ media: 'failed' }), 100_000), true);
  assert.equal(isDown(room({ media: 'connecting', mediaSinceMs: 99_500 }), 100_000), false);
  assert.equal(isDown(room({ recording: { at_ms: 1000 } }), 100_000), true);
  assert.equal(isDown({ ...room({ link: 'lost' }), phase: 'door' }, 100_000), false);
});

test('the card comes after ten seconds without a break and goes at once', () => {
  const outage = new Outage();
  const down = room({ media: 'failed' });
  assert.equal(outage.lasts(down, 50_000), false);
  assert.equal(outage.lasts(down, 50_000 + PLAN_B_AFTER_MS), true);
  assert.equal(outage.lasts(room(), 61_000), false);
  assert.equal(outage.lasts(down, 62_000), false);
  assert.equal(outage.lasts(down, 62_000 + PLAN_B_AFTER_MS - 1), false);
});

test('one calls the others, by a number that a telephone dials', () => {
  const seats = [{ id: 'a', name: 'A', telephone: '+7 000 000 0001' }, { id: 'b', name: 'B', telephone: null }];
  assert.deepEqual(people(room({ seat: { seat: { id: 'b' }, seats } })), [seats[0]]);
  assert.equal(dial('+82 (2) 000-0000'), 'tel:+8220000000');
});
