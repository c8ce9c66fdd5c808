/**
 * Plays the others, each at a volume of its own that glides to where it is told. It decides nothing about volumes.
 *
 * Mostly the media elements play by themselves and only their volume is set. An interpreter, who wears a headset for
 * hours, hears everybody through a limiter instead (room/limiter.js): then the elements are muted and a Web Audio graph
 * plays, but only while its context really runs. A browser that lets it sleep leaves the elements as they were: better a
 * voice without limiter than none. A muted element goes on pulling the sound, without which Chromium gives a graph silence.
 */
import { limiter } from './limiter.js';
import { glide } from './volumes.js';

const STEP_MS = 20;

/** @typedef {{element: HTMLMediaElement, source: MediaStreamAudioSourceNode | null, track: MediaStreamTrack | null, gain: GainNode | null, muted: boolean}} Voice `muted`: by us */

export class Mixer {
  constructor() {
    /** @type {Map<string, Voice>} */
    this.voices = new Map();
    /** @type {Map<string, number>} */
    this.targets = new Map();
    /** @type {Map<string, number>} */
    this.now = new Map();
    /** @type {AudioContext | null} */
    this.context = null;
    /** @type {AudioNode | null} where voices go in */
    this.into = null;
    /** @type {AudioNode | null} where all come out */
    this.last = null;
    /** @type {HTMLAudioElement | null} */
    this.speaker = null;
    /** @type {number | undefined} */
    this.timer = undefined;
    this.steppedAt = 0;
    /** @type {string | undefined} */
    this.sink = undefined;
    this.wake = () => void this.context?.resume().catch(() => undefined);
  }

  /** Whether everybody is played through the limiter now. */
  get guarded() {
    return this.context?.state === 'running';
  }

  /** Lets everybody be heard through the limiter from now on, as soon as the browser allows it. */
  guard() {
    if (this.context) return;
    this.context = new AudioContext({ latencyHint: 'interactive' });
    const guard = limiter(this.context);
    guard.output.connect(this.context.destination);
    this.into = guard.input;
    this.last = guard.output;
    this.context.addEventListener('statechange', () => this.refresh());
    for (const touch of ['pointerdown', 'keydown']) document.addEventListener(touch, this.wake);
    this.wake();
    this.aim();
    this.refresh();
  }

  /** Which loudspeaker, for the graph; elements are told by their tiles. @param {string | undefined} sink */
  use(sink) {
    if (sink === this.sink) return;
    this.sink = sink;
    this.aim();
  }

  /** A graph of Firefox can only be aimed by an element that plays it, which takes a little longer. */
  aim() {
    const context = /** @type {(AudioContext & {setSinkId?: (id: string) => Promise<void>}) | null} */ (this.context);
    if (!context || this.sink === undefined) return;
    if (context.setSinkId) void context.setSinkId(this.sink).catch(() => undefined);
    else {
      if (!this.speaker) {
        const out = context.createMediaStreamDestination();
        this.last?.disconnect();
        this.last?.connect(out);
        this.speaker = new Audio();
        this.speaker.srcObject = out.stream;
      }
      const speaker = /** @type {HTMLAudioElement & {setSinkId?: (id: string) => Promise<void>}} */ (this.speaker);
      void speaker.setSinkId?.(this.sink).catch(() => undefined);
      void speaker.play().catch(() => undefined);
    }
  }

  /**
   * @param {string} id participant
   * @param {HTMLMediaElement} element what plays them now
   */
  attach(id, element) {
    const known = this.voices.get(id);
    if (known?.element === element) {
      if (known.track === trackOf(element)) return; // another one takes its place in join()
    } else {
      if (known) cut(known);
      this.voices.set(id, { element, source: null, track: null, gain: null, muted: false });
    }
    this.refresh();
  }

  /** @param {string} id @param {HTMLMediaElement} element */
  detach(id, element) {
    const known = this.voices.get(id);
    if (known?.element !== element) return;
    cut(known);
    this.voices.delete(id);
  }

  /** Brings elements and graph in line with who plays. */
  refresh() {
    for (const [id, voice] of this.voices) {
      if (this.context && this.into) this.join(id, voice, this.context, this.into);
      this.play(id, voice);
      const muted = this.guarded && voice.gain !== null;
      if (muted !== voice.muted) voice.element.muted = muted;
      voice.muted = muted;
    }
  }

  /**
   * @param {string} id
   * @param {Voice} voice
   * @param {AudioContext} context
   * @param {AudioNode} into
   */
  join(id, voice, context, into) {
    const track = trackOf(voice.element);
    if (track === voice.track) return;
    cut(voice);
    voice.track = track;
    if (!track) return;
    voice.gain = context.createGain();
    voice.gain.gain.value = this.now.get(id) ?? 1;
    voice.source = context.createMediaStreamSource(new MediaStream([track]));
    voice.source.connect(voice.gain).connect(into);
  }

  /** Whether an element is to stay muted because the graph plays it. @param {HTMLMediaElement} element */
  carries(element) {
    return this.guarded && [...this.voices.values()].some((voice) => voice.element === element && voice.gain !== null);
  }

  /** @param {Map<string, number>} targets 0..1 per participant */
  set(targets) {
    this.targets = targets;
    if (this.timer !== undefined) return;
    this.steppedAt = performance.now();
    this.timer = setInterval(() => this.step(), STEP_MS);
  }

  step() {
    const now = performance.now();
    const ms = now - this.steppedAt;
    this.steppedAt = now;
    let moving = false;
    for (const [id, target] of this.targets) {
      const before = this.now.get(id) ?? 1;
      if (before === target) continue;
      this.now.set(id, glide(before, target, ms));
      moving = true;
      const voice = this.voices.get(id);
      if (voice) this.play(id, voice);
    }
    if (moving) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** @param {string} id @param {Voice} voice */
  play(id, voice) {
    const volume = this.now.get(id) ?? 1;
    voice.element.volume = volume;
    if (voice.gain && this.context) voice.gain.gain.setTargetAtTime(volume, this.context.currentTime, STEP_MS / 1000);
  }

  close() {
    clearInterval(this.timer);
    this.timer = undefined;
    for (const touch of ['pointerdown', 'keydown']) document.removeEventListener(touch, this.wake);
    for (const voice of this.voices.values()) cut(voice);
    this.voices.clear();
    this.targets.clear();
    this.now.clear();
    void this.context?.close();
    this.context = null;
    this.into = null;
    this.last = null;
    this.speaker?.pause();
    this.speaker = null;
  }
}

/** @param {HTMLMediaElement} element */
function trackOf(element) {
  const stream = element.srcObject;
  return stream instanceof MediaStream ? (stream.getAudioTracks()[0] ?? null) : null;
}

/** @param {Voice} voice */
function cut(voice) {
  voice.source?.disconnect();
  voice.gain?.disconnect();
  Object.assign(voice, { source: null, gain: null, track: null });
}
