/**
 * All tracks of a recording on one clock: a timing object moves, every media element follows it.
 * It must not know the page; it tells by events and takes commands.
 */
import { setTimingsrc, TimingObject } from '/static/vendor/timing.js';
import { post } from '../api.js';
import { inOrder, lengthOf, presentAt, WatchedSpans } from './timeline.js';

/**
 * @typedef {import('../types/wire.js').RecordingAnswer} RecordingAnswer
 * @typedef {import('../types/wire.js').Track} Track
 */

const TICK_MS = 50;
const REPORT_EVERY_MS = 10_000;
/** A track that lags for longer than this holds all the others: nobody is heard out of step. */
const HOLD_AFTER_MS = 400;
const END_SLACK_MS = 120;

/** Events: `tick` at every step of the clock, `change` when playing, speed or loading changed, `denied` {detail: track id}. */
export class Playback extends EventTarget {
  /** @param {RecordingAnswer} recording */
  constructor(recording) {
    super();
    this.recording = { ...recording, tracks: inOrder(recording.tracks) };
    this.durationMs = lengthOf(recording);
    this.timing = new TimingObject({ position: 0, velocity: 0 }, 0, this.durationMs / 1000);
    this.playing = false;
    this.speed = 1;
    this.held = false;
    /** @type {{track: Track, element: HTMLMediaElement, lateSince: number | null, stop: () => void}[]} */
    this.lines = [];
    this.watched = new WatchedSpans();
    this.timers = [setInterval(() => this.step(), TICK_MS), setInterval(() => this.report(), REPORT_EVERY_MS)];
    addEventListener('pagehide', () => this.report(true));
  }

  /**
   * @param {Track} track
   * @param {HTMLMediaElement} element
   */
  add(track, element) {
    const offset = track.offset_ms / 1000;
    element.preload = 'auto';
    element.src = `/api/recordings/${encodeURIComponent(this.recording.id)}/tracks/${encodeURIComponent(track.id)}`;
    element.addEventListener('error', () => this.dispatchEvent(new CustomEvent('denied', { detail: track.id })));
    // While paused the elements follow changes only: once a length is known, tell them where they are.
    element.addEventListener('loadedmetadata', () => {
      if (!this.running()) this.timing.update({ position: this.timing.query().position });
    });
    const stop = setTimingsrc(element, this.timing, (vector) => ({ ...vector, position: vector.position - offset }));
    this.lines.push({ track, element, lateSince: null, stop });
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

  changed() {
    this.dispatchEvent(new Event('change'));
    this.dispatchEvent(new Event('tick'));
  }

  step() {
    const ms = this.now();
    if (this.playing && ms >= this.durationMs - 1) this.pause();
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
    if (spans.length === 0) return;
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
