import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Drawing, filled } from '../consents/texts.js';

const PLACES = { clinic: 'Clinic', recipients: ['One', 'Two'], countries: ['KR', 'UZ'], years: 10 };

test('a text is filled in its own language, and what is no place stays as it is', () => {
  assert.equal(filled('{clinic}: {recipient} ({country}), {years} {other}', PLACES, 'en'), 'Clinic: One and Two (South Korea and Uzbekistan), 10 {other}');
  assert.match(filled('{country}', PLACES, 'ru'), /Узбекистан/);
  assert.equal(filled('{recipient}', { ...PLACES, recipients: [] }, 'ko'), '—');
});

test('a drawn name is whole lines inside its box, and a dot is none', () => {
  const drawing = new Drawing();
  drawing.begin(0.1, 0.1);
  assert.equal(drawing.isName, false);
  for (let at = 1; at < 6; at += 1) drawing.to(at / 10 + 0.1, at % 2 ? 0.5 : 2);
  drawing.to(0.6, 0.5001);
  assert.equal(drawing.path, 'M100 40L200 200L300 400L400 200L500 400L600 200');
  assert.equal(drawing.isName, true);
  for (let at = 0; at < 5000; at += 1) drawing.to(at % 2, 0.5);
  assert.ok(drawing.path.length < 12_000);
  drawing.clear();
  assert.equal(drawing.path, '');
});
