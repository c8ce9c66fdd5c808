/**
 * The consultation's chat as one page knows it: what was said, what is on its way, what nobody here has read yet.
 * It must not know the DOM; it is given how to send and how to ask for what was said before.
 *
 * @typedef {import('../types/asides.js').ChatMessage} ChatMessage
 * @typedef {{id: string, text: string, state: 'sending' | 'failed', code: string | null}} Pending
 * @typedef {import('../types/wire.js').Ack} Ack
 */

export const MAX_CHARS = 2000;
/** Refusals that a new connection mends: these lines go out again by themselves. */
const MENDED = new Set(['timeout', 'store_away', 'not_joined']);

export class Chat {
  /**
   * @param {{
   *   send: (name: string, message: object) => Promise<Ack & {message?: ChatMessage}> | undefined,
   *   fetch: () => Promise<ChatMessage[]>, changed: () => void, id?: () => string,
   * }} to
   */
  constructor(to) {
    this.to = to;
    /** @type {ChatMessage[]} in their order */
    this.messages = [];
    /** @type {Pending[]} own lines that the server has not confirmed, in their order */
    this.pending = [];
    /** What is being typed: it outlives the panel. */
    this.draft = '';
    this.open = false;
    /** @type {Set<string>} keys of lines that came while nobody looked */
    this.news = new Set();
  }

  /** @param {ChatMessage} message @param {string | null} [own] the reader's seat */
  heard(message, own = null) {
    this.pending = this.pending.filter((one) => !(own === message.participant && one.id === message.id));
    if (this.put(message) && !this.open && message.participant !== own) this.news.add(keyOf(message));
    this.to.changed();
  }

  /** @param {ChatMessage} message @returns {boolean} whether it is a new one */
  put(message) {
    const key = keyOf(message);
    if (this.messages.some((one) => keyOf(one) === key)) return false;
    this.messages = [...this.messages, message].sort((a, b) => a.at_ms - b.at_ms);
    return true;
  }

  /** After every join: what was said meanwhile, and what of ours was not confirmed. @param {string | null} own */
  async joined(own) {
    const again = this.pending.filter((one) => one.state === 'failed' && MENDED.has(one.code ?? ''));
    const found = await this.to.fetch().catch(() => []);
    const first = this.messages.length === 0;
    for (const message of found) {
      this.pending = this.pending.filter((one) => !(own === message.participant && one.id === message.id));
      // Who comes in reads what was said before when they like: it is there, but it is no news.
      if (this.put(message) && !first && !this.open && message.participant !== own) this.news.add(keyOf(message));
    }
    this.to.changed();
    for (const one of again) if (this.pending.includes(one)) void this.deliver(one, own);
  }

  /** @param {string} text @param {string | null} own @returns {boolean} whether there was anything to say */
  say(text, own) {
    const words = text.trim();
    if (!words) return false;
    /** @type {Pending} */
    const line = { id: this.to.id?.() ?? crypto.randomUUID(), text: words.slice(0, MAX_CHARS), state: 'sending', code: null };
    this.pending = [...this.pending, line];
    void this.deliver(line, own);
    return true;
  }

  /** @param {string} id @param {string | null} own */
  retry(id, own) {
    const line = this.pending.find((one) => one.id === id);
    if (line && line.state === 'failed') void this.deliver(line, own);
  }

  /** Takes back a line that did not arrive, to be written again. @param {string} id */
  drop(id) {
    this.pending = this.pending.filter((one) => one.id !== id);
    this.to.changed();
  }

  /** The same id each time, so that it is said once however often it is sent. @param {Pending} line @param {string | null} own */
  async deliver(line, own) {
    line.state = 'sending';
    line.code = null;
    this.to.changed();
    const ack = (await this.to.send('chat', { id: line.id, text: line.text })) ?? { ok: false, code: 'timeout' };
    if (ack.ok && ack.message) this.heard(ack.message, own);
    else {
      line.state = 'failed';
      line.code = ack.code ?? 'unexpected';
      this.to.changed();
    }
  }

  /** @param {boolean} open */
  look(open) {
    this.open = open;
    if (!open || this.news.size === 0) return;
    this.news.clear();
    this.to.changed();
  }
}

/** @param {ChatMessage} message */
export function keyOf(message) {
  return `${message.participant} ${message.id}`;
}
