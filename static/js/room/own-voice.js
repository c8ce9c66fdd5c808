/** Whether we are speaking, from our own microphone's level: for the ring round our own tile. It must not send anything. */
import { LevelMeter } from './level-meter.js';

const SPEAKING_LEVEL = 0.45;
/** Speech has pauses; a ring that flickers with every syllable is noise. */
const LASTS_MS = 500;

export class OwnVoice {
  /**
   * @param {() => void} changed
   * @param {(peak: number | null, now: number) => void} heard what LevelMeter tells of the samples' peak
   */
  constructor(changed, heard) {
    this.speaking = false;
    /** How loud, 0..1. */
    this.level = 0;
    this.loudAt = -Infinity;
    this.meter = new LevelMeter((level, peak) => {
      const now = performance.now();
      heard(peak, now);
      this.level = level;
      if (level > SPEAKING_LEVEL) this.loudAt = now;
      const speaking = now - this.loudAt < LASTS_MS;
      if (speaking === this.speaking) return;
      this.speaking = speaking;
      changed();
    });
  }

  /** @param {MediaStreamTrack | null} track */
  follow(track) {
    this.meter.follow(track);
  }

  close() {
    this.meter.close();
  }
}
