/** <hj-lanes>: one lane per person and kind: where it holds something, where it does not and why; the voice's volume beside it. */
import { html, nothing, svg } from '/static/vendor/lit.js';
import { t, tValue } from '../i18n.js';
import { span } from '../time.js';
import { drawn, lastPause, share } from '../review/timeline.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

/** Widths in the drawing's own units; it is stretched to the page's width. */
const UNITS = 1000;
/** A gap shorter than this share of the line could not be pointed at. */
const LEAST = 0.004;

/**
 * People whose consent was withdrawn: a lane each with its sentence, and nothing to play.
 * @param {import('../types/wire.js').WithdrawnLane[]} lanes
 */
export function withdrawnLanes(lanes) {
  if (!lanes?.length) return nothing;
  return html`<ul>${lanes.map((lane) => html`<li class="lane lane-withdrawn" data-testid="lane-withdrawn" data-participant=${lane.participant} data-kind=${lane.kind} ?data-destroyed=${lane.destroyed}>
    <div class="lane-name"><strong>${lane.name}</strong><span>${lane.kind === 'other' ? tValue('role', lane.role) : tValue('kind', lane.kind)}</span></div>
    <p>${t(lane.destroyed ? 'review-withdrawn' : 'review-withdrawing', { from: span(lane.from), to: span(lane.to) })}</p></li>`)}</ul>`;
}

/**
 * People who are in it and not for this reader: whose and which lanes, when, why, and what opens them; said once for each person.
 * @param {import('../types/wire.js').WithheldLane[]} lanes
 */
export function withheldLanes(lanes) {
  if (!lanes?.length) return nothing;
  const people = [...new Set(lanes.map((lane) => lane.participant))].map((one) => lanes.filter((lane) => lane.participant === one));
  return html`<ul>${people.map((own) => html`<li class="lane lane-withdrawn" data-testid="lane-withheld" data-participant=${own[0].participant} data-kinds=${own.map((lane) => lane.kind).join(' ')} data-code=${own[0].code}>
    <div class="lane-name"><strong>${own[0].name}</strong><span>${own.map((lane) => tValue('kind', lane.kind)).join(', ')}</span></div>
    <p>${t(own[0].code === 'follow_up_unasked' ? 'review-withheld-unasked' : 'review-withheld-refused', { from: span(Math.min(...own.map((lane) => lane.from))), to: span(Math.max(...own.map((lane) => lane.to))) })}</p></li>`)}</ul>`;
}

class Lanes extends LightElement {
  static properties = { playback: { attribute: false }, volumes: { attribute: false }, said: { state: true } };

  constructor() {
    super();
    /** @type {import('../review/playback.js').Playback | null} */
    this.playback = null;
    /** @type {Map<string, {volume: number, muted: boolean}>} */
    this.volumes = new Map();
    this.said = '';
    this.move = () => this.moveHead();
  }

  updated() {
    this.playback?.removeEventListener('tick', this.move);
    this.playback?.addEventListener('tick', this.move);
    this.moveHead();
  }

  /** The play head moves ten times a second: only its place is touched, nothing is drawn anew. */
  moveHead() {
    const playback = this.playback;
    if (!playback) return;
    const x = (UNITS * playback.now()) / Math.max(1, playback.durationMs);
    for (const head of this.querySelectorAll('.head')) {
      head.setAttribute('x1', String(x));
      head.setAttribute('x2', String(x));
    }
  }

  render() {
    const playback = this.playback;
    if (!playback) return nothing;
    return html`<section class="lanes" aria-label=${t('review-lanes')}>
      <div class="lanes-head"><h2>${t('review-lanes')}</h2>${this.legend(playback)}</div>
      <ul>${playback.lanes.map((track) => this.lane(playback, track))}</ul>
      ${withdrawnLanes(playback.recording.withdrawn)}
      ${withheldLanes(playback.recording.withheld)}
      ${this.prebrief(playback)}
      ${this.ending(playback)}
      <p class="lane-words" role="status">${this.said}</p>
    </section>`;
  }

  /** What the colours mean, of those that are there. @param {import('../review/playback.js').Playback} playback */
  legend(playback) {
    const causes = playback.lanes.flatMap((track) => track.gaps.map((gap) => gap.cause === 'paused'));
    const kinds = ['stored', ...(causes.includes(false) ? ['gap'] : []), ...(causes.includes(true) ? ['paused'] : [])];
    return html`<ul class="legend" aria-hidden="true">${kinds.map((kind) => html`<li data-kind=${kind}>${t(`review-legend-${kind}`)}</li>`)}</ul>`;
  }

  /** A session may end in a pause: then nothing follows what is drawn, and it is said. @param {import('../review/playback.js').Playback} playback */
  ending(playback) {
    const gap = lastPause(playback.recording);
    if (!gap) return nothing;
    const why = tValue('pause-reason', gap.why ?? 'other');
    return html`<p class="lane-ending" data-testid="review-ends-paused">${icon('pause')}<span>${t('review-ends-paused', { from: span(gap.from), name: gap.by ?? '', why })}</span></p>`;
  }

