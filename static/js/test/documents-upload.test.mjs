import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiRefusal } from '../api.js';
import { likelyKind, markOf } from '../documents/chosen.js';
import { seriesAt } from '../documents/series.js';
import { Queue, Upload } from '../documents/upload.js';

const PIECE = 4;
const LINE = () => new ApiRefusal('network', 0);

/** A server that keeps what it gets by request; `faults` are thrown by `put`, one after the other, after keeping `keeps` bytes. */
function server(faults = [], keeps = 0) {
  const kept = new Map();
  const calls = [];
  const transport = {
    begin: async ({ request, size }) => {
      calls.push(`begin ${request}`);
      if (!kept.has(request)) kept.set(request, { id: request, state: 'uploading', offset: 0, size, bytes: '' });
      return kept.get(request);
    },
    where: async (id) => {
      calls.push('where');
      return kept.get(id);
    },
    put: async (id, offset, piece, progress, signal) => {
      const row = kept.get(id);
      calls.push(`put ${offset}`);
      const text = await piece.text();
      progress(text.length);
      const fault = faults.shift();
      if (fault) {
        row.bytes += text.slice(0, keeps);
        row.offset += Math.min(keeps, text.length);
        throw typeof fault === 'function' ? await fault(signal) : fault;
      }
      assert.equal(offset, row.offset);
      row.bytes += text;
      row.offset += text.length;
      if (row.offset === row.size) row.state = 'checking';
      return row.offset;
    },
  };
  return { kept, calls, transport };
}

function upload(at, text = 'abcdefghij', request = 'r') {
  const rests = [];
  const states = [];
  const one = new Upload({ file: new File([text], 'a.pdf'), kind: 'report', request }, 'case', {
    transport: at.transport, pieceBytes: PIECE, changed: () => states.at(-1) !== one?.state && states.push(one.state), rest: async (ms) => { rests.push(ms); },
  });
  return { one, rests, states };
}

test('a file arrives in pieces, once', async () => {
  const at = server();
  const { one } = upload(at);
  await one.run();
  assert.equal(at.kept.get('r').bytes, 'abcdefghij');
  assert.deepEqual(at.calls, ['begin r', 'put 0', 'put 4', 'put 8']);
  assert.equal(one.state, 'done');
  assert.equal(one.share, 1);
});

test('a cut line is waited out and gone on where the server stands, not where the page thought', async () => {
  const at = server([null, LINE(), LINE()], 2);
  const { one, rests, states } = upload(at);
  await one.run();
  assert.equal(at.kept.get('r').bytes, 'abcdefghij');
  assert.deepEqual(rests, [1000, 2000]);
  assert.ok(states.includes('line'));
  assert.deepEqual(at.calls.filter((call) => call === 'where').length, 2);
});

test('the same file chosen again after a reload goes on and is not sent twice', async () => {
  const at = server([null, LINE()], 2);
  const first = upload(at);
  first.one.parts.rest = async () => first.one.pause();
  await first.one.run();
  assert.equal(first.one.state, 'paused');
  const second = upload(at);
  await second.one.run();
  assert.equal(at.kept.get('r').bytes, 'abcdefghij');
  assert.equal(at.calls.at(-1), 'put 6');
  const third = upload(at);
  await third.one.run();
  assert.equal(third.one.state, 'done');
  assert.equal(at.calls.at(-1), 'begin r');
});

test('what an earlier try left given up is begun anew', async () => {
  const at = server();
  at.kept.set('r', { id: 'r', state: 'cancelled', offset: 4, size: 10, bytes: '' });
  const { one } = upload(at);
  await one.run();
  assert.equal(at.kept.get('r-1').bytes, 'abcdefghij');
});

test('paused in the middle of a piece it sends nothing until it is told to go on', async () => {
  const at = server([(signal) => new Promise((done) => { signal.addEventListener('abort', () => done(LINE())); })]);
  const { one } = upload(at);
  const running = one.run();
  while (at.calls.length < 2) await new Promise((done) => { setImmediate(done); });
  await new Promise((done) => { setImmediate(done); });
  one.pause();
  await running;
  assert.equal(one.state, 'paused');
  assert.equal(at.calls.length, 2);
  await one.run();
  assert.equal(at.kept.get('r').bytes, 'abcdefghij');
});

test('a refusal ends it with its code, and a file that can no longer be read is told apart from a line', async () => {
  const refused = upload(server([new ApiRefusal('storage_full', 507)]));
  await refused.one.run();
  assert.deepEqual([refused.one.state, refused.one.problem], ['failed', 'storage_full']);
  const gone = upload(server([LINE()]));
  gone.one.chosen.file = Object.assign(Object.create(gone.one.chosen.file), {});
  Object.defineProperties(gone.one.chosen.file, { size: { value: 10 }, name: { value: 'a' }, slice: { value: () => ({ size: 4, text: async () => 'abcd', arrayBuffer: async () => { throw new DOMException('', 'NotReadableError'); } }) } });
  await gone.one.run();
  assert.deepEqual([gone.one.state, gone.one.problem], ['failed', 'file_unreadable']);
});

test('several go one after the other, and a refused one does not stop the next', async () => {
  const at = server([new ApiRefusal('document_gone', 410)]);
  const queue = new Queue(() => undefined);
  const [first, second] = [upload(at, 'aaaa', 'x').one, upload(at, 'bbbb', 'y').one];
  queue.add(first);
  queue.add(second);
  while (queue.busy) await new Promise((done) => { setImmediate(done); });
  assert.deepEqual([first.state, second.state], ['failed', 'done']);
  queue.again(first);
  while (queue.busy) await new Promise((done) => { setImmediate(done); });
  assert.equal(at.kept.get('x').bytes, 'aaaa');
});

test('a file is known again by what it is, not by when it was saved', async () => {
  const made = (text, name = 'a.pdf', lastModified = 1) => new File([text], name, { lastModified });
  const mark = await markOf(made('one'), 'case');
  assert.match(mark, /^[0-9a-f]{40}$/);
  assert.equal(await markOf(made('one', 'a.pdf', 2), 'case'), mark);
  for (const other of [await markOf(made('two'), 'case'), await markOf(made('one', 'b.pdf'), 'case'), await markOf(made('one'), 'another')]) assert.notEqual(other, mark);
});

test('what a file is called gives a first guess', () => {
  const kinds = ['report', 'imaging', 'photo', 'video', 'other'];
  assert.deepEqual(['A.PDF', 'series.zip', 'IM0001', 'x.HEIC', 'x.mov', 'x.exe'].map((name) => likelyKind(name, kinds)), ['report', 'imaging', 'imaging', 'photo', 'video', 'other']);
});

test('a page belongs to the series it falls into', () => {
  const all = [{ modality: 'SR', description: '', frames: 0 }, { modality: 'CT', description: 'a', frames: 2 }, { modality: 'MR', description: 'b', frames: 3 }];
  assert.deepEqual([0, 1, 2, 4, 5].map((page) => seriesAt(all, page)).map((one) => one && [one.modality, one.page, one.of]), [['CT', 0, 2], ['CT', 1, 2], ['MR', 0, 3], ['MR', 2, 3], null]);
});
