/**
 * What is plugged in and pulled out while one is in the room, as one piece of news at a time for the person there.
 * It watches the list of devices; it asks the devices for another one only when the one in use is gone.
 *
 * @typedef {import('./devices.js').Devices} Devices
 * @typedef {'audio' | 'camera' | 'speaker'} DeviceKind
 * @typedef {{deviceId: string, kind: string, label: string}} Listed
 * @typedef {{kind: DeviceKind, code: 'plugged', id: string, label: string} | {kind: DeviceKind, code: 'replaced', label: string, now: string}} News
 */

/** @type {Readonly<Record<string, DeviceKind>>} */
export const KINDS = Object.freeze({ audioinput: 'audio', videoinput: 'camera', audiooutput: 'speaker' });
/** Chromium lists these beside the devices that they stand for. */
const ALIASES = new Set(['default', 'communications']);

/**
 * @param {Listed[]} before
 * @param {Listed[]} now
 * @returns {{came: Listed[], went: Listed[]}} real devices only
 */
export function difference(before, now) {
  const real = (/** @type {Listed[]} */ list) => list.filter((one) => !ALIASES.has(one.deviceId) && one.kind in KINDS);
  const key = (/** @type {Listed} */ one) => `${one.kind} ${one.deviceId}`;
  const [old, fresh] = [new Set(real(before).map(key)), new Set(real(now).map(key))];
  return { came: real(now).filter((one) => !old.has(key(one))), went: real(before).filter((one) => !fresh.has(key(one))) };
}

/** Events: `change` when the news changed. */
export class Plugged extends EventTarget {
  /** @param {Devices} devices */
  constructor(devices) {
    super();
    this.devices = devices;
    /** @type {News | null} */
    this.news = null;
    /** @type {Listed[]} */
    this.list = [];
    /** @type {{audio?: string, camera?: string}} the device behind each track when it last lived */
    this.used = {};
    this.look = () => void this.compare();
    devices.addEventListener('change', this.look);
  }

  async compare() {
    const devices = this.devices;
    const before = this.list;
    this.list = devices.list;
    const used = { ...this.used, speaker: devices.choice.speaker };
    for (const kind of /** @type {const} */ (['audio', 'camera'])) {
      if (devices[kind]) this.used[kind] = devices[kind]?.getSettings?.().deviceId;
    }
    // Names come with the first permission: then all of them are new, and none is news.
    if (before.length === 0 || this.list === before) return;
    const { came, went } = difference(before, this.list);
    for (const gone of went) {
      const kind = KINDS[gone.kind];
      if (used[kind] === gone.deviceId) await this.replace(kind, gone.label);
    }
    const [fresh] = came;
    if (fresh && went.length === 0) this.tell({ kind: KINDS[fresh.kind], code: 'plugged', id: fresh.deviceId, label: fresh.label });
  }

  /** The one in use is gone: the system's own takes its place, and that is said. @param {DeviceKind} kind @param {string} label */
  async replace(kind, label) {
    const devices = this.devices;
    if (kind === 'speaker') {
      await devices.choose('speaker', '');
      this.tell({ kind, code: 'replaced', label, now: '' });
      return;
    }
    const wanted = kind === 'audio' ? devices.micOn : devices.cameraOn;
    if (wanted && !devices[kind]) await devices.again(kind);
    const track = devices[kind];
    if (track) this.tell({ kind, code: 'replaced', label, now: track.label });
  }

  /** @param {News | null} news */
  tell(news) {
    this.news = news;
    this.dispatchEvent(new Event('change'));
  }
}
