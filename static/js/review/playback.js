/**
 * All tracks of a recording on one clock: a timing object moves, every media element follows it.
 * It must not know the page; it tells by events and takes commands.
 */
import { setTimingsrc, TimingObject } from '/static/vendor/timing.js';
import { post } from '../api.js';
import { inOrder, lanesOf, layerAt, lengthOf, presentAt, WatchedSpans } from './timeline.js';

/**
 * @typedef {import('../types/wire.js').RecordingAnswer} RecordingAnswer
 * @typedef {import('../types/wire.js').Track} Track
 * @typedef {import('./timeline.js').Lane} Lane
 * @typedef {{lane: Lane, track: Track, element: HTMLMediaElement, lateSince: number | null, stop: () => void}} Line
 */

const TICK_MS = 50;
const REPORT_EVERY_MS = 10_000;
/** A track that lags for longer than this holds all the others: nobody is heard out of step. */
const HOLD_AFTER_MS = 400;
const END_SLACK_MS = 120;

/** Events: `tick` at every step of the clock, `change` when playing, speed or loading changed, `denied` {detail: track id}. */
export class Playback extends EventTarget {
  /**
   * @param {RecordingAnswer} recording
   * @param {(track: string) => string} [source] where a track's file is, when not with the recording; then nothing is told of
   *   what was watched
   */
  constructor(recording, source) {
    super();
    this.recording = recording;
    this.source = source;
    /** @type {((participant: string, ms: number) => boolean) | null} whose voices are heard; null = everybody's */
    this.hears = null;
    /** @type {Set<string>} tracks that were switched off */
    this.silenced = new Set();
    /** @type {number | null} where to stop by itself */
    this.until = null;
    this.lanes = lanesOf(inOrder(recording.tracks));
    /** @type {string | null} the lane whose picture is looked at; null = all alike */
    this.focused = null;
    this.durationMs = lengthOf(recording);
    this.timing = new TimingObject({ position: 0, velocity: 0 }, 0, this.durationMs / 1000);
    this.playing = false;
    this.speed = 1;
    this.held = false;
    /** @type {Line[]} */
    this.lines = [];
    this.watched = new WatchedSpans();
    this.timers = [setInterval(() => this.step(), TICK_MS), setInterval(() => this.report(), REPORT_EVERY_MS)];
    addEventListener('pagehide', () => this.report(true));
  }

  /**
   * @param {Lane} lane
   * @param {HTMLMediaElement} element
   */
  add(lane, element) {
    element.preload = 'auto';
    /** @type {Line} */
    const line = { lane, track: this.layer(lane), element, lateSince: null, stop: () => undefined };
    element.addEventListener('error', () => this.dispatchEvent(new CustomEvent('denied', { detail: line.track.id })));
    // While paused the elements follow changes only: once a length is known, tell them where they are.
    element.addEventListener('loadedmetadata', () => {
      if (!this.running()) this.timing.update({ position: this.timing.query().position });
    });
    this.lines.push(line);
    this.load(line);
  }

  /** @param {Line} line */
  load(line) {
    const offset = line.track.offset_ms / 1000;
    line.stop();
    const own = `/api/recordings/${encodeURIComponent(this.recording.id)}/tracks/${encodeURIComponent(line.track.id)}`;
    line.element.src = this.source ? this.source(line.track.id) : own;
    line.stop = setTimingsrc(line.element, this.timing, (vector) => ({ ...vector, position: vector.position - offset }));
  }

  /** The layer of a lane to be played now: whoever is looked at is sharp. @param {Lane} lane */
  layer(lane) {
    return layerAt(lane, this.now(), this.focused === null || this.focused === lane.id);
  }

  /** A picture whose other layer is to be played now is loaded anew. */
  follow() {
    for (const line of this.lines) {
      const track = line.lane.layers.length > 1 ? this.layer(line.lane) : line.track;
      if (track === line.track) continue;
      line.track = track;
      line.lateSince = null;
      this.load(line);
    }
  }

