/**
 * Arithmetic of a recording's time line: presence, gaps, watched spans. Pure; times in ms since the recording's start.
 *
 * @typedef {import('../types/wire.js').Track} Track
 */

/**
 * @param {Track} track
 * @param {number} ms
 * @returns {boolean} whether the track has something to show at that moment
 */
export function presentAt(track, ms) {
  return track.present.some(([from, to]) => from <= ms && ms < to);
}

/** @param {Track} track @param {number} ms @returns {number} degrees by which its picture is to be turned clockwise then */
export function turnAt(track, ms) {
  return (track.rotations ?? []).filter(([from]) => from <= ms).at(-1)?.[1] ?? 0;
}

/** @param {Track} track @param {number} durationMs @returns {number} whole per cent of the recording that the track holds */
export function share(track, durationMs) {
  if (durationMs <= 0) return 0;
  const held = track.present.reduce((sum, [from, to]) => sum + Math.max(0, Math.min(to, durationMs) - Math.max(0, from)), 0);
  return Math.min(100, Math.round((100 * held) / durationMs));
}

/** @typedef {Track & {layers: Track[]}} Lane what one person sent of one kind; `layers` are its tracks, the sharpest first */

/**
 * One lane per person and kind, in the order of the tracks: a picture in layers is one, there where either is.
 * @param {Track[]} tracks
 * @returns {Lane[]}
 */
export function lanesOf(tracks) {
  /** @type {Map<string, Track[]>} */
  const found = new Map();
  for (const track of tracks) {
    const key = `${track.participant} ${track.kind}`;
    found.set(key, [...(found.get(key) ?? []), track]);
  }
  return [...found.values()].map((layers) => laneOf(layers.sort((a, b) => Number(a.rid === LOW) - Number(b.rid === LOW))));
}

const LOW = 'l';

/** @param {Track[]} layers @returns {Lane} */
function laneOf(layers) {
  const [best] = layers;
  if (layers.length === 1) return { ...best, layers };
  const present = union(layers.flatMap((layer) => layer.present));
  return { ...best, layers, present, gaps: best.gaps.flatMap((gap) => less(gap, present)) };
}

/** @param {[number, number][]} spans */
function union(spans) {
  /** @type {[number, number][]} */
  const out = [];
  for (const [from, to] of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = out.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else out.push([from, to]);
  }
  return out;
}

/**
 * What is left of a gap without the spans of presence.
 * @param {import('../types/wire.js').Gap} gap
 * @param {[number, number][]} present
 */
function less(gap, present) {
  /** @type {import('../types/wire.js').Gap[]} */
  const parts = [];
  let at = gap.from;
  for (const [from, to] of present) {
    if (to <= at || from >= gap.to) continue;
    if (from > at) parts.push({ ...gap, from: at, to: from });
    at = to;
  }
  if (at < gap.to) parts.push({ ...gap, from: at });
  return parts;
}

/**
 * The layer to play: the sharp one or the thin one as wished, the other where the wished one holds nothing.
 * @param {Lane} lane
 * @param {number} ms
 * @param {boolean} sharp
 * @returns {Track}
 */
export function layerAt(lane, ms, sharp) {
  const wished = sharp ? lane.layers : [...lane.layers].reverse();
  return wished.find((layer) => presentAt(layer, ms)) ?? wished[0];
}

/**
 * Where a gap is drawn: within the line, wide enough to be pointed at. What lies beyond the last picture (a pause to the
 * very end) stands at its edge.
 * @param {{from: number, to: number}} gap
 * @param {number} durationMs
 * @param {number} least share of the line that can be pointed at
 * @returns {[number, number]} where it begins and how wide it is, as shares of the line
 */
export function drawn(gap, durationMs, least) {
  const share = (/** @type {number} */ ms) => Math.min(1, Math.max(0, ms / Math.max(1, durationMs)));
  const width = Math.max(least, share(gap.to) - share(gap.from));
  return [Math.min(share(gap.from), 1 - width), width];
}

/** Media ends a little before or after the word that ends it. */
const END_SLACK_MS = 1500;

/**
 * @param {{duration_ms: number | null, tracks: Track[], gaps: import('../types/wire.js').Gap[]}} recording
 * @returns {import('../types/wire.js').Gap | null} the pause in which the session ended: nothing follows it
 */
export function lastPause(recording) {
  const end = lengthOf(recording);
  return recording.gaps.filter((gap) => gap.cause === 'paused' && gap.from >= end - END_SLACK_MS).at(-1) ?? null;
}

/**
 * A recording's own length, else the end of its longest track.
 * @param {{duration_ms: number | null, tracks: Track[]}} recording
 */
export function lengthOf(recording) {
  return recording.duration_ms ?? Math.max(0, ...recording.tracks.map((track) => track.offset_ms + track.duration_ms));
}

const ORDER = ['referring_physician', 'patient', 'consulting_physician', 'interpreter'];
const KINDS = ['camera', 'exam', 'screen', 'audio'];

/**
 * The same order in every recording: by role, then a person's picture before their voice.
 * @param {Track[]} tracks
 */
export function inOrder(tracks) {
  const rank = (/** @type {string[]} */ list, /** @type {string} */ value) => (list.indexOf(value) + list.length + 1) % (list.length + 1);
  return [...tracks].sort((a, b) => rank(ORDER, a.role) - rank(ORDER, b.role)
    || a.participant.localeCompare(b.participant) || rank(KINDS, a.kind) - rank(KINDS, b.kind));
}

/** Collects what was really played, to be reported as spans. */
export class WatchedSpans {
  constructor() {
    /** @type {[number, number][]} */
    this.spans = [];
    /** @type {number | null} */
    this.last = null;
  }

  /**
   * @param {number} ms where playback is; called several times a second while it plays
   * @param {number} stepMs longest step that is still playing and not a jump
   */
  at(ms, stepMs) {
    const from = this.last;
    this.last = ms;
    if (from === null || ms <= from || ms - from > stepMs) return;
    const open = this.spans.at(-1);
    if (open && open[1] === from) open[1] = ms;
    else this.spans.push([from, ms]);
  }

  /** Playback stopped or jumped: the next moment begins a span of its own. */
  cut() {
    this.last = null;
  }

  /** @returns {[number, number][]} whole ms, and forgets them */
  take() {
    const taken = this.spans.map(([from, to]) => /** @type {[number, number]} */ ([Math.round(from), Math.round(to)]));
    this.spans = [];
    return taken;
  }
}
