import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PartnerLine } from '../room/partner-line.js';

/** A microphone that notes when it could be heard, and a server that answers when it is told to. */
function line(answer = () => ({ ok: true })) {
  const mic = { hushed: false, talks: false };
  const did = [];
  const refused = [];
  /** @type {(() => void)[]} */
  const waiting = [];
  const partner = new PartnerLine({
    send: (on) => {
      did.push(`${on ? 'on' : 'off'} ${mic.hushed ? 'silent' : 'open'}`);
      return new Promise((resolve) => waiting.push(() => resolve(answer(on))));
    },
    hush: (on) => (mic.hushed = on),
    talk: (on) => (mic.talks = on),
    changed: () => undefined,
    refused: (code) => refused.push(code),
  });
  const tick = () => new Promise((resolve) => setImmediate(resolve));
  return { partner, mic, did, refused, async serve() { await tick(); waiting.shift()?.(); await tick(); }, tick };
}

test('nothing is said before the server has the line, nor between its end and the floor', async () => {
  const { partner, mic, did, serve } = line();
  void partner.press();
  assert.equal(mic.hushed, true);
  await serve();
  assert.deepEqual([mic.hushed, mic.talks, partner.open], [false, true, true]);
  void partner.release();
  assert.equal(mic.hushed, true);
  await serve();
  assert.deepEqual([mic.hushed, mic.talks, partner.open], [false, false, false]);
  assert.deepEqual(did, ['on silent', 'off silent']);
});

test('a key let go before the answer closes the line again without a word', async () => {
  const { partner, mic, did, serve, tick } = line();
  void partner.press();
  await tick();
  void partner.release();
  await serve();
  assert.deepEqual([mic.hushed, mic.talks], [true, false], 'the server has it open');
  await serve();
  assert.deepEqual(did, ['on silent', 'off silent']);
  assert.equal(mic.hushed, false);
});

test('a key that is only touched asks for nothing', async () => {
  const { partner, mic, did, tick } = line();
  void partner.press();
  void partner.release();
  await tick();
  assert.deepEqual(did, []);
  assert.equal(mic.hushed, false);
});

test('a refusal is said, and the microphone is silent until the key is let go', async () => {
  const { partner, mic, did, refused, serve, tick } = line(() => ({ ok: false, code: 'forbidden' }));
  void partner.press();
  await serve();
  assert.deepEqual(refused, ['forbidden']);
  assert.deepEqual([mic.hushed, mic.talks], [true, false]);
  void partner.release();
  await tick();
  assert.equal(mic.hushed, false);
  assert.deepEqual(did, ['on silent']);
});

for (const code of ['media_away', 'store_away', 'timeout']) {
  test(`after ${code} nothing is said to anybody until the line is known to be closed again`, async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let away = true;
    const { partner, mic, did, refused, serve } = line(() => (away ? { ok: false, code } : { ok: true }));
    void partner.press();
    await serve();
    assert.deepEqual([mic.hushed, mic.talks, partner.open, refused], [true, false, false, [code]]);
    void partner.release();
    await serve();
    assert.deepEqual(did, ['on silent', 'off silent'], 'it may have been opened all the same');
    assert.equal(mic.hushed, true);
    t.mock.timers.tick(1000);
    away = false;
    await serve();
    assert.deepEqual(did, ['on silent', 'off silent', 'off silent']);
    assert.equal(mic.hushed, false);
  });
}

test('a key pressed again while the line cannot be closed waits for the server as before', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let away = false;
  const { partner, mic, did, serve, tick } = line(() => (away ? { ok: false, code: 'media_away' } : { ok: true }));
  void partner.press();
  await serve();
  void partner.release();
  away = true;
  await serve();
  void partner.press();
  t.mock.timers.tick(1000);
  await serve();
  assert.equal(mic.hushed, true, 'the line was not closed and not opened');
  away = false;
  await serve();
  await tick();
  assert.deepEqual(did, ['on silent', 'off silent', 'off silent', 'on silent']);
  assert.deepEqual([mic.hushed, mic.talks, partner.open], [false, true, true]);
});

test('a line left open by a visit before is closed', async () => {
  const { partner, mic, did, serve } = line();
  partner.follow(false);
  assert.deepEqual(did, []);
  partner.follow(true);
  await serve();
  assert.deepEqual(did, ['off silent']);
  assert.equal(mic.hushed, false);
});
