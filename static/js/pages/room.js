/**
 * The room page. It only wires: visit (HTTP), devices, signal link (socket), media link (RTCPeerConnection) and the
 * reducer's state to the elements. Rules are in room/reducer.js, pictures in elements/.
 */
import { html, render } from '/static/vendor/lit.js';
import { codeOf } from '../api.js';
import { languageEvents, startLanguage, t } from '../i18n.js';
import { Asked } from '../room/asked.js';
import { ConsentFlow } from '../room/consent.js';
import { Devices } from '../room/devices.js';
import { DeviceWatch } from '../room/device-watch.js';
import { Ending } from '../room/ending.js';
import { on } from '../listen.js';
import { MediaLink } from '../room/media-link.js';
import { Mixer } from '../room/mixer.js';
import { OwnVoice } from '../room/own-voice.js';
import { initial, me, reduce } from '../room/reducer.js';
import { PastFlow } from '../room/past.js';
import { PathCheck } from '../room/path-check.js';
import { waits } from '../room/prebrief.js';
import { ScreenShare } from '../room/screen-share.js';
import { Shown } from '../room/shown.js';
import { SignalLink } from '../room/signal-link.js';
import { sparing } from '../room/survival.js';
import { Visit } from '../room/visit.js';
import { Wake } from '../room/wake.js';
import { allParts } from '../parts/all.js';
import '../elements/chrome.js';
import '../elements/door.js';
import '../elements/visit.js';
import '../elements/stage.js';
import '../elements/waiting.js';

/** Long enough to take back an end that was pressed by mistake. */
const END_AFTER_S = 3;
/** Tracks that come later are put in without a word to the server: nobody waits long for a slow camera. */
const DEVICES_WAITED_MS = 1000;
const PROBLEM_SHOWN_MS = 8000;

const root = /** @type {HTMLElement} */ (document.querySelector('main'));
const visit = new Visit(location.pathname.split('/').filter(Boolean).at(-1) ?? '');
const devices = new Devices();
const screen = new ScreenShare();
const deviceWatch = new DeviceWatch(devices);
let state = initial();
/** @type {SignalLink | null} */
let signal = null;
/** @type {MediaLink | null} */
let media = null;
/** @type {OwnVoice | null} */
let ownVoice = null;
/** @type {Map<string, MediaStream>} */
let streams = new Map();
/** @type {Set<string>} */
let speaking = new Set();
/** @type {MediaStream | null} */
let ownStream = null;
let drawing = false;
const shown = new Shown(async (list) => (await signal?.send('view', { shown: list }))?.ok ?? false);
const consent = new ConsentFlow(visit, { state: () => state, happen });
const asked = new Asked(visit, { state: () => state, happen });
const past = new PastFlow(visit);
const paths = new PathCheck(visit);
const mixer = new Mixer();
/** What parts may know and do. */
const beside = {
  seat: visit.seat, state: () => state, changed: draw, say, devices, mixer,
  send: async (/** @type {string} */ what, /** @type {object | undefined} */ detail) => (await signal?.send(what, detail)) ?? { ok: false, code: 'timeout' },
  incoming: () => media?.incoming.values() ?? [], level: () => ownVoice?.level ?? 0, speaking: () => speaking,
};
const parts = allParts(beside);
const ending = new Ending({ changed: draw, end: () => ask('end') });

/** @param {import('../room/reducer.js').Event} event */
function happen(event) {
  const before = state;
  state = reduce(state, event);
  if (state === before) return;
  if (state.phase === 'over') void past.load();
  if (state.cut !== before.cut) {
    if (state.phase === 'room') rememberVisit();
    devices.withhold(state.cut); // before the senders, which take their time
    if (screen.track) screen.track.enabled = !state.cut;
    syncTracks();
  }
  if (state.snapshot !== before.snapshot) void media?.spare(sparing(state));
  parts.changed(state, before);
  draw();
}

function draw() {
  if (drawing) return;
  drawing = true;
  queueMicrotask(() => {
    drawing = false;
    document.title = t('page-title', { page: parts.title(state) ?? t('page-room') });
    document.body.dataset.phase = waits(state) ? 'waiting' : state.phase;
    render(view(), root);
  });
}

function view() {
  if (state.phase === 'room' && !waits(state)) {
    return html`<hj-stage .state=${state} .devices=${devices} .paths=${paths} .streams=${allStreams()} ?sharing=${screen.track !== null} .speaking=${allSpeaking()} .now=${Date.now()}
      .endingIn=${ending.left} .trouble=${deviceWatch.trouble(state)} .parts=${parts} .mixer=${mixer}></hj-stage>`;
  }
  return html`<hj-header></hj-header><div class="page">${page()}</div>`;
}

function page() {
  switch (state.phase) {
    case 'used':
    case 'knocking':
      return html`<hj-knock-form .state=${state}></hj-knock-form>`;
    case 'over':
      return html`<hj-over .code=${state.over ?? ''} .past=${past} .seat=${visit.seat}></hj-over>`;
    case 'room':
      return html`<hj-waiting .state=${state} .devices=${devices} .now=${Date.now()}></hj-waiting>`;
    case 'door':
      return html`<hj-door .state=${state} .devices=${devices} .paths=${paths}></hj-door>`;
    default:
      return html`<p class="loading" role="status">${t('loading')}</p>`;
  }
}

