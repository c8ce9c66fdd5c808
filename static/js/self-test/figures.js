/** Figures of a self-test out of what was heard, seen and counted. Pure: no DOM, no clock. */

/** Windows as loud as this touch full scale: what is above was cut off. */
const FULL = 0.985;
const METER_DB = 60;

/**
 * @param {number[]} values
 * @param {number} share 0..1
 */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/** @param {number} value @param {number} [digits] */
export const round = (value, digits = 1) => Math.round(value * 10 ** digits) / 10 ** digits;

/** @param {number} level of a meter, 0..1 @returns {number} dB of full scale; all that is quieter is -60 */
const decibels = (level) => round(level * METER_DB - METER_DB);

/**
 * @param {{level: number, peak: number}[]} windows of a twelfth of a second, while somebody read a sentence
 * @returns {{silence_db: number, speech_db: number, clipped_pct: number}}
 */
export function soundFigures(windows) {
  const levels = windows.map(({ level }) => level);
  const clipped = windows.filter(({ peak }) => peak >= FULL).length;
  return {
    silence_db: decibels(percentile(levels, 0.1)), speech_db: decibels(percentile(levels, 0.95)),
    clipped_pct: windows.length ? round((100 * clipped) / windows.length) : 0,
  };
}

/**
 * @param {string} agent navigator.userAgent
 * @returns {{engine: 'chrome' | 'edge' | 'firefox' | 'safari' | 'other', version: number}}
 */
export function engineOf(agent) {
  for (const [engine, pattern] of /** @type {const} */ ([
    ['edge', /\bEdg(?:A|iOS)?\/(\d+)/], ['other', /\b(?:OPR|SamsungBrowser|YaBrowser|Whale|Vivaldi)\/(\d+)/],
    ['firefox', /\bFirefox\/(\d+)/], ['chrome', /\b(?:Headless)?Chrome\/(\d+)/], ['safari', /\bVersion\/(\d+)[\d.]* (?:Mobile\/\S+ )?Safari\//],
  ])) {
    const found = pattern.exec(agent);
    if (found) return { engine, version: Number(found[1]) };
  }
  return { engine: 'other', version: 0 };
}

/** @typedef {{at: number, bytesSent: number, bytesReceived: number, sent: number, lostUp: number, received: number, lost: number, trip: number | null}} Counted */

/**
 * @param {Iterable<[string, any]>} report an RTCStatsReport
 * @param {number} at ms
 * @returns {Counted} counters of one connection
 */
export function counted(report, at) {
  const sum = { at, bytesSent: 0, bytesReceived: 0, sent: 0, lostUp: 0, received: 0, lost: 0, trip: /** @type {number | null} */ (null) };
  for (const [, stat] of report) {
    if (stat.type === 'outbound-rtp') {
      sum.bytesSent += (stat.bytesSent ?? 0) + (stat.headerBytesSent ?? 0);
      sum.sent += stat.packetsSent ?? 0;
    } else if (stat.type === 'inbound-rtp') {
      sum.bytesReceived += (stat.bytesReceived ?? 0) + (stat.headerBytesReceived ?? 0);
      sum.received += stat.packetsReceived ?? 0;
      sum.lost += stat.packetsLost ?? 0;
    } else if (stat.type === 'remote-inbound-rtp') sum.lostUp += stat.packetsLost ?? 0;
    else if (stat.type === 'candidate-pair' && stat.nominated && stat.currentRoundTripTime !== undefined) {
      sum.trip = Math.round(stat.currentRoundTripTime * 1000);
    }
  }
  return sum;
}

/** @param {number} lost @param {number} whole @returns {number} percent */
const share = (lost, whole) => (whole > 0 ? round(Math.min(100, Math.max(0, (100 * lost) / whole))) : 0);

/**
 * What a line carried between two looks. What is lost on the way up never comes down: it is not counted twice.
 * @param {{sends: Counted, receives: Counted}} first
 * @param {{sends: Counted, receives: Counted}} last
 * @returns {{up_kbps: number, down_kbps: number, loss_up_pct: number, loss_down_pct: number, round_trip_ms: number | null}}
 */
export function lineFigures(first, last) {
  const seconds = Math.max(0.001, (last.sends.at - first.sends.at) / 1000);
  const up = share(last.sends.lostUp - first.sends.lostUp, last.sends.sent - first.sends.sent);
  const lost = last.receives.lost - first.receives.lost;
  const around = share(lost, lost + last.receives.received - first.receives.received);
  const rate = (/** @type {number} */ bytes) => Math.max(0, Math.round((bytes * 8) / seconds / 1000));
  return {
    up_kbps: Math.round(rate(last.sends.bytesSent - first.sends.bytesSent) * (1 - up / 100)),
    down_kbps: rate(last.receives.bytesReceived - first.receives.bytesReceived),
    loss_up_pct: up, loss_down_pct: round(Math.max(0, around - up)), round_trip_ms: last.sends.trip ?? last.receives.trip,
  };
}
