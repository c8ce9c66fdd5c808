import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ageAt, inWords, pick, ticked } from '../referral/texts.js';

const choices = ['none', 'mri', 'ct'].map((id) => ({ id, label: { en: id.toUpperCase(), ko: `ko-${id}` } }));
const many = { id: 'q', kind: 'many', choices, exclusive: ['none'], unit: '' };

test('a text that a form lacks is read in the nearest language', () => {
  assert.equal(pick({ en: 'a', ru: 'b' }, 'kk'), 'b');
  assert.equal(pick({ en: 'a', ru: 'b' }, 'ko'), 'a');
  assert.equal(pick({}, 'ko'), '');
});

test('answers are told in words', () => {
  assert.equal(inWords(many, ['mri', 'gone'], 'ko'), 'ko-mri, gone');
  assert.equal(inWords({ ...many, kind: 'choice' }, 'ct', 'en'), 'CT');
  assert.equal(inWords({ ...many, kind: 'number', unit: 'kg' }, '12,5', 'en'), '12,5 kg');
  assert.equal(inWords(many, null, 'en'), null);
  assert.equal(inWords(many, undefined, 'en'), '');
});

test('none and the others exclude each other', () => {
  assert.deepEqual(ticked(many, ['none'], 'mri', true), ['mri']);
  assert.deepEqual(ticked(many, ['mri', 'ct'], 'none', true), ['none']);
  assert.deepEqual(ticked(many, ['mri'], 'ct', true), ['mri', 'ct']);
  assert.deepEqual(ticked(many, ['mri', 'ct'], 'mri', false), ['ct']);
});

test('somebody is a year older on their birthday', () => {
  assert.equal(ageAt('2008-11-26', new Date(2026, 10, 26)), 18);
  assert.equal(ageAt('2008-11-27', new Date(2026, 10, 26)), 17);
  assert.equal(ageAt('2027-01-01', new Date(2026, 10, 26)), null);
  assert.equal(ageAt('', new Date()), null);
});
