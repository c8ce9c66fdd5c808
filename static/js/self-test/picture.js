/** A camera looked at for some seconds: pictures a second, size, brightness. It must not keep or send a picture. */
import { round } from './figures.js';

const WIDTH = 32;
const HEIGHT = 18;

/**
 * @param {MediaStreamTrack} track
 * @param {number} ms
 * @returns {Promise<{lines: number, frames_per_s: number, brightness: number}>}
 */
export async function lookAt(track, ms) {
  const video = document.createElement('video');
  Object.assign(video, { muted: true, playsInline: true, srcObject: new MediaStream([track]) });
  try {
    void video.play().catch(() => undefined);
    const begun = performance.now();
    while (video.videoWidth === 0 && performance.now() - begun < ms) await wait(100); // the first picture
    const from = { at: performance.now(), frames: video.getVideoPlaybackQuality().totalVideoFrames };
    await wait(ms);
    const frames = video.getVideoPlaybackQuality().totalVideoFrames - from.frames;
    return {
      lines: Math.min(video.videoWidth, video.videoHeight),
      frames_per_s: round((1000 * frames) / (performance.now() - from.at)),
      brightness: round(brightness(video)),
    };
  } finally {
    video.srcObject = null;
  }
}

/** @param {HTMLVideoElement} video @returns {number} the mean of its picture, 0..255 */
function brightness(video) {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: WIDTH, height: HEIGHT });
  const paint = canvas.getContext('2d', { willReadFrequently: true });
  if (!paint || video.videoWidth === 0) return 0;
  paint.drawImage(video, 0, 0, WIDTH, HEIGHT);
  const { data } = paint.getImageData(0, 0, WIDTH, HEIGHT);
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) sum += 0.299 * (data[i] ?? 0) + 0.587 * (data[i + 1] ?? 0) + 0.114 * (data[i + 2] ?? 0);
  return sum / (data.length / 4);
}

/** @param {number} ms */
export const wait = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