  /** When the professionals were among themselves: whoever plays it to the patient begins behind it. @param {import('../review/playback.js').Playback} playback */
  prebrief(playback) {
    return (playback.recording.prebrief ?? []).map(([from, to]) => {
      const end = to ?? playback.durationMs;
      return html`<p class="lane-ending" data-testid="review-prebrief" data-from=${from} data-to=${end}>${icon('door')}<span>${t('review-prebrief', { from: span(from), to: span(end) })}</span>
        <button type="button" class="link" data-testid="review-prebrief-skip" @click=${() => this.ask('seek', { ms: end })}>${t('review-prebrief-skip')}</button></p>`;
    });
  }

  /** A pause has a sentence of its own: somebody wanted it, and it is said who. @param {import('../types/wire.js').Gap} gap */
  why(gap) {
    const [from, to] = [span(gap.from), span(gap.to)];
    if (gap.cause !== 'paused' || !gap.by) return t('review-gap', { from, to, cause: tValue('gap', gap.cause) });
    return t('review-paused', { from, to, name: gap.by, why: tValue('pause-reason', gap.why ?? 'other') });
  }

  /**
   * @param {import('../review/playback.js').Playback} playback
   * @param {import('../types/wire.js').Track} track
   */
  lane(playback, track) {
    const kind = tValue('kind', track.kind);
    const held = share(track, playback.durationMs);
    return html`<li class="lane" data-testid="lane" data-participant=${track.participant} data-kind=${track.kind} data-track=${track.id}>
      <div class="lane-name"><strong>${track.name}</strong><span>${kind} · ${held} %</span></div>
      <svg class="lane-line" viewBox="0 0 ${UNITS} 24" preserveAspectRatio="none" role="group"
          aria-label=${t('review-lane-label', { name: track.name, kind, share: held })}
          @click=${(/** @type {MouseEvent} */ event) => this.seek(event, playback)}>
        <rect class="lane-ground" x="0" y="4" width=${UNITS} height="16"/>
        ${track.present.map(([from, to]) => this.present(playback, from, to, t('review-present', { from: span(from), to: span(to) })))}
        ${track.gaps.map((gap) => this.gap(playback, gap, `${track.name}: ${this.why(gap)}`))}
        <line class="head" x1="0" x2="0" y1="0" y2="24" vector-effect="non-scaling-stroke"/>
      </svg>
      ${track.kind === 'audio' ? this.voice(track) : html`<span class="lane-voice"></span>`}
    </li>`;
  }

  /**
   * @param {import('../review/playback.js').Playback} playback
   * @param {number} from
   * @param {number} to
   * @param {string} words
   */
  present(playback, from, to, words) {
    const [begin, width] = drawn({ from, to }, playback.durationMs, 0);
    return svg`<rect class="lane-present" x=${begin * UNITS} y="4" width=${width * UNITS} height="16" @pointerenter=${() => { this.said = words; }}><title>${words}</title></rect>`;
  }

  /**
   * The keyboard stops at every gap.
   * @param {import('../review/playback.js').Playback} playback
   * @param {import('../types/wire.js').Gap} gap
   * @param {string} words
   */
  gap(playback, gap, words) {
    const [begin, width] = drawn(gap, playback.durationMs, LEAST);
    const say = () => { this.said = words; };
    return svg`<rect class="lane-gap" data-cause=${gap.cause} x=${begin * UNITS} y="4" width=${width * UNITS} height="16" tabindex="0" role="img" aria-label=${words}
      @pointerenter=${say} @focus=${say}><title>${words}</title></rect>`;
  }

  /**
   * @param {MouseEvent} event
   * @param {import('../review/playback.js').Playback} playback
   */
  seek(event, playback) {
    const box = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
    this.ask('seek', { ms: (playback.durationMs * (event.clientX - box.left)) / Math.max(1, box.width) });
  }

  /** @param {import('../types/wire.js').Track} track */
  voice(track) {
    const { volume, muted } = this.volumes.get(track.id) ?? { volume: 1, muted: false };
    const name = track.name;
    return html`<span class="lane-voice">
      <button class="round quiet" aria-pressed=${muted} aria-label=${muted ? t('review-unmute', { name }) : t('review-mute', { name })}
        @click=${() => this.ask('voice', { track: track.id, volume, muted: !muted })}>${icon(muted ? 'speakerOff' : 'speaker')}</button>
      <input type="range" min="0" max="1" step="0.05" .value=${String(volume)} aria-label=${t('review-volume', { name })}
        @input=${(/** @type {Event} */ event) => this.ask('voice', { track: track.id, volume: Number(/** @type {HTMLInputElement} */ (event.target).value), muted: false })}>
    </span>`;
  }
}
customElements.define('hj-lanes', Lanes);
