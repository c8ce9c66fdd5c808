/** <hj-clip>: plays the seconds around a flag on one's own rendering. It fetches them once they are asked for. */
import { html, nothing } from '/static/vendor/lit.js';
import { codeOf, get } from '../api.js';
import { t, tError, tValue } from '../i18n.js';
import { span } from '../time.js';
import { recordingOf } from '../review/clip.js';
import { Playback } from '../review/playback.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

class Clip extends LightElement {
  static properties = { flag: { attribute: false }, clip: { state: true }, problem: { state: true } };

  constructor() {
    super();
    /** @type {import('../types/interpretation.js').OwnFlag | null} */
    this.flag = null;
    /** @type {import('../types/interpretation.js').FlagClip | null} */
    this.clip = null;
    /** @type {Playback | null} */
    this.playback = null;
    /** @type {string | null} */
    this.problem = null;
    this.redraw = () => this.requestUpdate();
    this.tick = () => this.showTime();
  }

  disconnectedCallback() {
    this.playback?.close();
    super.disconnectedCallback();
  }

  async fetch() {
    if (!this.flag || this.clip) return;
    const path = `/api/flags/${encodeURIComponent(this.flag.id)}`;
    try {
      const clip = /** @type {import('../types/interpretation.js').FlagClip} */ (await get(path));
      const playback = new Playback(recordingOf(clip), (track) => `${path}/tracks/${encodeURIComponent(track)}`);
      playback.addEventListener('change', this.redraw);
      playback.addEventListener('tick', this.tick);
      [this.playback, this.clip, this.problem] = [playback, clip, null];
      await this.updateComplete;
      for (const lane of playback.lanes) {
        const element = /** @type {HTMLMediaElement | null} */ (this.querySelector(`[data-media="${CSS.escape(lane.id)}"]`));
        if (element) playback.add(lane, element);
      }
      playback.seek(this.toRendering());
      playback.play();
    } catch (error) {
      this.problem = codeOf(error);
    }
  }

  /** Where one's own rendering begins in these seconds. */
  toRendering() {
    return this.clip ? this.clip.from - this.clip.window[0] : 0;
  }

  showTime() {
    const ms = Math.round(this.playback?.now() ?? 0);
    const clock = /** @type {HTMLElement | null} */ (this.querySelector('[data-testid="clip-clock"]'));
    if (clock) {
      clock.dataset.ms = String(ms);
      clock.textContent = span(ms);
    }
    const slider = /** @type {HTMLInputElement | null} */ (this.querySelector('[data-testid="clip-seek"]'));
    if (slider && !slider.matches(':active')) slider.value = String(ms);
  }

  render() {
    const { clip, playback } = this;
    if (this.problem) return html`<p class="notice notice-warn" role="alert" data-testid="clip-refused">${tError(this.problem)}</p>`;
    if (!clip || !playback) return html`<button type="button" class="secondary" data-testid="clip-open" @click=${() => void this.fetch()}>${icon('play')}${t('flags-hear')}</button>`;
    return html`<div class="clip" data-testid="clip">
      <div hidden>${clip.tracks.map((track) => html`<audio data-media=${track.id} data-participant=${track.participant}></audio>`)}</div>
      <button type="button" class="primary round" data-testid="clip-play" aria-pressed=${playback.playing} aria-label=${t(playback.playing ? 'review-pause' : 'review-play')}
        @click=${() => playback.toggle()}>${icon(playback.playing ? 'pause' : 'play')}</button>
      <p class="figures"><span data-testid="clip-clock" data-ms="0"></span> / ${span(playback.durationMs)}</p>
      <input type="range" data-testid="clip-seek" min="0" max=${Math.round(playback.durationMs)} step="1" aria-label=${t('flags-position')}
        @input=${(/** @type {Event} */ event) => playback.seek(Number(/** @type {HTMLInputElement} */ (event.target).value))}>
      <button type="button" class="quiet" @click=${() => playback.seek(this.toRendering())}>${t('flags-to-rendering')}</button>
      <ul class="clip-voices">${clip.tracks.map((track) => html`<li>${track.name} · ${tValue('role', track.role || 'other')}${track.participant === clip.participant ? html` <span class="chip">${t('flags-rendering')}</span>` : nothing}</li>`)}</ul>
    </div>`;
  }
}
customElements.define('hj-clip', Clip);
