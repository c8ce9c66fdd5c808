import assert from 'node:assert/strict';
import test from 'node:test';
import { absence, clockOf, daysOf, minutesOf, partsOf } from '../people/week.js';

test('a part that ends at midnight ends with the day', () => {
  assert.equal(clockOf(1440), '00:00');
  assert.equal(minutesOf('00:00', true), 1440);
  assert.deepEqual(partsOf([['18:00', '00:00']]), [[1080, 1440]]);
});

test('a day without times is free, and times out of order are none', () => {
  assert.deepEqual(partsOf([['', ''], ['', '']]), []);
  assert.deepEqual(partsOf([['09:00', '13:00'], ['14:00', '18:00']]), [[540, 780], [840, 1080]]);
  for (const wrong of [[['09:00', '']], [['13:00', '09:00']], [['09:00', '13:00'], ['12:00', '18:00']], [['09:00', '13:00'], ['13:00', '18:00']]]) {
    assert.equal(partsOf(/** @type {[string, string][]} */ (wrong)), null, JSON.stringify(wrong));
  }
});

test('the last day away is away too, over the end of a month', () => {
  assert.deepEqual(absence('2026-11-28', '2026-11-30'), { from: '2026-11-28T00:00', to: '2026-12-01T00:00' });
  assert.deepEqual(daysOf(absence('2026-12-31', '2026-12-31')), ['2026-12-31', '2026-12-31']);
  assert.deepEqual(daysOf({ from: '2026-12-01T09:00', to: '2026-12-01T12:00' }), ['2026-12-01 09:00', '2026-12-01 12:00']);
});
