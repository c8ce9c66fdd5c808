/**
 * The line to the media relay and back, measured by the code of the room: one connection sends, the other gets the same again.
 * The voice is real, the picture is noise: no picture of anybody is sent. It must not know steps or verdicts.
 */
import { MediaLink } from '../room/media-link.js';
import { counted, lineFigures } from './figures.js';
import { wait } from './picture.js';

/** @typedef {import('../types/wire.js').Offer} Offer */
/** @typedef {{sends: Offer, receives: Offer}} Offers */

const PEERS = Object.freeze(/** @type {const} */ (['sends', 'receives']));
const CONNECTS_WITHIN_MS = 12_000;
/** How long estimates climb before a rate says anything. */
const SETTLES = 0.4;
const NOISE = Object.freeze({ width: 640, height: 360, block: 8, frames: 12, perSecond: 15 });

/** Blocks that change with every picture: they take all the rate that the line gives. */
function noise() {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: NOISE.width, height: NOISE.height });
  const paint = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  paint.imageSmoothingEnabled = false;
  const tiles = Array.from({ length: NOISE.frames }, tile);
  let at = 0;
  const timer = setInterval(() => {
    paint.drawImage(/** @type {HTMLCanvasElement} */ (tiles[at++ % tiles.length]), 0, 0, NOISE.width, NOISE.height);
  }, 1000 / NOISE.perSecond);
  const track = /** @type {MediaStreamTrack} */ (canvas.captureStream(NOISE.perSecond).getVideoTracks()[0]);
  return { track, stop: () => { clearInterval(timer); track.stop(); } };
}

function tile() {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: NOISE.width / NOISE.block, height: NOISE.height / NOISE.block });
  const paint = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const image = paint.createImageData(canvas.width, canvas.height);
  for (let i = 0; i < image.data.length; i += 4) image.data.fill(Math.random() * 256, i, i + 3).fill(255, i + 3, i + 4);
  paint.putImageData(image, 0, 0);
  return canvas;
}

export class MeasuredLine {
  /**
   * @param {MediaStreamTrack | null} voice
   * @param {(peer: 'sends' | 'receives', offerId: string, sdp: string) => Promise<unknown>} answer
   */
  constructor(voice, answer) {
    this.answer = answer;
    this.noise = noise();
    this.links = { sends: new MediaLink(), receives: new MediaLink() };
    /** It comes back without being played: Chromium gives a remote track's sound to nobody else otherwise. */
    this.sink = Object.assign(new Audio(), { muted: true });
    void this.links.sends.setLocal('audio', voice);
    void this.links.sends.setLocal('camera', this.noise.track);
  }

  /** @param {Offers} offers @returns {Promise<boolean>} whether both ways stand */
  async connect(offers) {
    const up = PEERS.map((peer) => new Promise((resolve) => {
      const link = this.links[peer];
      link.addEventListener('answer', (event) => {
        const { offer_id: id, sdp } = /** @type {CustomEvent} */ (event).detail;
        this.answer(peer, id, sdp).catch(() => resolve(false));
      });
      link.addEventListener('state', (event) => {
        if (/** @type {CustomEvent} */ (event).detail === 'connected') resolve(true);
      });
      link.addEventListener('restart', () => resolve(false));
      void link.apply(offers[peer]);
    }));
    return (await Promise.race([Promise.all(up), wait(CONNECTS_WITHIN_MS).then(() => [false])])).every(Boolean);
  }

  /** @returns {MediaStreamTrack | null} the voice as the others would hear it */
  get returned() {
    const [one] = this.links.receives.incoming.values();
    const track = one?.receivers.audio?.track ?? null;
    if (track && !this.sink.srcObject) {
      this.sink.srcObject = new MediaStream([track]);
      void this.sink.play().catch(() => undefined);
    }
    return track;
  }

  /**
   * @param {number} seconds
   * @param {(left: number) => void} tell each second
   */
  async measure(seconds, tell) {
    const ends = performance.now() + seconds * 1000;
    const from = performance.now() + SETTLES * seconds * 1000;
    let first = await this.look();
    for (let now = performance.now(); now < ends; now = performance.now()) {
      tell(Math.ceil((ends - now) / 1000));
      await wait(Math.min(1000, ends - now));
      if (performance.now() <= from) first = await this.look();
    }
    return lineFigures(first, await this.look());
  }

  async look() {
    const at = performance.now();
    const [sends, receives] = await Promise.all(PEERS.map(async (peer) =>
      counted(/** @type {any} */ (await this.links[peer].pc?.getStats()) ?? [], at)));
    return { sends: /** @type {import('./figures.js').Counted} */ (sends), receives: /** @type {import('./figures.js').Counted} */ (receives) };
  }

  close() {
    this.noise.stop();
    this.sink.srcObject = null;
    for (const peer of PEERS) this.links[peer].close();
  }
}
