import assert from 'node:assert/strict';
import { test } from 'node:test';
import { transportTo } from '../documents/transport.js';
import { afterSignIn, ApiRefusal, get, saved } from '../api.js';

/** A server of one address, which says when it has nothing new. */
function serve(t) {
  const server = { body: { terms: [1] }, etag: '"one"', asked: [] };
  t.mock.method(globalThis, 'fetch', async (path, { headers, cache }) => {
    server.asked.push([headers['If-None-Match'] ?? null, cache]);
    const known = headers['If-None-Match'] === server.etag;
    return new Response(known ? null : JSON.stringify(server.body), { status: known ? 304 : 200, headers: { ETag: server.etag } });
  });
  return server;
}

test('what has not changed is not sent again, and lies in no cache', async (t) => {
  const server = serve(t);
  const kept = {};
  assert.deepEqual(await get('/g', kept), { terms: [1] });
  assert.deepEqual(await get('/g', kept), { terms: [1] });
  Object.assign(server, { etag: '"two"', body: { terms: [1, 2] } });
  assert.deepEqual(await get('/g', kept), { terms: [1, 2] });
  assert.deepEqual(server.asked, [[null, 'no-store'], ['"one"', 'no-store'], ['"one"', 'no-store']]);
});

test('who keeps nothing is sent everything', async (t) => {
  const server = serve(t);
  assert.deepEqual([await get('/g'), await get('/g')], [{ terms: [1] }, { terms: [1] }]);
  assert.deepEqual(server.asked, [[null, 'no-store'], [null, 'no-store']]);
});

test('a refusal is kept by nobody', async (t) => {
  t.mock.method(globalThis, 'fetch', async () => Response.json({ error: { code: 'ended' } }, { status: 409, headers: { ETag: '"x"' } }));
  const kept = {};
  await assert.rejects(get('/g', kept), (error) => error instanceof ApiRefusal && error.code === 'ended');
  assert.deepEqual(kept, {});
});

test('whoever signs in comes back to the page that was asked for, and never anywhere else', () => {
  for (const page of ['/sites', '/sites/a-1', '/people/a_1', '/audit', '/policies', '/referrals/new', '/cases/a', '/cases/a/schedule', '/cases/a/consents', '/security']) {
    assert.equal(afterSignIn(`?next=${encodeURIComponent(page)}`), page);
  }
  for (const other of ['', '//evil.example', '/\\evil.example', 'https://evil.example', '/sites//evil.example', '/sites/../api/me', '/cases/a/schedule/x', '/api/me', '/signin', '/people?x', '/sites\n']) {
    assert.equal(afterSignIn(`?next=${encodeURIComponent(other)}`), '/worklist', other);
  }
  assert.equal(afterSignIn(''), '/worklist');
});

test('the lock hears that a sign-in is locked, whether a page read, saved a file or sent a piece of one', async (t) => {
  const body = { error: { code: 'locked' } };
  const page = Object.assign(new EventTarget(), { heard: 0 });
  page.addEventListener('hj-locked', () => { page.heard += 1; });
  class Request extends EventTarget {
    upload = new EventTarget();
    status = 423;
    response = body;
    open() {}
    setRequestHeader() {}
    send() {
      this.dispatchEvent(new Event('load'));
    }
  }
  const before = { dispatchEvent: globalThis.dispatchEvent, XMLHttpRequest: globalThis.XMLHttpRequest };
  Object.assign(globalThis, { dispatchEvent: (event) => page.dispatchEvent(event), XMLHttpRequest: Request });
  t.after(() => Object.assign(globalThis, before));
  t.mock.method(globalThis, 'fetch', async () => Response.json(body, { status: 423 }));
  const locked = (error) => error instanceof ApiRefusal && error.code === 'locked' && error.status === 423;
  await assert.rejects(get('/g'), locked);
  await assert.rejects(saved('/f', {}, 'audit.csv'), locked);
  await assert.rejects(transportTo('/c').put('d', 0, new Blob(['x']), () => undefined, new AbortController().signal), locked);
  assert.equal(page.heard, 3);
});