function allStreams() {
  const own = me(state)?.id;
  return own && ownStream ? new Map([...streams, [own, ownStream]]) : streams;
}

function allSpeaking() {
  const own = me(state)?.id;
  return own && ownVoice?.speaking && state.mic ? new Set([...speaking, own]) : speaking;
}

// --- the door -------------------------------------------------------------------------------------------

async function enter() {
  await startLanguage(visit.seat);
  try {
    const answer = await visit.look();
    if (answer) {
      if (visit.token) visit.forgetToken();
      await startLanguage(visit.seat, answer.seat.language);
      if (['ended', 'cancelled'].includes(answer.consultation.state)) {
        happen({ type: 'over', code: 'ended' });
        return;
      }
      const before = visit.joined();
      happen({ type: 'door', seat: answer });
      if (before) {
        await join(before);
        return;
      }
    } else if (visit.token) happen({ type: 'door', seat: null });
    else {
      happen({ type: 'over', code: 'no_credential' });
      return;
    }
  } catch (error) {
    happen({ type: 'over', code: codeOf(error) });
    return;
  }
  await devices.open();
}

/** @param {string} name */
async function knock(name) {
  happen({ type: 'knocking' });
  try {
    const admitted = await visit.knock(name);
    if (!admitted) happen({ type: 'knock_refused' });
    else await enter();
  } catch (error) {
    happen({ type: 'used' });
    happen({ type: 'problem', code: codeOf(error) });
  }
}

// --- the room -------------------------------------------------------------------------------------------

/** @param {{mic: boolean, camera: boolean, cut?: boolean} | null} before what was on before a reload */
async function join(before = null) {
  if (signal) return;
  if (before) {
    devices.micOn = before.mic;
    devices.cameraOn = before.camera;
  }
  happen({ type: 'own', mic: devices.micOn, camera: devices.cameraOn });
  happen({ type: 'joining' });
  if (before?.cut) void consent.decide('declined', null); // it was taken back and perhaps never arrived
  rememberVisit();
  // The seat is taken at once; a permission prompt that nobody answers keeps nobody out.
  const opened = devices.audio && (devices.camera || !devices.cameraOn) ? Promise.resolve() : devices.open();
  await Promise.race([opened, new Promise((resolve) => setTimeout(resolve, DEVICES_WAITED_MS))]);
  media = wireMedia(new MediaLink());
  syncTracks();
  signal = wireSignal(new SignalLink(visit.seat, () => ({
    mic: sendsMic(), camera: sendsCamera(), resume: media?.pc?.connectionState === 'connected' ? media.connection : null,
  })));
  signal.open();
  ownVoice = new OwnVoice(draw, (peak, now) => deviceWatch.heard(peak, now));
  ownVoice.follow(devices.audio);
}

// While a withdrawal is not confirmed, nothing leaves this computer, and the others are told so.
const sendsMic = () => state.mic && devices.audio !== null && !state.cut;
const sendsCamera = () => state.camera && devices.camera !== null && !state.cut;
let told = '';

/** Brings what is sent, and what the others are told of it, in line with the devices. */
function syncTracks() {
  ownVoice?.follow(devices.audio);
  const camera = state.camera ? devices.camera : null;
  if (ownStream?.getVideoTracks()[0] !== (camera ?? undefined)) ownStream = camera ? new MediaStream([camera]) : null;
  if (!media) return;
  const sent = state.cut ? { audio: null, camera: null, screen: null } : { audio: devices.audio, camera, screen: screen.track };
  for (const kind of /** @type {const} */ (['audio', 'camera', 'screen'])) {
    if (media.local[kind] !== sent[kind]) void media.setLocal(kind, sent[kind]);
  }
  const now = { mic: sendsMic(), camera: sendsCamera(), screen: sent.screen !== null };
  if (told === JSON.stringify(now)) return;
  told = JSON.stringify(now);
  void signal?.send('media', now);
}

/** @param {SignalLink} link */
function wireSignal(link) {
  link.addEventListener('online', () => {
    happen({ type: 'online' });
    if (media?.line.stalled) void link.askIceRestart(); // the same connection is kept, but not the way it went
  });
  link.addEventListener('lost', () => happen({ type: 'lost' }));
  on(link, 'full', ({ at }) => happen({ type: 'full', at }));
  on(link, 'joined', (snapshot) => {
    shown.forget();
    told = ''; // a seat taken anew shares no screen
    happen({ type: 'snapshot', snapshot, fresh: true });
    syncTracks();
  });
  on(link, 'snapshot', (snapshot) => happen({ type: 'snapshot', snapshot }));
  on(link, 'asked', () => void asked.look());
  on(link, 'recording', (recording) => happen({ type: 'recording', recording, now: Date.now() }));
  on(link, 'offer', (offer) => void media?.apply(offer));
  on(link, 'closed', ({ code }) => finish(code));
  parts.listen(link);
  return link;
}

