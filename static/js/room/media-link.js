/**
 * The room's one RTCPeerConnection: answers the server's offers, sends our microphone and camera, gives out others' tracks.
 * It must not know the socket, the DOM or who a participant is: it maps mids to opaque participant ids as the offer says.
 *
 * Uplink m-lines have fixed mids: "0" audio, "1" camera, "2" screen, "3" exam (RFC 8829: we are always the answerer).
 */
import { bytesReceived, LineWatch } from './line-watch.js';
import { QualityMeter } from './quality.js';

/**
 * @typedef {import('../types/wire.js').Offer} Offer
 * @typedef {RTCRtpEncodingParameters & {scalabilityMode?: string}} Encoding
 * @typedef {'audio' | 'camera' | 'screen'} Sent
 * @typedef {{participant: string, stream: MediaStream, screen: MediaStream, receivers: Partial<Record<string, RTCRtpReceiver>>}} Incoming
 */

const POLICY = Object.freeze(/** @type {RTCConfiguration} */ ({ bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' }));
const UPLINK = Object.freeze({ audio: '0', camera: '1', screen: '2' });
const KINDS = Object.freeze(/** @type {const} */ (['audio', 'camera', 'screen']));
const MAX_BITRATE = Object.freeze({ audio: 48_000, camera: 1_200_000, screen: 1_500_000 });
/**
 * Layers by rid, of a picture that is sent in two. A browser that answers without them sends one, like `h`. A camera gets
 * smaller; a screen keeps its resolution, since it is read, and gives up frames.
 * @type {Record<string, Record<string, {maxBitrate: number, lines: number, frames?: number}>>}
 */
const LAYERS = Object.freeze({
  camera: Object.freeze({
    l: Object.freeze({ maxBitrate: 150_000, lines: 180 }),
    h: Object.freeze({ maxBitrate: MAX_BITRATE.camera, lines: Infinity }),
  }),
  screen: Object.freeze({
    l: Object.freeze({ maxBitrate: 200_000, lines: Infinity, frames: 3 }),
    h: Object.freeze({ maxBitrate: MAX_BITRATE.screen, lines: Infinity, frames: 15 }),
  }),
});
/** While somebody's line carries a voice and stills alone: what everybody's voice may cost, and a still's camera. */
const SPARING = Object.freeze({ audio: 12_000, camera: 30_000, framesPerSecond: 2, lines: 180 });
const UNKNOWN_LINES = 720;
/** ICE consent checks run every few seconds; a shorter pause often heals by itself. */
const ICE_RESTART_AFTER_MS = 3000;
const GIVE_UP_AFTER_MS = 12_000;
const RESTART_NOT_BEFORE_MS = 2500;
const QUALITY_EVERY_MS = 5000;
const LEVEL_EVERY_MS = 200;
const LINE_EVERY_MS = 250;
/** RFC 6465: audioLevel is linear 0..1; speech in a quiet room is well above this. */
const SPEAKING_LEVEL = 0.02;

/**
 * Events: `answer` {connection, offer_id, sdp}, `state` (string), `incoming` (Incoming[]), `speaking` (Set of participants),
 * `quality` (Quality), `restart` {reason}, `ice_restart`.
 */
export class MediaLink extends EventTarget {
  constructor() {
    super();
    /** @type {RTCPeerConnection | null} */
    this.pc = null;
    /** @type {string | null} */
    this.connection = null;
    /** @type {Record<Sent, MediaStreamTrack | null>} */
    this.local = { audio: null, camera: null, screen: null };
    /** What costs as little as it can, see `spare`. */
    this.sparing = { audio: false, camera: false };
    /** @type {Map<string, Incoming>} */
    this.incoming = new Map();
    /** @type {Promise<void>} offers are applied one after the other */
    this.work = Promise.resolve();
    this.meter = new QualityMeter();
    this.line = new LineWatch();
    /** @type {Set<string>} */
    this.speaking = new Set();
    this.restartedAt = -Infinity;
    /** @type {number | undefined} */
    this.watch = undefined;
    this.timers = [
      setInterval(() => void this.measure(), QUALITY_EVERY_MS),
      setInterval(() => this.listen(), LEVEL_EVERY_MS),
      setInterval(() => void this.watchLine(), LINE_EVERY_MS),
    ];
  }

  /** @param {string} name @param {unknown} [detail] */
  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /**
   * @param {Offer} offer
   * @returns {Promise<void>} settled when the answer was given out, or a restart asked for
   */
  apply(offer) {
    this.work = this.work.then(() => this.answer(offer)).catch(() => this.askRestart('offer_refused'));
    return this.work;
  }

  /** @param {Offer} offer */
  async answer(offer) {
    // Only relays that the server names, never anybody else's; a restart takes the newest credential.
    const relays = { iceServers: offer.ice_servers ?? [] };
    if (offer.connection !== this.connection || !this.pc) this.renew(offer.connection, relays);
    else if (offer.ice_restart) this.pc.setConfiguration({ ...POLICY, ...relays });
    const pc = /** @type {RTCPeerConnection} */ (this.pc);
    await pc.setRemoteDescription({ type: 'offer', sdp: offer.sdp });
    for (const transceiver of pc.getTransceivers()) await this.prepare(transceiver);
    this.sortIncoming(pc, offer);
    const answer = await pc.createAnswer();
    if (this.pc !== pc) return;
    await pc.setLocalDescription(answer);
    for (const kind of KINDS) await this.limit(pc, kind);
    this.tell('answer', { connection: offer.connection, offer_id: offer.offer_id, sdp: pc.localDescription?.sdp ?? '' });
    if (pc.connectionState !== 'connected') this.watchdog(GIVE_UP_AFTER_MS, () => this.askRestart('not_connected'));
  }

  /** @param {string} connection @param {RTCConfiguration} relays */
  renew(connection, relays) {
    this.drop();
    this.connection = connection;
    const pc = new RTCPeerConnection({ ...POLICY, ...relays });
    this.pc = pc;
    pc.addEventListener('connectionstatechange', () => {
      if (this.pc === pc) this.stateChanged(pc.connectionState);
    });
    this.tell('state', 'connecting');
  }

  /**
   * Before createAnswer, so that the answer names our SSRCs: what we may send we send, the rest of the uplink sleeps.
   * @param {RTCRtpTransceiver} transceiver
   */
  async prepare(transceiver) {
    const kind = KINDS.find((one) => UPLINK[one] === transceiver.mid);
    if (kind) {
      if (transceiver.direction !== 'sendonly') transceiver.direction = 'sendonly';
      if (transceiver.sender.track !== this.local[kind]) await transceiver.sender.replaceTrack(this.local[kind]);
    } else if (transceiver.mid === '3') {
      if (transceiver.direction !== 'inactive') transceiver.direction = 'inactive';
    }
  }

  /**
   * What each encoding may cost. How many there are, and their rids, the server's offer has decided.
   * @param {RTCPeerConnection} pc
   * @param {Sent} kind
   */
  async limit(pc, kind) {
    const sender = this.sender(pc, kind);
    const parameters = sender?.getParameters();
    if (!sender || !parameters?.encodings?.length) return;
    const before = JSON.stringify(parameters);
    if (kind === 'screen') parameters.degradationPreference = 'maintain-resolution';
    for (const encoding of parameters.encodings) this.shape(encoding, kind);
    if (JSON.stringify(parameters) === before) return;
    await sender.setParameters(parameters).catch(async () => {
      // A browser that does not know the mode refuses everything; one without any of it sends at its own rate.
      for (const encoding of /** @type {Encoding[]} */ (parameters.encodings)) delete encoding.scalabilityMode;
      await sender.setParameters(parameters).catch(() => undefined);
    });
  }

  /**
   * @param {Encoding} encoding
   * @param {Sent} kind
   */
  shape(encoding, kind) {
    const layer = encoding.rid ? LAYERS[kind]?.[encoding.rid] : undefined;
    const sparing = kind !== 'screen' && this.sparing[kind];
    encoding.maxBitrate = sparing ? SPARING[kind] : layer?.maxBitrate ?? MAX_BITRATE[kind];
    if (kind === 'audio') return;
    const { height } = this.local[kind]?.getSettings() ?? {};
    const lines = sparing ? SPARING.lines : layer?.lines ?? Infinity;
    const frames = sparing ? SPARING.framesPerSecond : layer?.frames;
    encoding.active = !sparing || encoding.rid !== 'h';
    if (frames) encoding.maxFramerate = frames;
    else delete encoding.maxFramerate;
    encoding.scaleResolutionDownBy = Math.max(1, (height ?? UNKNOWN_LINES) / lines);
    if (layer) encoding.scalabilityMode = 'L1T1'; // no sublayers in time: nobody is sent a part of the pictures
  }

  /**
   * A voice that costs little, and pictures that are stills: two a second at most, small, never the large layer.
   * @param {{audio: boolean, camera: boolean}} what
   * @returns {Promise<void>}
   */
  spare(what) {
    if (what.audio === this.sparing.audio && what.camera === this.sparing.camera) return this.work;
    this.sparing = what;
    this.work = this.work.then(async () => { // not while an offer is applied: parameters are changed one after the other
      for (const kind of /** @type {const} */ (['audio', 'camera'])) if (this.pc) await this.limit(this.pc, kind);
    });
    return this.work;
  }

  /**
   * @param {RTCPeerConnection} pc
   * @param {Sent} kind
   */
  sender(pc, kind) {
    return pc.getTransceivers().find((transceiver) => transceiver.mid === UPLINK[kind])?.sender;
  }

  /**
   * @param {Sent} kind
   * @param {MediaStreamTrack | null} track null = send nothing (camera off, no device)
   */
  async setLocal(kind, track) {
    this.local[kind] = track;
    if (!this.pc) return;
    await this.sender(this.pc, kind)?.replaceTrack(track).catch(() => this.askRestart('track_refused'));
    if (this.pc && track) await this.limit(this.pc, kind); // another camera has another height
  }

  /**
   * Who sends what on which mid is said by the offer alone; stream ids and the order of m-lines mean nothing.
   * @param {RTCPeerConnection} pc
   * @param {Offer} offer
   */
  sortIncoming(pc, offer) {
    const byMid = new Map(pc.getTransceivers().map((transceiver) => [transceiver.mid, transceiver]));
    /** @type {Map<string, Incoming>} */
    const next = new Map();
    for (const { mid, participant, kind } of offer.tracks) {
      const receiver = byMid.get(mid)?.receiver;
      if (!receiver) continue;
      const known = next.get(participant) ?? {
        participant,
        stream: this.incoming.get(participant)?.stream ?? new MediaStream(),
        screen: this.incoming.get(participant)?.screen ?? new MediaStream(),
        receivers: {},
      };
      known.receivers[kind] = receiver;
      next.set(participant, known);
    }
    this.incoming = next;
    for (const one of next.values()) this.fill(one);
    this.tell('incoming', [...next.values()]);
  }

  /**
   * Puts a participant's tracks into their stream. A picture joins it only once one was decoded: an element waits for the
   * first picture before it plays anything, and a camera that is off must not silence a voice.
   * @param {Incoming} one
   */
  fill(one) {
    const { audio, camera, screen } = one.receivers;
    hold(one.stream, [audio, camera && isFlowing(camera, one.stream) ? camera : undefined]);
    hold(one.screen, [screen && isFlowing(screen, one.screen) ? screen : undefined]);
  }

  /** Who is speaking, from the levels the senders wrote into their packets; and cameras that began to flow. */
  listen() {
    /** @type {Set<string>} */
    const now = new Set();
    for (const one of this.incoming.values()) {
      this.fill(one);
      const newest = one.receivers.audio?.getSynchronizationSources()[0];
      if ((newest?.audioLevel ?? 0) > SPEAKING_LEVEL) now.add(one.participant);
    }
    if (now.size !== this.speaking.size || [...now].some((id) => !this.speaking.has(id))) {
      this.speaking = now;
      this.tell('speaking', now);
    }
  }

  async measure() {
    if (this.pc?.connectionState !== 'connected') return;
    const quality = this.meter.read(await this.pc.getStats(), this.connection ?? '');
    if (quality) this.tell('quality', quality);
  }

  /** Asks for another way at once when nothing comes any more; the browser's own word takes five seconds and more. */
  async watchLine() {
    const pc = this.pc;
    if (pc?.connectionState !== 'connected') {
      this.line.anew();
      return;
    }
    const count = bytesReceived(await pc.getStats());
    if (this.pc === pc && this.line.look(count, performance.now())) this.tell('ice_restart');
  }

  /** @param {RTCPeerConnectionState} state */
  stateChanged(state) {
    clearTimeout(this.watch);
    if (state === 'failed') this.askRestart('failed');
    if (state === 'disconnected') {
      this.watchdog(ICE_RESTART_AFTER_MS, () => {
        this.tell('ice_restart');
        this.watchdog(GIVE_UP_AFTER_MS, () => this.askRestart('disconnected'));
      });
    }
    this.tell('state', state === 'new' ? 'connecting' : state);
  }

  /** @param {number} ms @param {() => void} what */
  watchdog(ms, what) {
    clearTimeout(this.watch);
    this.watch = setTimeout(what, ms);
  }

  /** @param {string} reason */
  askRestart(reason) {
    const wait = Math.max(0, this.restartedAt + RESTART_NOT_BEFORE_MS - performance.now());
    this.watchdog(wait, () => {
      this.restartedAt = performance.now();
      this.tell('restart', { reason });
      this.watchdog(GIVE_UP_AFTER_MS, () => this.askRestart(reason)); // the request itself may have been lost
    });
  }

  drop() {
    clearTimeout(this.watch);
    this.pc?.close();
    this.pc = null;
    this.connection = null;
    this.incoming = new Map();
    this.meter = new QualityMeter();
    this.line.anew();
  }

  close() {
    this.drop();
    for (const timer of this.timers) clearInterval(timer);
  }
}

/**
 * @param {RTCRtpReceiver} receiver
 * @param {MediaStream} stream
 */
function isFlowing(receiver, stream) {
  return stream.getTracks().includes(receiver.track) || receiver.getSynchronizationSources().length > 0;
}

/**
 * @param {MediaStream} stream
 * @param {(RTCRtpReceiver | undefined)[]} receivers whose tracks are to be in it, and no others
 */
function hold(stream, receivers) {
  const wanted = receivers.flatMap((receiver) => (receiver ? [receiver.track] : []));
  for (const track of stream.getTracks()) if (!wanted.includes(track)) stream.removeTrack(track);
  for (const track of wanted) if (!stream.getTracks().includes(track)) stream.addTrack(track);
}
