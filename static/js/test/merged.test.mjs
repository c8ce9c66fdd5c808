import assert from 'node:assert/strict';
import { test } from 'node:test';
import { merged } from '../referral/merged.js';

const before = { version: 1, names: { latin: 'A' }, sex: '', languages: ['kk'] };

test('what each changed alone is kept', () => {
  const mine = { ...before, names: { latin: 'A', hangul: 'B' }, languages: ['kk', 'ru'] };
  const theirs = { ...before, version: 2, names: { latin: 'A', cyrillic: 'C' }, sex: 'male' };
  assert.deepEqual(merged(before, mine, theirs), { version: 2, names: { latin: 'A', hangul: 'B', cyrillic: 'C' }, sex: 'male', languages: ['kk', 'ru'] });
});

test('where both changed the same, what is saved already is shown', () => {
  const mine = { ...before, names: { latin: 'Mine' }, languages: [] };
  const theirs = { ...before, version: 2, names: { latin: 'Theirs' }, languages: ['uz'] };
  assert.deepEqual(merged(before, mine, theirs), theirs);
});