/** @param {MediaLink} link */
function wireMedia(link) {
  on(link, 'answer', (answer) => void sendAnswer(answer));
  on(link, 'state', (now) => happen({ type: 'media', state: now, now: Date.now() }));
  on(link, 'restart', (detail) => void signal?.send('restart', detail));
  on(link, 'ice_restart', () => void signal?.askIceRestart());
  on(link, 'quality', (quality) => {
    happen({ type: 'quality', level: quality.level });
    void signal?.send('quality', quality);
  });
  on(link, 'speaking', (now) => {
    speaking = now;
    draw();
  });
  on(link, 'incoming', (all) => {
    streams = new Map(all.flatMap((/** @type {any} */ one) => [[one.participant, one.stream], [`${one.participant} screen`, one.screen]]));
    draw();
  });
  return link;
}

/** @param {{connection: string}} answer */
async function sendAnswer(answer) {
  const ack = await signal?.send('answer', answer);
  const lost = ack && !ack.ok && (ack.code === 'timeout' || ack.code === 'too_fast');
  if (!lost || media?.connection !== answer.connection) return;
  await new Promise((resolve) => setTimeout(resolve, 1000));
  if (media?.connection === answer.connection) await signal?.send('answer', answer);
}

/** @param {string} code */
function finish(code) {
  visit.remember(null);
  ending.left = null;
  signal?.close();
  media?.close();
  ownVoice?.close();
  shown.close();
  screen.stop();
  deviceWatch.close();
  devices.close();
  signal = null;
  media = null;
  ownStream = null;
  parts.closed(code);
  happen({ type: 'over', code });
}

async function leave() {
  await Promise.race([signal?.send('leave'), new Promise((resolve) => setTimeout(resolve, 1500))]);
  finish('left');
}

/** Says why when the room refuses; the words stay for a while. @param {string} what @param {object} [detail] */
async function ask(what, detail) {
  const ack = await signal?.send(what, detail);
  if (!ack || ack.ok || state.phase !== 'room') return;
  say(ack.code ?? 'unexpected');
}

/** @param {string} code */
function say(code) {
  happen({ type: 'problem', code });
  setTimeout(() => state.phase === 'room' && happen({ type: 'problem', code: null }), PROBLEM_SHOWN_MS);
}

// --- what the elements ask for --------------------------------------------------------------------------

/** @type {Record<string, (detail: any) => unknown>} */
const ACTIONS = {
  ...parts.actions(),
  consent: ({ decision, others }) => consent.decide(decision, others),
  destroy: ({ sure }) => consent.destroy(sure),
  past: ({ asking, now }) => (now ? past.withdraw() : past.ask(asking)),
  'destroy-not': () => happen({ type: 'past', past: 'kept' }),
  pause: ({ reason }) => ask('pause', { reason }),
  resume: () => ask('resume'),
  knock: ({ name }) => knock(name),
  join: () => join(),
  return: () => location.reload(),
  retry: () => signal?.retry(),
  leave: () => leave(),
  end: () => ending.begin(END_AFTER_S),
  'end-undo': () => ending.undo(),
  admit: ({ knock: id, accept }) => ask('admit', { knock: id, accept }),
  device: ({ kind, id }) => devices.choose(kind, id),
  'device-again': ({ kind }) => devices.again(kind),
  original: ({ on: original }) => devices.setOriginalSound(original),
  mic: async ({ on: mic }) => {
    own({ mic });
    await devices.setMic(mic);
  },
  camera: async ({ on: camera }) => {
    own({ camera });
    await devices.setCamera(camera);
    syncTracks();
  },
  screen: ({ on: share }) => (share ? screen.start() : screen.stop()),
};

/** @param {{mic?: boolean, camera?: boolean}} change */
function own(change) {
  happen({ type: 'own', ...change });
  if (state.phase === 'room') rememberVisit();
  syncTracks();
}

function rememberVisit() {
  visit.remember({ mic: state.mic, camera: state.camera, cut: state.cut });
}

root.addEventListener('ask', (event) => {
  const { type, ...detail } = /** @type {CustomEvent} */ (event).detail;
  void ACTIONS[type]?.(detail);
});
devices.addEventListener('change', () => {
  syncTracks();
  draw();
});
screen.addEventListener('change', () => {
  syncTracks();
  draw();
});
on(screen, 'refused', ({ code }) => say(code));
deviceWatch.addEventListener('change', draw);
languageEvents.addEventListener('change', draw);
// The invitation opened again in this very window: only the fragment changes, so nothing is loaded by itself.
addEventListener('hashchange', () => {
  if (state.phase === 'room') visit.forgetToken();
  else if (location.hash.length > 1) location.reload();
});
addEventListener('pagehide', ({ persisted }) => {
  if (ending.left !== null) void signal?.send('end'); // whoever closes the window while the end is counted down meant it
  if (!persisted) signal?.close(); // a goodbye: a window that is closed is no lost line
});
new Wake(() => signal);
addEventListener('offline', () => happen({ type: 'lost' }));
setInterval(() => {
  if (state.phase === 'room') draw();
}, 1000);
void enter();
