/**
 * Microphone, camera and loudspeaker of this computer: asks for them, changes them, says in codes what is wrong.
 * It must not send anything; it works with one device or with none.
 */

/** @typedef {'denied' | 'missing' | 'busy' | 'ended' | 'insecure' | 'other'} Problem */

const STORE = 'hyeopjin.devices';
/** Machines with few cores encode 360p well and 720p badly. */
const WEAK_CORES = 4;

/** Events: `change` whenever a track, a list or a problem changed. */
export class Devices extends EventTarget {
  constructor() {
    super();
    /** @type {MediaStreamTrack | null} */
    this.audio = null;
    /** @type {MediaStreamTrack | null} */
    this.camera = null;
    /** @type {{audio: Problem | null, camera: Problem | null}} */
    this.problem = { audio: null, camera: null };
    /** @type {MediaDeviceInfo[]} */
    this.list = [];
    this.asked = false;
    this.pending = false;
    /** @type {Promise<void> | null} one question at a time: a second one would stop what the first was given */
    this.opening = null;
    this.micOn = true;
    this.cameraOn = true;
    /** @type {Set<string>} why nothing is to leave the microphone for a moment, although it is on */
    this.hushed = new Set();
    /** It is on for a moment, although it was switched off: to talk to a fellow interpreter. */
    this.talks = false;
    /** Nothing is to leave microphone and camera, whatever is switched on. */
    this.withheld = false;
    /** @type {{audio?: string, camera?: string, speaker?: string, original?: boolean}} */
    this.choice = read();
    navigator.mediaDevices?.addEventListener('devicechange', () => void this.refresh());
  }

  changed() {
    this.dispatchEvent(new Event('change'));
  }

  /** Asks for what is missing. Never throws: what failed is in `problem`. */
  open() {
    this.opening ??= this.ask().finally(() => {
      this.opening = null;
    });
    return this.opening;
  }

  async ask() {
    this.asked = true;
    if (!navigator.mediaDevices?.getUserMedia) {
      this.problem = { audio: 'insecure', camera: 'insecure' };
      this.changed();
      return;
    }
    this.pending = true;
    this.changed();
    const wantCamera = this.cameraOn && !this.camera;
    const both = !this.audio && wantCamera ? await this.take({ audio: this.audioWish(), video: this.cameraWish() }) : null;
    if (both instanceof MediaStream) this.keep(both);
    else {
      if (!this.audio) await this.openOne('audio');
      // After a refused prompt for both, the microphone was asked for alone; a second refusal is not asked a third time.
      if (wantCamera && this.problem.audio !== 'denied') await this.openOne('camera');
      else if (wantCamera && both !== null) this.problem.camera = this.problem.audio;
    }
    this.pending = false;
    await this.refresh();
  }

  /** @param {'audio' | 'camera'} kind */
  async openOne(kind) {
    const got = await this.take(kind === 'audio' ? { audio: this.audioWish() } : { video: this.cameraWish() });
    if (got instanceof MediaStream) this.keep(got);
    else this.problem[kind] = got;
  }

  /**
   * @param {MediaStreamConstraints} wish
   * @returns {Promise<MediaStream | Problem>}
   */
  async take(wish) {
    try {
      return await navigator.mediaDevices.getUserMedia(wish);
    } catch (error) {
      return problemOf(error);
    }
  }

  /** @param {MediaStream} stream */
  keep(stream) {
    for (const track of stream.getTracks()) {
      const kind = track.kind === 'audio' ? 'audio' : 'camera';
      this[kind]?.stop();
      this[kind] = track;
      this.problem[kind] = null;
      track.contentHint = kind === 'camera' ? 'motion' : this.choice.original ? 'music' : 'speech';
      track.enabled = kind === 'audio' ? this.audible : this.visible;
      track.addEventListener('ended', () => {
        if (this[kind] !== track) return;
        this[kind] = null; // unplugged, taken by a phone call, or taken back in the browser
        this.problem[kind] = 'ended';
        this.changed();
      });
    }
  }

  get audible() {
    return (this.micOn || this.talks) && this.hushed.size === 0 && !this.withheld;
  }

  get visible() {
    return this.cameraOn && !this.withheld;
  }

  /**
   * What is said and shown from this instant on is silence and black; both stay switched on. A sender that is told to
   * send nothing does so some milliseconds later, and with words of these milliseconds. @param {boolean} on
   */
  withhold(on) {
    this.withheld = on;
    this.gate();
  }

