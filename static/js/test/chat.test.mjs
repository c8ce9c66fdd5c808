import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chat } from '../room/chat.js';

const line = (id, participant = 'lp', at_ms = 1) => ({ id, participant, name: participant, role: 'interpreter', at_ms, text: id });
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A server that answers as told: true = kept, a code = refused, null = no answer. */
function made(answers = [], before = []) {
  const sent = [];
  let ids = 0;
  const chat = new Chat({
    send: async (name, message) => {
      sent.push(message);
      const answer = answers.length ? answers.shift() : true;
      return answer === true ? { ok: true, message: { ...line(message.id, 'me', 5), text: message.text } } : { ok: false, code: answer ?? 'timeout' };
    },
    fetch: async () => before,
    changed: () => undefined,
    id: () => `m${++ids}`,
  });
  return { chat, sent };
}

test('a line that is confirmed is shown once, whether the ack or the echo comes first', async () => {
  const { chat } = made();
  chat.say('  1.5 mg ', 'me');
  await settled();
  chat.heard({ ...line('m1', 'me', 5), text: '1.5 mg' }, 'me');
  assert.deepEqual(chat.messages.map((one) => one.text), ['1.5 mg']);
  assert.deepEqual(chat.pending, []);
});

test('a line that did not arrive says so, and goes out again under the same id after the next join', async () => {
  const { chat, sent } = made([null]);
  chat.say('again', 'me');
  await settled();
  assert.deepEqual([chat.pending[0].state, chat.pending[0].code], ['failed', 'timeout']);
  await chat.joined('me');
  await settled();
  assert.deepEqual(sent.map((one) => one.id), ['m1', 'm1']);
  assert.deepEqual(chat.pending, []);
});

test('a line that the history already holds is not sent again', async () => {
  const { chat, sent } = made([null], [{ ...line('m1', 'me'), text: 'kept, but its ack was lost' }]);
  chat.say('kept, but its ack was lost', 'me');
  await settled();
  await chat.joined('me');
  await settled();
  assert.equal(sent.length, 1);
  assert.deepEqual(chat.pending, []);
  assert.equal(chat.messages.length, 1);
});

test('a refused line waits for a person: no join sends it again', async () => {
  const { chat, sent } = made(['too_many_messages']);
  chat.say('flood', 'me');
  await settled();
  await chat.joined('me');
  await settled();
  assert.equal(sent.length, 1);
  chat.retry('m1', 'me');
  await settled();
  assert.equal(sent.length, 2);
  assert.deepEqual(chat.pending, []);
});

test('lines of others are news until the chat is looked at, and never while it is open', () => {
  const { chat } = made();
  chat.heard(line('a'), 'me');
  chat.heard(line('a'), 'me');
  chat.heard(line('b', 'me'), 'me');
  assert.equal(chat.news.size, 1);
  chat.look(true);
  assert.equal(chat.news.size, 0);
  chat.heard(line('c'), 'me');
  assert.equal(chat.news.size, 0);
});

test('what was said before one came is no news, what was said during a fall is', async () => {
  const before = [line('a', 'lp', 1)];
  const { chat } = made([], before);
  await chat.joined('me');
  assert.equal(chat.news.size, 0);
  before.push(line('b', 'lp', 2));
  await chat.joined('me');
  assert.equal(chat.news.size, 1);
});

test('the same id of two seats is two lines, in the order of their instants', () => {
  const { chat } = made();
  chat.heard(line('a', 'lp', 9), 'me');
  chat.heard(line('a', 'kp', 3), 'me');
  assert.deepEqual(chat.messages.map((one) => one.participant), ['kp', 'lp']);
});

test('nothing but spaces is not sent', () => {
  const { chat, sent } = made();
  assert.equal(chat.say(' \n ', 'me'), false);
  assert.equal(sent.length, 0);
});
