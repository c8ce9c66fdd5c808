import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastMonth } from '../time.js';

test('last month is that of the place, whatever the month and the year', () => {
  assert.deepEqual(lastMonth(Date.parse('2026-11-26T00:00:00Z'), 'Asia/Seoul'), ['2026-10-01', '2026-10-31']);
  assert.deepEqual(lastMonth(Date.parse('2027-01-15T00:00:00Z'), 'Asia/Seoul'), ['2026-12-01', '2026-12-31']);
  assert.deepEqual(lastMonth(Date.parse('2028-03-01T00:00:00Z'), 'UTC'), ['2028-02-01', '2028-02-29']);
  const edge = Date.parse('2026-11-30T20:00:00Z'); // already December in Seoul
  assert.deepEqual([lastMonth(edge, 'Asia/Seoul')[0], lastMonth(edge, 'UTC')[0]], ['2026-11-01', '2026-10-01']);
});
