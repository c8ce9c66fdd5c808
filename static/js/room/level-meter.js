/** How loud our own microphone is, 0..1, for the door's meter and our own tile. It must not record or send. */
import { playNotes } from './tones.js';

const EVERY_MS = 80;
const FLOOR_DB = -60;

/** @param {number} db of full scale @returns {number} 0..1, straight in dB over 60 dB: every meter shows the same */
export function onMeter(db) {
  return Math.min(1, Math.max(0, (db - FLOOR_DB) / -FLOOR_DB));
}

export class LevelMeter {
  /** @param {(level: number, peak: number | null) => void} tell peak of the samples, 0..1; null = not listening just now */
  constructor(tell) {
    this.tell = tell;
    /** @type {AudioContext | null} */
    this.context = null;
    /** @type {AnalyserNode | null} */
    this.analyser = null;
    /** @type {MediaStreamTrack | null} */
    this.track = null;
    this.samples = new Float32Array(4096);
    this.timer = setInterval(() => this.measure(), EVERY_MS);
    // Browsers keep sound asleep until the person touched the page.
    this.wake = () => void this.context?.resume().catch(() => undefined);
    document.addEventListener('pointerdown', this.wake);
    document.addEventListener('keydown', this.wake);
  }

  /** @param {MediaStreamTrack | null} track */
  follow(track) {
    if (track === this.track) return;
    this.track = track;
    this.analyser?.disconnect();
    this.analyser = null;
    if (!track) return;
    this.context ??= new AudioContext();
    this.analyser = this.context.createAnalyser();
    this.analyser.fftSize = 2 * this.samples.length;
    this.context.createMediaStreamSource(new MediaStream([track])).connect(this.analyser);
    this.wake();
  }

  measure() {
    if (!this.analyser || !this.track?.enabled) {
      this.tell(0, null);
      return;
    }
    this.analyser.getFloatTimeDomainData(this.samples);
    let sum = 0;
    let peak = 0;
    for (const sample of this.samples) {
      sum += sample * sample;
      peak = Math.max(peak, Math.abs(sample));
    }
    const db = 10 * Math.log10(sum / this.samples.length + 1e-12);
    this.tell(onMeter(db), this.context?.state === 'running' ? peak : null);
  }

  close() {
    clearInterval(this.timer);
    document.removeEventListener('pointerdown', this.wake);
    document.removeEventListener('keydown', this.wake);
    void this.context?.close();
    this.context = null;
  }
}

/** Two soft notes, so that the person can tell whether the loudspeaker works. @param {string} [sink] */
export function playTestSound(sink) {
  return playNotes([[523.25, 0], [659.25, 0.35]], { loudness: 0.25, fades: 0.6 }, sink);
}
