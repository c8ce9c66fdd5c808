import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Parts } from '../parts/parts.js';

const panel = (name, more = {}) => ({ name, icon: 'clock', label: () => name, view: () => name, ...more });

test('parts are shown in their order, and one that has nothing to show takes no room', () => {
  const parts = new Parts([{ strip: () => 'a' }, { strip: () => null, desk: () => 'b' }, {}, { strip: () => 'c' }]);
  assert.deepEqual(parts.at('strip', {}), ['a', 'c']);
  assert.deepEqual(parts.at('desk', {}), ['b']);
});

test('two parts that answer to one word are a mistake found at once', () => {
  assert.throws(() => new Parts([{ actions: { mode() {} } }, { actions: { mode() {} } }]).actions(), /mode/);
});

test('a socket event reaches the part that waits for it, and no other', () => {
  const heard = [];
  const link = new EventTarget();
  new Parts([{ heard: { turn: (detail) => heard.push(['a', detail]) } }, { heard: { chat: (detail) => heard.push(['b', detail]) } }]).listen(link);
  link.dispatchEvent(new CustomEvent('turn', { detail: 7 }));
  assert.deepEqual(heard, [['a', 7]]);
});

test('a panel that the seat may not open has no tool', () => {
  const parts = new Parts([{ panel: panel('chat') }, { panel: panel('terms', { may: (state) => state.yes }) }, {}]);
  assert.deepEqual(parts.panels({ yes: false }).map((one) => one.name), ['chat']);
  assert.deepEqual(parts.panels({ yes: true }).map((one) => one.name), ['chat', 'terms']);
});
