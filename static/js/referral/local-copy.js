/**
 * What the server does not have yet, kept in this browser until it does: sealed (AES-256-GCM) with a key that lives in the server's
 * session. So a page that was closed without a line, or a computer that went off, loses nothing; and once its owner has signed out,
 * or was signed out, nobody can read what lies here, the server included. It must not hold anything unsealed.
 */

/** @typedef {import('../types/referral.js').Answers} Answers */
/** @typedef {{version: number, editor: string, answers: Answers}} Copy */

const PREFIX = 'hyeopjin.copy.';
const IV_BYTES = 12;

/** Everything kept here, of whatever case: at sign-out. */
export function wipe(storage = globalThis.localStorage) {
  try {
    for (const key of Object.keys(storage)) if (key.startsWith(PREFIX)) storage.removeItem(key);
  } catch {
    /* storage forbidden: nothing was kept either */
  }
}

export class LocalCopy {
  /**
   * @param {string} name of the case
   * @param {() => Promise<{key: string}>} ask for the session's key
   * @param {Storage} [storage]
   */
  constructor(name, ask, storage = globalThis.localStorage) {
    this.slot = PREFIX + name;
    this.name = new TextEncoder().encode(name);
    this.ask = ask;
    this.storage = storage;
    /** @type {Promise<CryptoKey | null> | null} */
    this.key = null;
    /** One after the other: an older copy must not come to lie over a newer one. */
    this.last = Promise.resolve();
  }

  /** @returns {Promise<CryptoKey | null>} null where pages have no cryptography (plain http), or the server does not answer */
  async unlocked() {
    this.key ??= (async () => {
      try {
        if (!globalThis.crypto?.subtle) return null;
        const { key } = await this.ask();
        const raw = Uint8Array.from(atob(key.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
        return await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']);
      } catch {
        return null;
      }
    })();
    return this.key;
  }

  /** @param {Copy | null} copy null: the server has everything */
  keep(copy) {
    this.last = this.last.then(() => this.store(copy)).catch(() => undefined);
    return this.last;
  }

  /** @param {Copy | null} copy */
  async store(copy) {
    if (copy === null) {
      this.storage.removeItem(this.slot);
      return;
    }
    const key = await this.unlocked();
    if (!key) return;
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const plain = new TextEncoder().encode(JSON.stringify(copy));
    const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: this.name }, key, plain));
    this.storage.setItem(this.slot, base64(new Uint8Array([...iv, ...sealed])));
  }

  /** @returns {Promise<Copy | null>} what was kept; what another session sealed is nobody's any more, and goes */
  async found() {
    try {
      const kept = this.storage.getItem(this.slot);
      const key = kept ? await this.unlocked() : null;
      if (!kept || !key) return null;
      const bytes = Uint8Array.from(atob(kept), (letter) => letter.charCodeAt(0));
      const iv = bytes.slice(0, IV_BYTES);
      const plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData: this.name }, key, bytes.slice(IV_BYTES));
      return /** @type {Copy} */ (JSON.parse(new TextDecoder().decode(plain)));
    } catch {
      this.storage.removeItem(this.slot);
      return null;
    }
  }
}

/** @param {Uint8Array} bytes */
function base64(bytes) {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