  /** Lets out of the tracks what is to leave them now. */
  gate() {
    if (this.audio) this.audio.enabled = this.audible;
    if (this.camera) this.camera.enabled = this.visible;
  }

  /** Silences the microphone while there is a reason; it stays switched on. @param {string} why @param {boolean} on */
  hush(why, on) {
    if (on) this.hushed.add(why);
    else this.hushed.delete(why);
    this.gate();
  }

  /** @param {boolean} on */
  talk(on) {
    this.talks = on;
    this.gate();
  }

  /** @returns {MediaTrackConstraints} */
  audioWish() {
    const clean = !this.choice.original;
    return {
      echoCancellation: clean, noiseSuppression: clean, autoGainControl: clean,
      ...(this.choice.audio ? { deviceId: { ideal: this.choice.audio } } : {}),
    };
  }

  /** @returns {MediaTrackConstraints} */
  cameraWish() {
    const weak = (navigator.hardwareConcurrency ?? WEAK_CORES) <= WEAK_CORES;
    return {
      width: { ideal: weak ? 640 : 1280, max: 1280 }, height: { ideal: weak ? 360 : 720, max: 720 },
      frameRate: { ideal: 30, max: 30 },
      ...(this.choice.camera ? { deviceId: { ideal: this.choice.camera } } : {}),
    };
  }

  /**
   * @param {'audio' | 'camera' | 'speaker'} kind
   * @param {string} id of the device
   */
  async choose(kind, id) {
    const before = this.choice[kind];
    this.choice[kind] = id;
    if (kind !== 'speaker') {
      const had = this[kind] !== null;
      await this.renew(kind);
      const wanted = kind === 'audio' || this.cameraOn;
      if (had && wanted && !this[kind]) {
        // It cannot be had: whoever was heard and seen goes on so, and the list shows the old one.
        this.choice[kind] = before;
        await this.renew(kind);
      }
    }
    write(this.choice);
    this.changed();
  }

  /** @param {boolean} original true = no echo or noise filter, for a stethoscope or a loudspeaker in the room */
  async setOriginalSound(original) {
    this.choice.original = original;
    write(this.choice);
    await this.renew('audio');
    this.changed();
  }

  /** @param {'audio' | 'camera'} kind */
  async renew(kind) {
    this[kind]?.stop();
    this[kind] = null;
    if (kind === 'audio' || this.cameraOn) await this.openOne(kind);
  }

  /** After a phone call or another program took it. @param {'audio' | 'camera'} kind */
  async again(kind) {
    await this.renew(kind);
    await this.refresh();
  }

  /** @param {boolean} on */
  async setMic(on) {
    this.micOn = on;
    if (this.audio) this.audio.enabled = this.audible;
    else if (on && this.asked) await this.openOne('audio'); // plugged in or allowed meanwhile
    this.changed();
  }

  /**
   * Off lets the camera's own lamp go out where coming back needs no new question.
   * @param {boolean} on
   */
  async setCamera(on) {
    this.cameraOn = on;
    if (!on && this.camera) {
      this.camera.enabled = false;
      if (await isGranted('camera')) {
        this.camera.stop();
        this.camera = null;
      }
    } else if (on && this.camera) this.camera.enabled = this.visible;
    else if (on) await this.openOne('camera');
    this.changed();
  }

  async refresh() {
    const all = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
    this.list = all.filter((device) => device.deviceId !== '' && device.label !== '');
    this.changed();
  }

  close() {
    this.audio?.stop();
    this.camera?.stop();
    this.audio = null;
    this.camera = null;
  }
}

/** @param {unknown} error @returns {Problem} */
export function problemOf(error) {
  const name = error instanceof Error || error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'missing';
  return name === 'NotReadableError' || name === 'AbortError' ? 'busy' : 'other';
}

/** @param {string} name */
async function isGranted(name) {
  try {
    const status = await navigator.permissions.query({ name: /** @type {PermissionName} */ (name) });
    return status.state === 'granted';
  } catch {
    return false;
  }
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(STORE) ?? '{}') ?? {};
  } catch {
    return {};
  }
}

/** @param {object} choice */
function write(choice) {
  try {
    localStorage.setItem(STORE, JSON.stringify(choice));
  } catch {
    /* storage forbidden: chosen for this visit only */
  }
}
