/** <hj-device-check>: own picture, microphone level, loudspeaker test, choice of devices, and what to do when one is missing. */
import { html, nothing } from '/static/vendor/lit.js';
import { t } from '../i18n.js';
import { LevelMeter, playTestSound } from '../room/level-meter.js';
import { chimeOn } from '../room/chime.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

const KINDS = Object.freeze({ audio: 'audioinput', camera: 'videoinput', speaker: 'audiooutput' });
const STEPS = 12;

class DeviceCheck extends LightElement {
  static properties = { devices: { attribute: false }, compact: { type: Boolean }, level: { state: true }, sounded: { state: true } };

  constructor() {
    super();
    /** @type {import('../room/devices.js').Devices | null} */
    this.devices = null;
    this.compact = false;
    this.level = 0;
    this.sounded = false;
    /** @type {LevelMeter | null} */
    this.meter = null;
    this.changed = () => this.requestUpdate();
  }

  connectedCallback() {
    super.connectedCallback();
    this.meter = new LevelMeter((level) => {
      this.level = Math.round(level * STEPS);
    });
    this.devices?.addEventListener('change', this.changed);
  }

  disconnectedCallback() {
    this.meter?.close();
    this.devices?.removeEventListener('change', this.changed);
    super.disconnectedCallback();
  }

  updated() {
    this.meter?.follow(this.devices?.audio ?? null);
    const video = this.querySelector('video');
    const track = this.devices?.camera ?? null;
    if (!video) return;
    const shown = /** @type {MediaStream | null} */ (video.srcObject)?.getVideoTracks()[0] ?? null;
    if (shown !== track) {
      video.srcObject = track ? new MediaStream([track]) : null;
      if (track) void video.play().catch(() => undefined);
    }
  }

  render() {
    const devices = this.devices;
    if (!devices) return nothing;
    const seen = devices.camera !== null && devices.cameraOn;
    return html`<div class="check">
      <div class="preview">
        <video class="mirrored" autoplay playsinline muted .muted=${true} ?hidden=${!seen} aria-label=${t('check-preview')}></video>
        ${seen ? nothing : html`<div class="cover">${icon('cameraOff')}<span>${this.coverWords()}</span></div>`}
        ${this.switches(devices)}
      </div>
      ${this.meterRow(devices)}
      ${this.problems(devices)}
      ${this.compact ? this.choices(devices) : html`<details class="choices"><summary>${icon('settings')}${t('check-choose')}</summary>${this.choices(devices)}</details>`}
    </div>`;
  }

  coverWords() {
    const devices = this.devices;
    if (devices?.pending) return t('check-asking');
    return devices?.cameraOn && !devices.camera && devices.asked ? t('check-no-camera') : t('check-camera-off');
  }

  /** @param {import('../room/devices.js').Devices} devices */
  switches(devices) {
    if (this.compact) return nothing;
    return html`<div class="preview-switches">
      <button type="button" class="round" aria-pressed=${!devices.micOn} aria-label=${devices.micOn ? t('mic-turn-off') : t('mic-turn-on')}
        @click=${() => this.ask('mic', { on: !devices.micOn })}>${icon(devices.micOn ? 'mic' : 'micOff')}</button>
      <button type="button" class="round" aria-pressed=${!devices.cameraOn} aria-label=${devices.cameraOn ? t('camera-turn-off') : t('camera-turn-on')}
        @click=${() => this.ask('camera', { on: !devices.cameraOn })}>${icon(devices.cameraOn ? 'camera' : 'cameraOff')}</button>
    </div>`;
  }

  /** @param {import('../room/devices.js').Devices} devices */
  meterRow(devices) {
    const steps = Array.from({ length: STEPS }, (_, i) => html`<i ?data-lit=${i < this.level}></i>`);
    return html`<div class="meter-row">
      <span class="meter-words">${icon(devices.audio && devices.micOn ? 'mic' : 'micOff')}${t('check-level')}</span>
      <span class="meter" role="meter" aria-label=${t('check-level')} aria-valuemin="0" aria-valuemax=${STEPS} aria-valuenow=${this.level}>${steps}</span>
      <button type="button" class="quiet" @click=${() => this.sound()}>${icon('speaker')}${t('check-sound')}</button>
    </div>
    <p class="hint" role="status">${this.sounded ? t('check-sound-hint') : nothing}</p>`;
  }

  sound() {
    this.sounded = true;
    void playTestSound(this.devices?.choice.speaker);
  }

  /** @param {import('../room/devices.js').Devices} devices */
  problems(devices) {
    const { audio, camera } = devices.problem;
    if (!audio && !camera) return nothing;
    const same = audio === camera;
    const lines = same ? [`device-both-${audio}`] : [audio && `device-audio-${audio}`, camera && `device-camera-${camera}`];
    return html`<div class="notice notice-warn" role="status">${icon('warning')}<div>
      ${lines.map((id) => (id ? html`<p>${t(id)}</p>` : nothing))}
      <p>${t('device-join-anyway')}</p>
      <button type="button" class="quiet" @click=${() => void devices.open()}>${t('device-try-again')}</button></div></div>`;
  }

  /** @param {import('../room/devices.js').Devices} devices */
  choices(devices) {
    return html`<div class="choices-list">
      ${/** @type {const} */ (['audio', 'camera', 'speaker']).map((kind) => this.chooser(devices, kind))}
      <label class="tick"><input type="checkbox" data-testid="original-sound" .checked=${Boolean(devices.choice.original)}
        @change=${(/** @type {Event} */ event) => this.ask('original', { on: /** @type {HTMLInputElement} */ (event.target).checked })}>
        <span>${t('check-original')}</span></label>
      <label class="tick"><input type="checkbox" data-testid="chime" .checked=${chimeOn()}
        @change=${(/** @type {Event} */ event) => this.ask('chime', { on: /** @type {HTMLInputElement} */ (event.target).checked })}>
        <span>${t('check-chime')}</span></label>
    </div>`;
  }

  /**
   * @param {import('../room/devices.js').Devices} devices
   * @param {'audio' | 'camera' | 'speaker'} kind
   */
  chooser(devices, kind) {
    const options = devices.list.filter((device) => device.kind === KINDS[kind]);
    if (options.length === 0 || (kind === 'speaker' && !('setSinkId' in HTMLMediaElement.prototype))) return nothing;
    const used = kind === 'speaker' ? devices.choice.speaker : devices[kind]?.getSettings().deviceId ?? devices.choice[kind];
    return html`<label class="field"><span>${t(`check-${kind}`)}</span>
      <select data-testid="choose-${kind}" @change=${(/** @type {Event} */ event) => this.ask('device', { kind, id: /** @type {HTMLSelectElement} */ (event.target).value })}>
        ${options.map((device) => html`<option value=${device.deviceId} ?selected=${device.deviceId === used}>${device.label}</option>`)}
      </select></label>`;
  }
}
customElements.define('hj-device-check', DeviceCheck);
