/** HTTP calls of the pages. A refusal is an ApiRefusal with the server's stable code; it must not contain sentences. */

export class ApiRefusal extends Error {
  /**
   * @param {string} code
   * @param {number} status 0 when no answer came
   * @param {Record<string, unknown>} [detail]
   */
  constructor(code, status, detail = {}) {
    super(code);
    this.code = code;
    this.status = status;
    this.detail = detail;
  }
}

/**
 * What the server refused with; that it has locked this sign-in is heard by the page's lock, whoever asked.
 * @param {number} status
 * @param {any} data the answer's body; null where it was no JSON
 */
export function refusal(status, data) {
  const error = data?.error ?? {};
  if (error.code === 'locked') globalThis.dispatchEvent?.(new Event('hj-locked'));
  return new ApiRefusal(typeof error.code === 'string' ? error.code : 'unexpected', status, error);
}

/** @param {string} path @param {RequestInit} init */
async function asked(path, init) {
  try {
    return await fetch(path, { credentials: 'same-origin', cache: 'no-store', ...init });
  } catch {
    throw new ApiRefusal('network', 0);
  }
}

/** @typedef {{etag?: string, data?: any}} Kept what an address told last, in its caller's memory and nowhere else */

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @param {{keepalive?: boolean, kept?: Kept}} [options]
 * @returns {Promise<any>} null for 204
 */
async function call(method, path, body, options = {}) {
  const { kept } = options;
  /** @type {Record<string, string>} */
  const headers = body === undefined ? {} : { 'Content-Type': 'application/json' };
  if (kept?.etag) headers['If-None-Match'] = kept.etag;
  const answer = await asked(path, {
    method,
    keepalive: options.keepalive ?? false,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (answer.status === 204) return null;
  if (answer.status === 304) return kept?.data;
  const data = await answer.json().catch(() => null);
  if (answer.ok && kept) Object.assign(kept, { etag: answer.headers.get('ETag') ?? '', data });
  if (answer.ok) return data;
  throw refusal(answer.status, data);
}

/**
 * @param {string} path
 * @param {Kept} [kept] asked with it again, what has not changed is not sent again
 */
export const get = (path, kept) => call('GET', path, undefined, { kept });

/**
 * @param {string} path
 * @param {unknown} [body]
 * @param {{keepalive?: boolean}} [options]
 */
export const post = (path, body = {}, options) => call('POST', path, body, options);

/**
 * What is answered to a POST, saved as a file.
 * @param {string} path
 * @param {unknown} body
 * @param {string} name
 */
export async function saved(path, body, name) {
  const headers = { 'Content-Type': 'application/json' };
  const answer = await asked(path, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!answer.ok) throw refusal(answer.status, await answer.json().catch(() => null));
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * @param {unknown} error
 * @returns {string} its stable code
 */
export function codeOf(error) {
  return error instanceof ApiRefusal ? error.code : 'unexpected';
}

/**
 * Sits down at one's own seat and goes to its room.
 * @param {string} seat
 */
export async function takeSeat(seat) {
  const { room_url } = await post(`/api/seats/${encodeURIComponent(seat)}/take`);
  const there = new URL(room_url, location.href);
  location.assign(there.pathname + there.hash);
}

/**
 * What to say of a page that could not be filled; null when its reader is on the way to sign in.
 * @param {unknown} error
 * @returns {string | null}
 */
export function problemOf(error) {
  if (codeOf(error) === 'second_step_required') location.assign('/security');
  if (!(error instanceof ApiRefusal) || error.status !== 401) return codeOf(error);
  goToSignIn();
  return null;
}

/** Where to sign in, and come back here afterwards. */
export function goToSignIn() {
  const here = location.pathname;
  location.assign(here === '/worklist' ? '/signin' : `/signin?next=${encodeURIComponent(here)}`);
}

const READ_SIGNED_IN = [
  /^\/(cases|review|worklist|self-test|site-checks|retention|renderings|security|sites|people|audit|policies)(\/[A-Za-z0-9_-]+)?$/,
  /^\/cases\/[A-Za-z0-9_-]+\/(schedule|glossary|referral|consents)$/,
  /^\/referrals\/new$/,
];

/**
 * Where somebody goes who has signed in: an address in the query leads to a page of ours or nowhere.
 * @param {string} query
 */
export function afterSignIn(query) {
  const asked = new URLSearchParams(query).get('next') ?? '';
  return READ_SIGNED_IN.some((page) => page.test(asked)) ? asked : '/worklist';
}
