/** <hj-device-banner>: in the room, what is wrong with one's own microphone or camera, and the one touch that mends it. */
import { html, nothing } from '/static/vendor/lit.js';
import { t } from '../i18n.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

/** Whoever came without a camera knows it; these have happened to somebody who had one. */
const CAMERA_SAID = new Set(['busy', 'taken', 'ended']);

class DeviceBanner extends LightElement {
  static properties = { trouble: { attribute: false } };

  constructor() {
    super();
    /** @type {{audio: import('../room/device-watch.js').Trouble | null, camera: import('../room/device-watch.js').Trouble | null}} */
    this.trouble = { audio: null, camera: null };
  }

  render() {
    const { audio, camera } = this.trouble;
    return [audio ? this.line('audio', audio) : nothing, camera && CAMERA_SAID.has(camera) ? this.line('camera', camera) : nothing];
  }

  /** @param {'audio' | 'camera'} kind @param {import('../room/device-watch.js').Trouble} code */
  line(kind, code) {
    const choose = code === 'silent';
    return html`<div class="banner" role="alert" data-testid="device-banner" data-kind=${kind} data-code=${code}>
      ${icon(kind === 'audio' ? 'micOff' : 'cameraOff')}<strong>${t(`device-${kind}-${code}`)}</strong>
      <button class="secondary" data-testid="device-again" @click=${() => (choose ? this.ask('settings') : this.ask('device-again', { kind }))}>
        ${choose ? t('device-choose-mic') : t(`device-${kind}-again`)}</button></div>`;
  }
}
customElements.define('hj-device-banner', DeviceBanner);
