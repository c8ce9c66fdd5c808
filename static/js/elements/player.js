/**
 * <hj-player>: pictures as a grid, one transport for all, the lanes. It makes the media elements once and hands them to
 * the playback; everything else is drawn from the playback's state.
 */
import { html, nothing, repeat } from '/static/vendor/lit.js';
import { language, t, tValue } from '../i18n.js';
import { hourMinuteSecond, span } from '../time.js';
import { presentAt, turnAt } from '../review/timeline.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';
import './lanes.js';

const SPEEDS = Object.freeze([0.75, 1, 1.25, 1.5, 2]);
const STEP_MS = 5000;
const STRIDE_MS = 30_000;
const JUMP_MS = 10_000;

class Player extends LightElement {
  static properties = { playback: { attribute: false }, zone: { attribute: false }, volumes: { state: true } };

  constructor() {
    super();
    /** @type {import('../review/playback.js').Playback | null} */
    this.playback = null;
    /** @type {string | undefined} the reader's own place */
    this.zone = undefined;
    /** @type {Map<string, {volume: number, muted: boolean}>} */
    this.volumes = new Map();
    /** @type {Set<string>} */
    this.attached = new Set();
    this.redraw = () => this.requestUpdate();
    this.tick = () => this.showTime();
    this.keys = (/** @type {KeyboardEvent} */ event) => this.key(event);
  }

  connectedCallback() {
    super.connectedCallback();
    document.addEventListener('keydown', this.keys);
    this.addEventListener('ask', (event) => this.asked(/** @type {CustomEvent} */ (event)));
  }

  disconnectedCallback() {
    document.removeEventListener('keydown', this.keys);
    super.disconnectedCallback();
  }

  updated() {
    const playback = this.playback;
    if (!playback) return;
    for (const lane of playback.lanes) {
      const element = /** @type {HTMLMediaElement | null} */ (this.querySelector(`[data-media="${CSS.escape(lane.id)}"]`));
      if (!element || this.attached.has(lane.id)) continue;
      this.attached.add(lane.id);
      if (element instanceof HTMLVideoElement) element.muted = true;
      playback.add(lane, element);
    }
    playback.removeEventListener('change', this.redraw);
    playback.addEventListener('change', this.redraw);
    playback.removeEventListener('tick', this.tick);
    playback.addEventListener('tick', this.tick);
    this.showTime();
  }

  /** Ten times a second: clock, slider and covers, without drawing the page anew. */
  showTime() {
    const playback = this.playback;
    if (!playback) return;
    const ms = Math.round(playback.now());
    const clock = /** @type {HTMLElement | null} */ (this.querySelector('[data-testid="review-clock"]'));
    if (clock) {
      clock.dataset.ms = String(ms);
      clock.textContent = span(ms);
    }
    const local = this.querySelector('.transport-local');
    if (local) local.textContent = hourMinuteSecond(playback.recording.started_at_ms + ms, language(), this.zone);
    const slider = /** @type {HTMLInputElement | null} */ (this.querySelector('[data-testid="review-seek"]'));
    if (slider && !slider.matches(':active')) slider.value = String(ms);
    slider?.setAttribute('aria-valuetext', span(ms));
    for (const track of playback.lanes) {
      // A phone tells how it is held; its pictures are stored as they came.
      if (!track.rotations?.length) continue;
      const video = /** @type {HTMLElement | null} */ (this.querySelector(`video[data-media="${CSS.escape(track.id)}"]`));
      if (video) video.dataset.turn = String(turnAt(track, ms));
    }
    for (const cover of this.querySelectorAll('[data-cover]')) {
      const track = playback.lanes.find((one) => one.id === /** @type {HTMLElement} */ (cover).dataset.cover);
      if (track) this.showCover(/** @type {HTMLElement} */ (cover), track, ms);
    }
  }

  /**
   * @param {HTMLElement} cover
   * @param {import('../types/wire.js').Track} track
   * @param {number} ms
   */
  showCover(cover, track, ms) {
    cover.hidden = presentAt(track, ms);
    const inside = track.present.length > 0 && track.present[0][0] <= ms && ms < track.present[track.present.length - 1][1];
    const gap = track.gaps.find((one) => one.from <= ms && ms < one.to);
    const why = gap?.cause;
    const words = cover.querySelector('span');
    const text = why === 'paused' && gap?.by ? t('review-paused-cover', { name: gap.by }) : why && why !== 'muted' ? tValue('gap', why) : !inside ? t('gap-absent') : track.kind === 'camera' ? t('review-camera-off') : t('review-no-picture');
    if (words && words.textContent !== text) words.textContent = text;
  }

