/** A track listened to for some seconds, and its sound kept in memory for as long as it is played back. */
import { LevelMeter } from '../room/level-meter.js';
import { wait } from './picture.js';

/**
 * @param {MediaStreamTrack} track
 * @param {number} ms
 * @param {(level: number) => void} [tell] each level, 0..1
 * @returns {Promise<{level: number, peak: number}[]>} windows of a twelfth of a second
 */
export async function listenTo(track, ms, tell = () => undefined) {
  /** @type {{level: number, peak: number}[]} */
  const windows = [];
  const meter = new LevelMeter((level, peak) => {
    tell(level);
    if (peak !== null) windows.push({ level, peak });
  });
  try {
    meter.follow(track);
    await wait(ms);
  } finally {
    meter.close();
  }
  return windows;
}

/**
 * @param {MediaStreamTrack} track
 * @param {number} ms
 * @returns {Promise<Blob | null>} null where this browser cannot
 */
export async function keep(track, ms) {
  if (!('MediaRecorder' in window)) return null;
  /** @type {Blob[]} */
  const parts = [];
  try {
    const recorder = new MediaRecorder(new MediaStream([track]));
    const over = new Promise((resolve) => { recorder.addEventListener('stop', resolve); });
    recorder.addEventListener('dataavailable', ({ data }) => parts.push(data));
    recorder.start();
    await wait(ms);
    recorder.stop();
    await over;
    return new Blob(parts, { type: recorder.mimeType });
  } catch {
    return null;
  }
}

/** Plays it once. @param {Blob} blob @returns {Promise<void>} settled at its end */
export async function play(blob) {
  const audio = new Audio(URL.createObjectURL(blob));
  try {
    await new Promise((resolve) => {
      for (const end of ['ended', 'error']) audio.addEventListener(end, resolve, { once: true });
      audio.play().catch(resolve);
    });
  } finally {
    URL.revokeObjectURL(audio.src);
  }
}
