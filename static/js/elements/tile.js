/**
 * <hj-tile>: one participant: picture and voice, name, role, place and its time, what is off, how good the link is.
 * The host carries data-testid, data-participant and data-role; voice and picture share one element so that they stay in step.
 */
import { html, nothing } from '/static/vendor/lit.js';
import { language, t } from '../i18n.js';
import { hourMinute } from '../time.js';
import { bars, icon } from './icons.js';
import { LightElement } from './base.js';

class Tile extends LightElement {
  static properties = {
    person: { attribute: false }, stream: { attribute: false }, self: { type: Boolean }, speaking: { type: Boolean },
    now: { attribute: false }, sink: { attribute: false }, quality: { attribute: false }, still: { attribute: false },
    paused: { attribute: false }, unseen: { attribute: false }, kind: { type: String },
    mixer: { attribute: false }, unheard: { type: Boolean }, steps: { type: Boolean },
  };

  constructor() {
    super();
    /** @type {import('../types/wire.js').Participant | null} */
    this.person = null;
    /** @type {MediaStream | null} */
    this.stream = null;
    this.self = false;
    /** @type {'camera' | 'screen'} */
    this.kind = 'camera';
    this.speaking = false;
    this.now = 0;
    /** @type {string | undefined} */
    this.sink = undefined;
    /** @type {'good' | 'fair' | 'poor' | null} */
    this.quality = null;
    /** @type {number | null} the present time, ms, while the picture comes as stills; null = it does not */
    this.still = null;
    /** When the newest picture was shown, ms. */
    this.shownAt = 0;
    this.followed = false;
    /** @type {{why: 'thin' | 'lossy', kbit: number | null} | null} why this picture is not sent to us */
    this.paused = null;
    /** @type {string[]} who does not see us, because of their lines */
    this.unseen = [];
    this.deaf = false;
    /** @type {import('../room/mixer.js').Mixer | null} what sets the volume */
    this.mixer = null;
    /** Whether this page is not sent their voice now. */
    this.unheard = false;
    /** Whether the reader may ask them to step out, and back in. */
    this.steps = false;
  }

  disconnectedCallback() {
    const video = this.querySelector('video');
    if (video && this.person) this.mixer?.detach(this.person.id, video);
    super.disconnectedCallback();
  }

  updated() {
    const video = this.querySelector('video');
    if (!video) return;
    if (this.self) video.muted = true; // as a property: an attribute alone is not kept by every browser
    if (video.srcObject !== this.stream) video.srcObject = this.stream;
    const aimed = /** @type {HTMLVideoElement & {sinkId?: string, setSinkId?: (id: string) => Promise<void>}} */ (video);
    if (this.sink !== undefined && aimed.sinkId !== this.sink) void aimed.setSinkId?.(this.sink).catch(() => undefined);
    if (!this.self && this.kind === 'camera' && this.person) this.mixer?.attach(this.person.id, video);
    if (this.stream && video.paused) void this.start();
    if (this.still !== null && !this.followed && !this.self) this.follow(video);
  }

  /** Notes each picture as it is shown, as long as they are stills. @param {HTMLVideoElement} video */
  follow(video) {
    this.followed = this.still !== null && this.isConnected;
    if (!this.followed) return;
    video.requestVideoFrameCallback?.(() => {
      this.shownAt = Date.now();
      this.follow(video);
    });
  }