  render() {
    const playback = this.playback;
    if (!playback) return nothing;
    const tracks = playback.lanes;
    const pictures = tracks.filter((track) => track.kind !== 'audio');
    return html`<div class="player">
      <div class="deck"><div class="screen" data-count=${pictures.length} ?data-focus=${playback.focused !== null}>
        ${repeat(pictures, (track) => track.id, (track) => this.picture(track))}
        ${pictures.length === 0 ? html`<p class="cover">${t('review-no-picture')}</p>` : nothing}
        ${playback.held ? html`<p class="loading-over" role="status">${t('review-buffering')}</p>` : nothing}
      </div>
      <div hidden>${repeat(tracks.filter((track) => track.kind === 'audio'), (track) => track.id,
        (track) => html`<audio data-media=${track.id} data-participant=${track.participant}></audio>`)}</div>
      ${this.transport(playback)}</div>
      <hj-lanes .playback=${playback} .volumes=${this.volumes}></hj-lanes>
    </div>`;
  }

  /** @param {import('../types/wire.js').Track} track */
  picture(track) {
    const focused = this.playback?.focused === track.id;
    return html`<figure class="picture" data-participant=${track.participant} data-kind=${track.kind} ?data-focused=${focused}>
      <video data-media=${track.id} data-testid="review-video" data-participant=${track.participant} playsinline muted></video>
      <div class="cover" data-cover=${track.id}>${icon('cameraOff')}<span></span></div>
      <figcaption class="plate"><span class="plate-name">${track.name}</span>
        <span class="plate-role">${tValue('role', track.role || 'other')}</span>
        ${track.kind === 'camera' ? nothing : html`<span class="plate-place">${tValue('kind', track.kind)}</span>`}</figcaption>
      <button class="round picture-focus" data-testid="review-focus" data-participant=${track.participant} aria-pressed=${focused}
        aria-label=${focused ? t('review-unfocus') : t('review-focus', { name: track.name })} title=${focused ? t('review-unfocus') : t('review-focus', { name: track.name })}
        @click=${() => this.playback?.focus(focused ? null : track.id)}>${icon(focused ? 'shrink' : 'enlarge')}</button>
    </figure>`;
  }

  /** @param {import('../review/playback.js').Playback} playback */
  transport(playback) {
    return html`<div class="transport">
      <button class="round quiet" aria-label=${t('review-back-10')} title=${t('review-back-10')} @click=${() => playback.seek(playback.now() - JUMP_MS)}>${icon('rewind')}</button>
      <button class="primary round play" data-testid="review-play" aria-pressed=${playback.playing} aria-label=${playback.playing ? t('review-pause') : t('review-play')}
        @click=${() => playback.toggle()}>${icon(playback.playing ? 'pause' : 'play')}</button>
      <button class="round quiet" aria-label=${t('review-forward-10')} title=${t('review-forward-10')} @click=${() => playback.seek(playback.now() + JUMP_MS)}>${icon('forward')}</button>
      <p class="transport-time figures"><span data-testid="review-clock" data-ms="0"></span><span>/ ${span(playback.durationMs)}</span>
        <span class="transport-wall"><span class="visually-hidden">${t('review-local-time')}</span><time class="transport-local"></time></span></p>
      <input class="transport-seek" type="range" data-testid="review-seek" min="0" max=${Math.round(playback.durationMs)} step="1" aria-label=${t('review-seek')}
        @input=${(/** @type {Event} */ event) => playback.seek(Number(/** @type {HTMLInputElement} */ (event.target).value))}>
      <label class="transport-speed"><span class="transport-speed-word">${t('review-speed')}</span>
        <select data-testid="review-speed" @change=${(/** @type {Event} */ event) => playback.setSpeed(Number(/** @type {HTMLSelectElement} */ (event.target).value))}>
          ${SPEEDS.map((speed) => html`<option value=${speed} ?selected=${speed === playback.speed}>${speed}×</option>`)}</select></label>
    </div>`;
  }

  /** @param {CustomEvent} event */
  asked(event) {
    const { type, ...detail } = event.detail;
    if (type === 'seek') this.playback?.seek(detail.ms);
    if (type !== 'voice') return;
    this.volumes = new Map(this.volumes).set(detail.track, { volume: detail.volume, muted: detail.muted });
    const element = /** @type {HTMLMediaElement | null} */ (this.querySelector(`[data-media="${CSS.escape(detail.track)}"]`));
    if (!element) return;
    element.volume = detail.volume;
    this.playback?.silence(detail.track, detail.muted);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const playback = this.playback;
    const target = /** @type {HTMLElement} */ (event.target);
    if (!playback || event.altKey || event.ctrlKey || event.metaKey) return;
    const control = target.closest('button, a, select, input, textarea, summary');
    const slider = target.matches('[data-testid="review-seek"]');
    if (event.key === ' ' && (!control || slider)) playback.toggle();
    else if (event.key === 'k' && !target.closest('select, input[type=text]')) playback.toggle();
    else if (control && !slider && !control.matches('button')) return;
    else if (event.key === 'ArrowLeft') playback.seek(playback.now() - (event.shiftKey ? STRIDE_MS : STEP_MS));
    else if (event.key === 'ArrowRight') playback.seek(playback.now() + (event.shiftKey ? STRIDE_MS : STEP_MS));
    else if (event.key === 'Home') playback.seek(0);
    else if (event.key === 'End') playback.seek(playback.durationMs);
    else return;
    event.preventDefault();
  }
}
customElements.define('hj-player', Player);
