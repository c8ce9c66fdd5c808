/**
 * What goes wrong with microphone and camera while one is in the room, as one code per device, for the person at it.
 * It watches tracks and is told levels; it must not ask for devices, nor know the DOM or what is sent.
 *
 * A phone call, a lid or another program takes a device away in one of two ways: the track is `muted` (W3C Media Capture,
 * 4.3.1: it lives and gives nothing, and may come back by itself) or it has `ended` (it must be asked for again).
 */
import { SilentMic } from './silent-mic.js';

/**
 * @typedef {import('./devices.js').Devices} Devices
 * @typedef {'taken' | 'silent' | import('./devices.js').Problem} Trouble
 */

/** Browsers mute for a moment when devices are exchanged; that is nobody's business. */
const TAKEN_AFTER_MS = 1500;

/** Events: `change` when one of the codes changed. */
export class DeviceWatch extends EventTarget {
  /** @param {Devices} devices */
  constructor(devices) {
    super();
    this.devices = devices;
    this.silence = new SilentMic();
    this.silent = false;
    /** @type {{audio: MediaStreamTrack | null, camera: MediaStreamTrack | null}} */
    this.followed = { audio: null, camera: null };
    /** @type {{audio: boolean, camera: boolean}} */
    this.taken = { audio: false, camera: false };
    /** @type {{audio?: number, camera?: number}} */
    this.timers = {};
    this.follow = () => {
      for (const kind of /** @type {const} */ (['audio', 'camera'])) this.look(kind);
    };
    devices.addEventListener('change', this.follow);
    this.follow();
  }

  /** @param {'audio' | 'camera'} kind */
  look(kind) {
    const track = this.devices[kind];
    if (track === this.followed[kind]) return;
    this.followed[kind] = track;
    if (kind === 'audio') this.silence.anew();
    this.set(kind, false);
    if (!track) return;
    track.addEventListener('mute', () => this.muted(kind, track));
    track.addEventListener('unmute', () => this.muted(kind, track));
    if (track.muted) this.muted(kind, track);
  }

  /** @param {'audio' | 'camera'} kind @param {MediaStreamTrack} track */
  muted(kind, track) {
    if (track !== this.followed[kind]) return;
    clearTimeout(this.timers[kind]);
    if (!track.muted) this.set(kind, false);
    else this.timers[kind] = setTimeout(() => this.set(kind, track === this.followed[kind] && track.muted), TAKEN_AFTER_MS);
  }

  /** @param {'audio' | 'camera'} kind @param {boolean} taken */
  set(kind, taken) {
    clearTimeout(this.timers[kind]);
    if (this.taken[kind] === taken) return;
    this.taken[kind] = taken;
    this.dispatchEvent(new Event('change'));
  }

  /** @param {number | null} peak of the own microphone, see SilentMic @param {number} now */
  heard(peak, now) {
    const silent = this.silence.look(this.taken.audio ? null : peak, now);
    if (silent === this.silent) return;
    this.silent = silent;
    this.dispatchEvent(new Event('change'));
  }

  /**
   * @param {{mic: boolean, camera: boolean}} wanted what the person has switched on
   * @returns {{audio: Trouble | null, camera: Trouble | null}}
   */
  trouble(wanted) {
    const { problem } = this.devices;
    const audio = this.taken.audio ? 'taken' : (problem.audio ?? (this.silent ? 'silent' : null));
    const camera = this.taken.camera ? 'taken' : problem.camera;
    return { audio: wanted.mic ? audio : null, camera: wanted.camera ? camera : null };
  }

  close() {
    this.devices.removeEventListener('change', this.follow);
    for (const timer of Object.values(this.timers)) clearTimeout(timer);
  }
}
