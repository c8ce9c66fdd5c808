/** What is known of a file before it is sent: what it probably is, and a mark by which the same file is known again. No DOM. */

const SAMPLE = 64 * 1024;
/** @type {Record<string, string>} */
const BY_ENDING = { pdf: 'report', dcm: 'imaging', zip: 'imaging', mp4: 'video', mov: 'video', webm: 'video', jpg: 'photo', jpeg: 'photo', png: 'photo', heic: 'photo' };

/** A first guess that a person corrects; the server looks at the content. @param {string} name @param {readonly string[]} kinds */
export function likelyKind(name, kinds) {
  const ending = name.includes('.') ? (name.split('.').at(-1) ?? '').toLowerCase() : 'dcm';
  const guess = BY_ENDING[ending] ?? 'other';
  return kinds.includes(guess) ? guess : (kinds.at(-1) ?? 'other');
}

/**
 * The same for the same file of a case in whatever page: an upload that was cut off is found again by it. Of its name, size, beginning,
 * middle and end; nobody can read anything out of it.
 * @param {File} file @param {string} where the case
 */
export async function markOf(file, where) {
  const head = new TextEncoder().encode(`${where}\n${file.name}\n${file.size}\n`);
  const parts = [0, Math.max(0, Math.floor(file.size / 2) - SAMPLE / 2), Math.max(0, file.size - SAMPLE)];
  const samples = await Promise.all(parts.map((from) => file.slice(from, from + SAMPLE).arrayBuffer()));
  const whole = new Uint8Array(await new Blob([head, ...samples]).arrayBuffer());
  if (globalThis.crypto?.subtle) {
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', whole));
    return [...digest.slice(0, 20)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }
  return `n${fnv(whole, 0x811c9dc5)}${fnv(whole, 0x01000193)}`; // on plain http: only against mistaking one file for another
}

/** @param {Uint8Array} bytes @param {number} seed */
function fnv(bytes, seed) {
  let hash = seed;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, '0');
}
