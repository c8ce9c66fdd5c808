/** An upload's calls, for a page: pieces go by XMLHttpRequest, which alone says how far it is. */
import { ApiRefusal, get, post, refusal } from '../api.js';

/**
 * @param {string} base /api/cases/{case}/documents
 * @returns {import('../types/documents.js').Transport}
 */
export function transportTo(base) {
  const at = (/** @type {string} */ id) => `${base}/${encodeURIComponent(id)}/upload`;
  return {
    begin: (wish) => post(base, wish),
    where: (id) => get(at(id)),
    put: (id, offset, piece, progress, signal) => put(at(id), offset, piece, progress, signal),
  };
}

/**
 * @param {string} path @param {number} offset @param {Blob} piece @param {(bytes: number) => void} progress @param {AbortSignal} signal
 * @returns {Promise<number>} where to go on
 */
function put(path, offset, piece, progress, signal) {
  return new Promise((done, refuse) => {
    const request = new XMLHttpRequest();
    const over = (/** @type {ApiRefusal} */ why) => refuse(why);
    request.open('PATCH', path);
    request.responseType = 'json';
    request.setRequestHeader('Content-Type', 'application/offset+octet-stream');
    request.setRequestHeader('Upload-Offset', String(offset));
    request.upload.addEventListener('progress', (event) => progress(Math.min(event.loaded, piece.size)));
    request.addEventListener('load', () => {
      if (request.status === 204) done(Number(request.getResponseHeader('Upload-Offset')));
      else over(refusal(request.status, request.response));
    });
    for (const kind of ['error', 'timeout', 'abort']) request.addEventListener(kind, () => over(new ApiRefusal('network', 0)));
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(piece);
  });
}

/** Waits `ms`, or until the browser has a line again, or the signal. @param {number} ms @param {AbortSignal} signal */
export function rest(ms, signal) {
  return /** @type {Promise<void>} */ (new Promise((done) => {
    const over = () => {
      clearTimeout(timer);
      removeEventListener('online', over);
      signal.removeEventListener('abort', over);
      done();
    };
    const timer = setTimeout(over, ms);
    addEventListener('online', over);
    signal.addEventListener('abort', over);
  }));
}
