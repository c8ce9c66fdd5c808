import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Autosave } from '../referral/autosave.js';

/** A server that keeps what it is sent; an answer that is an error is thrown instead, once. */
function made(errors = []) {
  const server = { answers: {}, bodies: [], version: 1, hold: null };
  const timers = [];
  const save = new Autosave({
    version: 1,
    editor: 'page',
    send: async (body) => {
      server.bodies.push(structuredClone(body));
      if (server.hold) await server.hold;
      const error = errors.shift();
      if (error) throw error;
      Object.assign(server.answers, body.answers);
      server.version += 1;
      return { version: server.version, answers: { ...server.answers } };
    },
    changed: () => undefined,
    later: (work, ms) => timers.push({ work, ms }) - 1,
    cancel: (at) => { if (typeof at === 'number' && timers[at]) timers[at].off = true; },
  });
  return { save, server, timers, due: () => timers.filter((timer) => !timer.off) };
}

test('what is typed is saved soon, once, and a choice at once', async () => {
  const { save, server, due } = made();
  save.note('onset', 'M');
  save.note('onset', 'May');
  assert.deepEqual(due().map((timer) => timer.ms), [800]);
  save.note('side', 'left', true);
  assert.equal(due().length, 1);
  assert.equal(due()[0].ms, 0);
  await save.flush();
  assert.deepEqual(server.bodies.map((body) => body.answers), [{ onset: 'May', side: 'left' }]);
  assert.equal(save.state, 'saved');
});

test('what is typed while a save is on the way goes with the next, which names the version of the first', async () => {
  const { save, server } = made();
  let go;
  server.hold = new Promise((resolve) => { go = resolve; });
  save.note('history', 'one');
  const running = save.flush();
  save.note('history', 'one two');
  assert.equal(save.state, 'saving');
  assert.deepEqual(save.over({ history: 'old', onset: 'x' }), { history: 'one two', onset: 'x' });
  server.hold = null;
  go();
  await running;
  assert.deepEqual(server.bodies.map((body) => [body.version, body.answers.history]), [[1, 'one'], [2, 'one two']]);
  assert.equal(save.isClean, true);
});

test('a choice made while a save is on the way stays chosen, and is sent once, by whichever of two comes first', async () => {
  const { save, server } = made();
  let first;
  let second;
  server.hold = new Promise((resolve) => { first = resolve; });
  save.note('side', 'left', true);
  const running = save.flush();
  save.note('imaging', ['mri'], true);
  const waiting = save.flush(); // its timer
  server.hold = new Promise((resolve) => { second = resolve; });
  first();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(server.bodies.map((body) => body.answers), [{ side: 'left' }, { imaging: ['mri'] }]);
  assert.deepEqual(save.over(server.answers), { side: 'left', imaging: ['mri'] }, 'the page shows it');
  assert.deepEqual(save.owed?.answers, { imaging: ['mri'] });
  second();
  await Promise.all([running, waiting]);
  assert.deepEqual(server.answers, { side: 'left', imaging: ['mri'] });
  assert.equal(server.bodies.length, 2);
  assert.equal(save.state, 'saved');
});

test('a save that failed is sent again with what was typed since, and nothing is dropped', async () => {
  const { save, server, due } = made([{ code: 'network' }, { code: 'network' }]);
  save.note('history', 'one');
  save.note('stage', null);
  save.settle('aside-1');
  await save.flush();
  assert.equal(save.state, 'failed');
  assert.equal(save.problem, 'network');
  save.note('history', 'one two');
  await save.flush();
  assert.equal(save.isClean, false);
  await save.flush();
  assert.equal(save.state, 'saved');
  assert.deepEqual(server.bodies.at(-1), { version: 1, editor: 'page', answers: { history: 'one two', stage: null }, settled: ['aside-1'] });
  assert.ok(due().length >= 0);
});

test('another specialty is sent along and asked for once', async () => {
  const { save, server } = made();
  save.become('urology');
  await save.flush();
  await save.look();
  assert.deepEqual(server.bodies.map((body) => body.specialty), ['urology', undefined]);
});

test('what an earlier page owed is sent under its name and the version that it saw', async () => {
  const { save, server } = made();
  save.version = 7;
  save.resume({ version: 5, editor: 'earlier', answers: { history: 'typed without a line' } });
  assert.deepEqual(save.owed, { version: 5, editor: 'earlier', answers: { history: 'typed without a line' } });
  await save.flush();
  assert.deepEqual(server.bodies, [{ version: 5, editor: 'earlier', answers: { history: 'typed without a line' }, settled: [] }]);
  assert.equal(save.owed, null);
});
