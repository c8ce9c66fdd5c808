import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KEYS, Keys, keyFor, keyOf } from '../room/keys.js';

const field = { closest: (/** @type {string} */ what) => (what.includes('textarea') ? {} : null) };

function desk() {
  const target = new EventTarget();
  const heard = [];
  const keys = new Keys(target, { press: (command) => heard.push(command), release: (command) => heard.push(`${command} off`) });
  const type = (name, code, more = {}) => {
    const event = Object.assign(new Event(name, { cancelable: true }), { code, ...more });
    target.dispatchEvent(event);
    return event.defaultPrevented;
  };
  return { heard, keys, type, target };
}

test('no two commands share a key, and each is in the visible list', () => {
  assert.equal(new Set(KEYS.map((key) => key.code)).size, KEYS.length);
  assert.equal(new Set(KEYS.map((key) => key.command)).size, KEYS.length);
  assert.equal(keyOf('cough'), 'C');
});

test('a key counts by its place, whatever the layout, and never while somebody types or means the browser', () => {
  assert.equal(keyFor({ code: 'KeyC', key: 'ㅊ' })?.command, 'cough');
  assert.equal(keyFor({ code: 'KeyC', target: field }), null);
  for (const with_ of ['ctrlKey', 'altKey', 'metaKey', 'isComposing']) assert.equal(keyFor({ code: 'KeyC', [with_]: true }), null);
  assert.equal(keyFor({ code: 'KeyQ' }), null);
});

test('a held key acts once however long it repeats, and ends with the key', () => {
  const { heard, type } = desk();
  assert.equal(type('keydown', 'KeyC'), true);
  type('keydown', 'KeyC', { repeat: true });
  type('keydown', 'KeyD');
  type('keyup', 'KeyD');
  type('keyup', 'KeyC');
  assert.deepEqual(heard, ['cough', 'direction', 'cough off']);
});

test('nothing stays held when the window loses the keyboard or the keys are switched off', () => {
  const { heard, keys, type } = desk();
  type('keydown', 'KeyT');
  type('blur', '');
  type('keydown', 'KeyC');
  keys.set(false);
  assert.equal(type('keydown', 'KeyM'), false);
  assert.deepEqual(heard, ['partner', 'partner off', 'cough', 'cough off']);
  keys.set(true);
  type('keydown', 'KeyT');
  keys.close();
  type('keydown', 'KeyM');
  assert.deepEqual(heard.slice(4), ['partner', 'partner off']);
});
