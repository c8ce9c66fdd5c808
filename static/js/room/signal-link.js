/**
 * The room's socket: connects, joins, comes back by itself, hands events on, sends with an acknowledgement.
 * It must not know the DOM, nor what an offer means.
 */
import { io } from '/static/vendor/socket.io.js';
import { Beacon } from './beacon.js';

/**
 * @typedef {import('../types/wire.js').Ack} Ack
 * @typedef {import('../types/wire.js').Snapshot} Snapshot
 */

const ACK_TIMEOUT_MS = 8000;
/** Refusals that pass by themselves; every other one ends the visit. */
const PASSING = new Set(['unavailable', 'too_fast', 'too_many_attempts', 'not_ready', 'timeout', 'internal', 'store_away', 'unexpected']);
/** A full server is asked again after this long and a little more, so that those who wait do not ask all at once. */
const FULL_MS = 12_000;
const FULL_SPREAD_MS = 6_000;
const AGAIN_MS = [500, 1000, 2000, 4000, 5000];
/**
 * After a fall the seat is to be taken again within five seconds of the line's return, whenever that is: short pauses, and
 * attempts short enough for a lost SYN to be repeated twice (RFC 6298: after 1 s and 3 s) but not to sit out the 7 s.
 */
const RETURN = Object.freeze({ reconnectionDelay: 300, reconnectionDelayMax: 1000, timeout: 5000 });
/** The server speaks every second; one that cannot (its shared memory is away) still pings every five. */
const SILENT_MS = 6500;
const MAYBE_SILENT_MS = 2500;
const ICE_RESTART_ACK_MS = 2000;
const HURRY_NOT_BEFORE_MS = 4000;

/**
 * Events: `online`, `lost`, `full` (the server can carry nobody more now; detail: {at} when it is asked again), `joined` (a join's snapshot), `closed` ({code}),
 * and whatever the server sends (`snapshot`, `offer`, `recording` …; detail = what it sent).
 */
export class SignalLink extends EventTarget {
  /**
   * @param {string} seat
   * @param {() => {mic: boolean, camera: boolean, resume: string | null}} wish what to join with, asked at every (re)connect
   */
  constructor(seat, wish) {
    super();
    this.wish = wish;
    this.over = false;
    this.attempt = 0;
    /** @type {number | undefined} */
    this.timer = undefined;
    this.socket = io('/room', {
      path: '/socket.io',
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      auth: { seat },
      autoConnect: false,
      ...RETURN,
    });
    // An attempt may be nearly there on a slow line: it is given its time before another one takes its place.
    this.beacon = new Beacon(() => {
      if (!this.socket.connected && performance.now() - this.hurriedAt > RETURN.timeout) this.hurry();
    });
    /** Joined, so the server speaks to us. */
    this.inside = false;
    this.heardAt = performance.now();
    this.hurriedAt = -Infinity;
    this.listening = setInterval(() => this.hurryIfSilent(SILENT_MS), 1000);
    this.socket.on('connect', () => {
      this.beacon.out();
      void this.join();
    });
    this.socket.on('connect_error', (error) => this.refused(/** @type {any} */ (error)));
    this.socket.on('disconnect', (reason) => this.dropped(reason));
    this.socket.onAny((name, detail) => {
      if (name === 'closed') return;
      this.heardAt = performance.now();
      this.tell(name, detail);
    });
    this.socket.io.on('ping', () => {
      this.heardAt = performance.now();
    });
    this.socket.on('closed', (detail) => this.finish(String(detail?.code ?? 'ended')));
  }

  open() {
    this.socket.connect();
  }

  /** @param {string} name @param {unknown} [detail] */
  tell(name, detail) {
    if (!this.over) this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  async join() {
    const socket = this.socket.id;
    const ack = await this.send('join', this.wish());
    // The connection may have been lost and made again meanwhile: the new one has asked for itself.
    if (this.over || !this.socket.connected || this.socket.id !== socket) return;
    if (ack.ok) {
      this.attempt = 0;
      this.inside = true;
      this.heardAt = performance.now();
      this.tell('online');
      if (ack.snapshot) this.tell('joined', ack.snapshot);
    } else if (ack.code === 'no_capacity') {
      const delay = FULL_MS + Math.random() * FULL_SPREAD_MS;
      this.tell('full', { at: Date.now() + delay });
      this.again(() => void this.join(), delay);
    } else if (PASSING.has(ack.code ?? '')) {
      this.again(() => void this.join());
    } else {
      this.finish(ack.code ?? 'unexpected');
    }
  }

  /** @param {Error & {data?: {code?: string}}} error */
  refused(error) {
    const code = error.data?.code;
    if (code && !PASSING.has(code)) {
      this.finish(code);
      return;
    }
    this.lost();
    if (!this.socket.active) this.again(() => this.socket.connect());
  }

  /** @param {string} reason */
  dropped(reason) {
    if (this.over) return;
    this.lost();
    // The server's own disconnect does not make socket.io return; ours is never "over" without a `closed`.
    if (reason === 'io server disconnect') this.again(() => this.socket.connect());
  }

  lost() {
    this.inside = false;
    this.beacon.light();
    this.tell('lost');
  }

  /** @param {() => void} what @param {number} [delay] ms; without one, longer each time */
  again(what, delay = AGAIN_MS[Math.min(this.attempt++, AGAIN_MS.length - 1)]) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (!this.over) what();
    }, delay);
  }

  /**
   * @param {string} name
   * @param {object} [message]
   * @param {number} [within] ms to wait for the word that it has arrived
   * @returns {Promise<Ack>} never throws: a lost connection is `{ok: false, code: 'timeout'}`
   */
  async send(name, message = {}, within = ACK_TIMEOUT_MS) {
    if (!this.socket.connected) return { ok: false, code: 'timeout' };
    try {
      return (await this.socket.timeout(within).emitWithAck(name, message)) ?? { ok: true };
    } catch {
      return { ok: false, code: 'timeout' };
    }
  }

  /** Asks a full server now: somebody does not want to wait. */
  retry() {
    if (this.over || !this.socket.connected) return;
    clearTimeout(this.timer);
    void this.join();
  }

  /** Where media has gone silent the socket may be dead as well: it is not believed for long. */
  async askIceRestart() {
    const ack = await this.send('ice_restart', {}, ICE_RESTART_ACK_MS);
    if (ack.code === 'timeout') this.hurryIfSilent(ICE_RESTART_ACK_MS);
  }

  /** The network changed: the old socket may take half a minute to notice, and the back-off need not be sat out. */
  hurry() {
    if (this.over) return;
    this.hurriedAt = performance.now();
    this.lost();
    this.socket.disconnect().connect();
  }

  /** A socket that says nothing for so long is dead, whatever it believes. @param {number} [ms] */
  hurryIfSilent(ms = MAYBE_SILENT_MS) {
    const now = performance.now();
    if (!this.inside || now - this.heardAt < ms || now - this.hurriedAt < HURRY_NOT_BEFORE_MS) return;
    this.hurry();
  }

  /** @param {string} code */
  finish(code) {
    if (this.over) return;
    this.tell('closed', { code });
    this.close();
  }

  close() {
    this.over = true;
    clearTimeout(this.timer);
    clearInterval(this.listening);
    this.beacon.out();
    this.socket.disconnect();
  }
}
