/**
 * A site's self-test from its beginning to its end, step by step; the server judges each step's figures.
 * It must not touch the page: an element shows what is here, and says whether somebody heard themselves.
 *
 * @typedef {'browser' | 'camera' | 'microphone' | 'path' | 'line' | 'loop'} Step
 * @typedef {{code: string, verdict: 'green' | 'amber' | 'red', value: number | null}} Finding
 * @typedef {{verdict: 'green' | 'amber' | 'red', findings: Finding[], figures: any, relay_fault?: string | null}} Told
 */
import { ApiRefusal, codeOf, post } from '../api.js';
import { Devices } from '../room/devices.js';
import { PathCheck } from '../room/path-check.js';
import { engineOf, round, soundFigures } from './figures.js';
import { MeasuredLine } from './line.js';
import { lookAt, wait } from './picture.js';
import { keep, listenTo, play } from './sound.js';

export const STEPS = Object.freeze(/** @type {Step[]} */ (['browser', 'camera', 'microphone', 'path', 'line', 'loop']));
const LOOK_MS = 3000;
const LISTEN_MS = 5000;
const KEEP_MS = 3000;
/** A server that has no room just now is asked again so often, after so long. */
const TRIES = 3;
const AGAIN_MS = 8000;

/** Events: `change`. */
export class SelfTest extends EventTarget {
  constructor() {
    super();
    /** @type {'idle' | 'running' | 'done'} */
    this.state = 'idle';
    /** What is being done now. @type {readonly Step[]} */
    this.doing = [];
    /** @type {Partial<Record<Step, Told>>} */
    this.told = {};
    /** @type {'green' | 'amber' | 'red' | null} */
    this.whole = null;
    /** @type {string | null} */
    this.problem = null;
    /** What the person is asked for now. @type {'read' | 'read-again' | 'heard' | null} */
    this.asks = null;
    this.level = 0;
    this.left = 0;
    /** @type {PathCheck | null} */
    this.check = null;
    /** @type {Blob | null} */
    this.sound = null;
    /** @type {'relay' | 'here'} */
    this.via = 'here';
    /** @type {number | null} */
    this.returned = null;
    this.id = '';
    /** @type {(heard: boolean) => void} */
    this.settle = () => undefined;
  }

  /** @param {Partial<SelfTest>} change */
  note(change) {
    Object.assign(this, change);
    this.dispatchEvent(new Event('change'));
  }

  /**
   * @param {string} device as the person names this computer
   * @param {boolean} away they are not at their site
   */
  async start(device, away) {
    if (this.state === 'running') return;
    this.note({ state: 'running', doing: [], told: {}, whole: null, problem: null, sound: null, via: 'here', returned: null, check: null });
    const devices = new Devices();
    try {
      const asked = Date.now();
      const { id, now_ms: serverNow, line_s: lineS } = await post('/api/self-tests', { device, away });
      this.id = id;
      await this.submit('browser', { ...engineOf(navigator.userAgent), clock_ms: Math.round((asked + Date.now()) / 2 - serverNow) });
      this.note({ doing: ['camera', 'microphone'] });
      devices.cameraOn = false; // one after the other: a refusal of one says nothing of the other
      await devices.open();
      await devices.setCamera(true);
      const [camera, microphone] = await Promise.all([this.camera(devices), this.microphone(devices)]);
      await this.submit('camera', camera);
      await this.submit('microphone', microphone);
      const open = await this.path();
      await this.submit('line', open ? await this.line(devices, lineS) : { problem: 'unconnected' });
      await this.submit('loop', await this.loop());
    } catch (error) {
      this.note({ problem: codeOf(error) });
    } finally {
      devices.close();
      this.note({ state: this.whole ? 'done' : 'idle', doing: [], asks: null, sound: null });
    }
  }

  /** @param {Step} step @param {object} figures */
  async submit(step, figures) {
    const told = await post(`/api/self-tests/${this.id}/steps/${step}`, figures);
    this.note({ told: { ...this.told, [step]: { ...told, figures } }, whole: told.whole });
  }

  /** @param {Devices} devices */
  async camera({ camera, problem }) {
    return camera ? lookAt(camera, LOOK_MS) : { problem: problem.camera ?? 'missing' };
  }

  /** @param {Devices} devices */
  async microphone({ audio, problem }) {
    if (!audio) return { problem: problem.audio ?? 'missing' };
    this.note({ asks: 'read' });
    const [windows, sound] = await Promise.all([
      listenTo(audio, LISTEN_MS, (level) => this.note({ level })),
      wait(LISTEN_MS - KEEP_MS).then(() => keep(audio, KEEP_MS)),
    ]);
    this.note({ asks: null, level: 0, sound });
    return soundFigures(windows);
  }

  /** @returns {Promise<boolean>} whether any way is open */
  async path() {
    const check = new PathCheck({
      probe: () => post(`/api/self-tests/${this.id}/probe`),
      probed: async ({ udp, tcp, relay }) => {
        await this.submit('path', { udp, tcp, relay });
        return { relay_fault: this.told.path?.relay_fault ?? null };
      },
    });
    this.note({ doing: ['path'], check });
    await check.start();
    if (!this.told.path) throw new ApiRefusal('not_ready', 0);
    return check.found.path !== 'none';
  }

  /** @param {Devices} devices @param {number} seconds */
  async line({ audio }, seconds) {
    this.note({ doing: ['line'], left: seconds });
    const offers = await this.offers();
    if (!offers) return { problem: 'unavailable' };
    const line = new MeasuredLine(audio, (peer, offerId, sdp) =>
      post(`/api/self-tests/${this.id}/line/answer`, { peer, offer_id: offerId, sdp }));
    try {
      if (!(await line.connect(offers))) return { problem: 'unconnected' };
      const [figures] = await Promise.all([line.measure(seconds, (left) => this.note({ left })), audio ? this.hear(line, seconds) : null]);
      return figures;
    } finally {
      line.close();
    }
  }

  /** @returns {Promise<import('./line.js').Offers | null>} null while there is no room for it */
  async offers() {
    for (let tries = 1; ; tries += 1) {
      try {
        return (await post(`/api/self-tests/${this.id}/line`)).offers;
      } catch (error) {
        const busy = ['self_test_full', 'self_test_site_busy', 'not_ready'].includes(codeOf(error));
        if (!busy) throw error;
        if (tries === TRIES) return null;
        await wait(AGAIN_MS);
      }
    }
  }

  /** The voice as it comes back, at the end of the measuring. @param {MeasuredLine} line @param {number} seconds */
  async hear(line, seconds) {
    const keepMs = Math.min(KEEP_MS, seconds * 800);
    await wait(Math.max(0, seconds * 1000 - keepMs - 400));
    const { returned } = line;
    if (!returned) return;
    this.note({ asks: 'read-again' });
    const [windows, sound] = await Promise.all([listenTo(returned, keepMs), keep(returned, keepMs)]);
    this.note({ asks: null, via: 'relay', returned: round(soundFigures(windows).speech_db), sound: sound ?? this.sound });
  }

  async loop() {
    this.note({ doing: ['loop'] });
    const { sound, via, returned } = this;
    if (!sound) return { problem: 'silent' };
    const heard = new Promise((resolve) => { this.settle = resolve; });
    this.note({ asks: 'heard' });
    void play(sound);
    return { via, returned_db: returned, heard: await heard };
  }

  /** @param {boolean} heard */
  answer(heard) {
    this.note({ asks: null });
    this.settle(heard);
  }

  again() {
    if (this.sound) void play(this.sound);
  }
}