  /** Called again by the page after a touch, when the browser refused to play by itself. */
  async start() {
    const video = this.querySelector('video');
    if (!video) return;
    try {
      if (!this.self && this.kind === 'camera') video.muted = this.mixer?.carries(video) ?? false;
      await video.play();
      if (this.deaf) this.ask('heard', { participant: this.person?.id });
      this.deaf = false;
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'NotAllowedError' || this.self) return;
      this.deaf = true;
      this.ask('deaf', { participant: this.person?.id });
      video.muted = true; // the picture at least needs nobody's leave
      await video.play().catch(() => undefined);
    }
  }

  render() {
    const person = this.person;
    if (!person) return nothing;
    if (this.kind === 'screen') return this.screen(person);
    const covered = !person.camera || person.out || (!this.self && (person.away || this.paused !== null));
    return html`<figure class="tile-frame" ?data-speaking=${this.speaking && person.mic}
        aria-label=${t('tile-label', { name: person.name, role: t(`role-${person.role}`) })}>
      ${this.self
        ? html`<video data-testid="self-video" autoplay playsinline muted .muted=${true} class="mirrored"></video>`
        : html`<video data-testid="remote-video" autoplay playsinline></video>`}
      ${covered ? this.cover(person) : nothing}
      <figcaption class="plate">
        <span class="plate-name" title=${person.name}>${person.name}${this.self ? html` <em>${t('tile-you')}</em>` : nothing}</span>
        <span class="plate-role">${t(`role-${person.role}`)}</span>
        <span class="plate-place"><span title=${person.site}>${person.site}</span> <time class="figures">${hourMinute(this.now, language(), person.time_zone)}</time></span>
      </figcaption>
      <div class="signs">${this.signs(person)}</div>
      ${this.steps && !this.self ? this.step(person) : nothing}
    </figure>`;
  }

  /** @param {import('../types/wire.js').Participant} person */
  screen(person) {
    return html`<figure class="tile-frame tile-screen" aria-label=${t('tile-screen', { name: person.name })}>
      <video data-testid="screen-video" autoplay playsinline muted .muted=${true}></video>
      ${this.paused ? this.pausedCover(this.paused) : nothing}
      <figcaption class="plate"><span class="plate-name" title=${person.name}>${t('tile-screen', { name: person.name })}</span></figcaption>
    </figure>`;
  }

  /** @param {import('../types/wire.js').Participant} person */
  cover(person) {
    if (person.out) return html`<div class="cover" data-testid="tile-out">${icon('door')}<span>${t(person.waits ? 'tile-waits' : 'tile-out')}</span></div>`;
    const away = person.away && !this.self;
    if (!away && person.camera && this.paused) return this.pausedCover(this.paused);
    return html`<div class="cover ${away ? '' : 'cover-off'}">${icon(away ? 'clock' : 'person')}
      <span>${away ? t('tile-away') : t('tile-camera-off')}</span></div>`;
  }

  /** @param {import('../types/wire.js').Participant} person */
  step(person) {
    const out = person.out === true;
    const back = person.waits ? 'prebrief-let-in' : 'tile-step-in';
    const label = out ? t(back) : t('tile-step-out', { name: person.name });
    return html`<button type="button" class="step" data-testid="step" data-out=${out} title=${label} aria-label=${label}
      @click=${() => this.ask('step', { participant: person.id, out: !out })}>${icon('door')}${out ? html`<span>${t(back)}</span>` : nothing}</button>`;
  }

  /** @param {number} now */
  stillSign(now) {
    const age = this.shownAt && !this.self ? Math.max(0, Math.round((now - this.shownAt) / 1000)) : null;
    return html`<span class="sign sign-still" data-testid="still" data-age=${age ?? ''}>${age === null ? t('tile-stills') : t('tile-still', { seconds: age })}</span>`;
  }

  /** @param {{why: 'thin' | 'lossy', kbit: number | null}} paused */
  pausedCover({ why, kbit }) {
    return html`<div class="cover cover-paused" data-testid="picture-paused" data-why=${why} role="status">${icon('pause')}
      <strong>${t(`tile-paused-${why}`)}</strong>
      <span>${kbit === null ? nothing : html`${t('tile-paused-rate', { kbit })} `}${t('tile-paused-returns')}</span></div>`;
  }

  /** @param {import('../types/wire.js').Participant} person */
  signs(person) {
    const quality = this.self ? this.quality : person.quality;
    return html`
      ${this.still === null || !person.camera ? nothing : this.stillSign(this.still)}
      ${this.unseen.length ? html`<span class="sign sign-plain sign-words" data-testid="unseen">${t('tile-unseen', { names: this.unseen.join(', ') })}</span>` : nothing}
      ${person.recordable || person.recorded ? nothing : html`<span class="sign sign-plain">${t('tile-not-recorded')}</span>`}
      ${person.verified || this.self ? nothing : html`<span class="sign">${t('tile-not-verified')}</span>`}
      ${person.mic ? nothing : html`<span class="sign sign-off" role="img" aria-label=${t('tile-mic-off')} title=${t('tile-mic-off')}>${icon('micOff')}</span>`}
      ${this.unheard && person.mic && !person.out ? html`<span class="sign" data-testid="unheard" role="img" aria-label=${t('tile-unheard')} title=${t('tile-unheard')}>${icon('speakerOff')}</span>` : nothing}
      ${person.camera ? nothing : html`<span class="sign sign-off" role="img" aria-label=${t('tile-camera-off')} title=${t('tile-camera-off')}>${icon('cameraOff')}</span>`}
      ${quality ? html`<span class="sign" role="img" aria-label=${t(`quality-${quality}`)} title=${t(`quality-${quality}`)}>${bars(quality)}</span>` : nothing}`;
  }
}
customElements.define('hj-tile', Tile);