  /** @param {string | null} lane */
  focus(lane) {
    this.focused = lane;
    this.follow();
    this.changed();
  }

  /** @returns {number} ms since the recording's start */
  now() {
    return Math.min(this.durationMs, Math.max(0, this.timing.query().position * 1000));
  }

  running() {
    return this.timing.query().velocity !== 0;
  }

  play() {
    if (this.now() >= this.durationMs - END_SLACK_MS) this.timing.update({ position: 0 });
    this.playing = true;
    this.held = false;
    this.timing.update({ velocity: this.speed });
    this.changed();
  }

  pause() {
    this.playing = false;
    this.until = null;
    this.held = false;
    this.timing.update({ velocity: 0 });
    this.watched.cut();
    this.changed();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  /** @param {number} ms */
  seek(ms) {
    this.watched.cut();
    this.until = null;
    const position = Math.min(this.durationMs, Math.max(0, ms)) / 1000;
    this.timing.update({ position, velocity: this.playing && !this.held ? this.speed : 0 });
    this.changed();
  }

  /** @param {number} speed */
  setSpeed(speed) {
    this.speed = speed;
    if (this.playing && !this.held) this.timing.update({ velocity: speed });
    this.changed();
  }

  /** Plays one part and stops behind it. @param {number} from @param {number} to */
  playPart(from, to) {
    this.seek(from);
    this.until = to;
    this.play();
  }

  /** @param {string} track @param {boolean} silent */
  silence(track, silent) {
    if (silent) this.silenced.add(track);
    else this.silenced.delete(track);
    this.sound();
  }

  /** @param {((participant: string, ms: number) => boolean) | null} hears */
  hear(hears) {
    this.hears = hears;
    this.sound();
  }

  /** Voices are heard or not; each goes on in step with the others all the time. */
  sound() {
    const ms = this.now();
    for (const { lane, element } of this.lines) {
      if (lane.kind !== 'audio') continue;
      const muted = this.silenced.has(lane.id) || (this.hears !== null && !this.hears(lane.participant, ms));
      if (element.muted !== muted) element.muted = muted;
    }
  }

  changed() {
    this.sound();
    this.dispatchEvent(new Event('change'));
    this.dispatchEvent(new Event('tick'));
  }

  step() {
    const ms = this.now();
    if (this.playing && (ms >= this.durationMs - 1 || (this.until !== null && ms >= this.until))) this.pause();
    this.follow();
    this.sound();
    if (this.playing) {
      this.hold(ms);
      if (!this.held) this.watched.at(ms, TICK_MS * 10 * this.speed);
    }
    this.dispatchEvent(new Event('tick'));
  }

  /** Waits for slow tracks, goes on when they caught up. @param {number} ms */
  hold(ms) {
    const clock = performance.now();
    let late = false;
    for (const line of this.lines) {
      const { track, element } = line;
      const ready = !presentAt(track, ms) || element.error !== null || element.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
      line.lateSince = ready ? null : (line.lateSince ?? clock);
      if (line.lateSince !== null && (this.held || clock - line.lateSince > HOLD_AFTER_MS)) late = true;
    }
    if (late === this.held) return;
    this.held = late;
    if (late) this.watched.cut();
    this.timing.update({ velocity: late ? 0 : this.speed });
    this.changed();
  }

  /** Who watched which seconds is part of the record. @param {boolean} [leaving] */
  report(leaving = false) {
    const spans = this.watched.take();
    if (spans.length === 0 || this.source) return;
    post(`/api/recordings/${encodeURIComponent(this.recording.id)}/watched`, { spans }, { keepalive: leaving }).catch(() => {
      this.watched.spans.unshift(...spans); // told again with the next ones
    });
  }

  close() {
    this.pause();
    this.report(true);
    for (const timer of this.timers) clearInterval(timer);
    for (const { stop, element } of this.lines) {
      stop();
      element.removeAttribute('src');
      element.load();
    }
  }
}
