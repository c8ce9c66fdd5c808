import assert from 'node:assert/strict';
import { test } from 'node:test';
import { languageName } from '../cldr.js';
import { placeId, reasonWords } from '../match-words.js';

test('a place names its message', () => {
  assert.equal(placeId('orthopaedics/foot_ankle'), 'match-place-orthopaedics-foot-ankle');
});

test('codes become words in the reader’s language, terms and numbers stay', () => {
  const words = reasonWords({ place: 'ent/otology', languages: 'ru, kk', pair: 'ru – ko', terms: 'рмж, acl', count: 3 }, 'en', (id) => `<${id}>`);
  assert.deepEqual(words, { place: '<match-place-ent-otology>', languages: 'Russian, Kazakh', pair: 'Russian – Korean', terms: 'рмж, acl', count: 3 });
  assert.equal(reasonWords({ languages: 'ru' }, 'ko', String).languages, '러시아어');
});

test('what is no language is shown as it is', () => {
  assert.equal(languageName('not a code', 'en'), 'not a code');
});
