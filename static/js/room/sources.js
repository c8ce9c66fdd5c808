/**
 * What comes in from each person: how loud, how whole. Read from the receivers of the connection; nothing is decoded or
 * kept. It must not draw: elements ask it as often as they show something.
 *
 * @typedef {{participant: string, receivers: {audio?: RTCRtpReceiver}}} Incoming
 * @typedef {{level: number, loss: number | null, quality: 'good' | 'fair' | 'poor' | null}} Source level 0..1 as a meter shows it
 */
import { onMeter } from './level-meter.js';
import { levelOf } from './quality.js';

const EVERY_MS = 2000;
/** A level that no packet has renewed for so long is no level: nothing comes. */
const STALE_MS = 400;

/** @param {number | undefined} linear 0..1 @returns {number} 0..1 as a meter shows it */
export function meterOf(linear) {
  return linear ? onMeter(20 * Math.log10(linear)) : 0;
}

/** Counters of one receiver, and what became of them since the last look. */
export class Wholeness {
  constructor() {
    /** @type {{received: number, lost: number, samples: number, concealed: number} | null} */
    this.last = null;
    /** @type {number | null} 0..1 */
    this.loss = null;
    /** @type {'good' | 'fair' | 'poor' | null} */
    this.quality = null;
  }

  /** @param {Iterable<[string, any]>} report of the receiver's getStats */
  read(report) {
    for (const [, stat] of report) {
      if (stat.type !== 'inbound-rtp') continue;
      const now = {
        received: stat.packetsReceived ?? 0, lost: Math.max(0, stat.packetsLost ?? 0),
        samples: stat.totalSamplesReceived ?? 0, concealed: (stat.concealedSamples ?? 0) - (stat.silentConcealedSamples ?? 0),
      };
      const last = this.last ?? now;
      this.last = now;
      const lost = Math.max(0, now.lost - last.lost);
      const sent = lost + Math.max(0, now.received - last.received);
      this.loss = sent > 0 ? lost / sent : null;
      const samples = now.samples - last.samples;
      const madeUp = samples > 0 ? Math.max(0, now.concealed - last.concealed) / samples : 0;
      // Lost or made up: a listener hears a few hundredths of it, and cannot render a tenth. Where nothing came, whoever is
      // silent, muted or not routed here is neither well nor badly received.
      this.quality = sent > 0 ? levelOf(null, 0, Math.max(this.loss ?? 0, madeUp)) : null;
    }
  }
}

export class Sources {
  /** @param {() => Iterable<Incoming>} incoming who comes in on the present connection */
  constructor(incoming) {
    this.incoming = incoming;
    /** @type {WeakMap<RTCRtpReceiver, Wholeness>} */
    this.known = new WeakMap();
    this.timer = setInterval(() => void this.measure(), EVERY_MS);
  }

  async measure() {
    for (const { receivers } of this.incoming()) {
      const receiver = receivers.audio;
      if (!receiver) continue;
      const known = this.known.get(receiver) ?? new Wholeness();
      this.known.set(receiver, known);
      const report = await receiver.getStats().catch(() => null);
      if (report) known.read(/** @type {any} */ (report));
    }
  }

  /** @returns {Map<string, Source>} by participant, now */
  look() {
    const wall = performance.timeOrigin + performance.now();
    return new Map([...this.incoming()].map(({ participant, receivers }) => {
      const newest = receivers.audio?.getSynchronizationSources()[0];
      // Browsers differ in whether they count from the epoch or from the page's beginning.
      const age = newest ? Math.min(Math.abs(wall - newest.timestamp), Math.abs(performance.now() - newest.timestamp)) : Infinity;
      const known = receivers.audio && this.known.get(receivers.audio);
      return [participant, { level: age < STALE_MS ? meterOf(newest?.audioLevel) : 0, loss: known?.loss ?? null, quality: known?.quality ?? null }];
    }));
  }

  close() {
    clearInterval(this.timer);
  }
}
