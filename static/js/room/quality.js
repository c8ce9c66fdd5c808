/**
 * Link quality from getStats reports (W3C webrtc-stats): round trip, loss each way, and one word for both.
 * Pure: it is fed reports and keeps the last counters; it must not ask for them.
 *
 * @typedef {import('../types/wire.js').Quality} Quality
 */

const FAIR = Object.freeze({ rtt_ms: 350, loss: 0.03 });
const POOR = Object.freeze({ rtt_ms: 800, loss: 0.1 });

/**
 * @param {number | null} rttMs
 * @param {number} lossUp 0..1
 * @param {number} lossDown 0..1
 * @returns {'good' | 'fair' | 'poor'}
 */
export function levelOf(rttMs, lossUp, lossDown) {
  const loss = Math.max(lossUp, lossDown);
  const rtt = rttMs ?? 0;
  if (rtt > POOR.rtt_ms || loss > POOR.loss) return 'poor';
  return rtt > FAIR.rtt_ms || loss > FAIR.loss ? 'fair' : 'good';
}

export class QualityMeter {
  constructor() {
    this.connection = '';
    this.received = 0;
    this.lost = 0;
  }

  /**
   * @param {Iterable<[string, any]>} report an RTCStatsReport, or pairs like it
   * @param {string} connection counters begin anew with another one
   * @returns {Quality | null} null while there is nothing to judge by
   */
  read(report, connection) {
    let received = 0;
    let lost = 0;
    let lossUp = 0;
    let able = null;
    let limited = false;
    /** @type {number | null} */
    let rttMs = null;
    for (const [, stat] of report) {
      if (stat.type === 'candidate-pair' && stat.nominated && stat.currentRoundTripTime !== undefined) {
        rttMs = Math.round(stat.currentRoundTripTime * 1000);
        able = stat.availableOutgoingBitrate ?? null;
      } else if (stat.type === 'outbound-rtp') {
        limited ||= stat.qualityLimitationReason === 'bandwidth';
      } else if (stat.type === 'inbound-rtp') {
        received += stat.packetsReceived ?? 0;
        lost += stat.packetsLost ?? 0;
      } else if (stat.type === 'remote-inbound-rtp') {
        lossUp = Math.max(lossUp, clamp(stat.fractionLost ?? 0));
        if (rttMs === null && stat.roundTripTime) rttMs = Math.round(stat.roundTripTime * 1000);
      }
    }
    const first = connection !== this.connection;
    const [newReceived, newLost] = first ? [received, lost] : [received - this.received, lost - this.lost];
    Object.assign(this, { connection, received, lost });
    const heard = Math.max(0, newReceived) + Math.max(0, newLost);
    const lossDown = heard > 0 ? clamp(newLost / heard) : 0;
    if (rttMs === null && heard === 0) return null;
    const round = (/** @type {number} */ value) => Math.round(value * 1000) / 1000;
    // An estimate is news only while it holds the picture back: with little to send it is low on any line.
    const upBps = limited && able !== null ? Math.round(able) : null;
    return { rtt_ms: rttMs, loss_up: round(lossUp), loss_down: round(lossDown), up_bps: upBps, level: levelOf(rttMs, lossUp, lossDown) };
  }
}

/** @param {number} value */
function clamp(value) {
  return Math.min(1, Math.max(0, value));
}
