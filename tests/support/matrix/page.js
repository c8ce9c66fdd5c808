/**
 * One end of a measured line: the room page's own media link, what it plays kept as numbers, and getStats.
 * Serves no user; the rig calls `rig.*`.
 */
import { MediaLink } from '/js/room/media-link.js';

const POLL_MS = 200;
const link = new MediaLink();
/** What grows, of sound and of picture. */
const GROWING = [
  'concealedSamples', 'silentConcealedSamples', 'concealmentEvents', 'totalSamplesReceived', 'removedSamplesForAcceleration',
  'insertedSamplesForDeceleration', 'jitterBufferDelay', 'jitterBufferEmittedCount', 'packetsReceived', 'packetsLost',
  'packetsDiscarded', 'fecPacketsReceived', 'fecPacketsDiscarded', 'bytesReceived', 'framesDecoded', 'freezeCount', 'totalFreezesDuration',
  'pauseCount', 'nackCount', 'pliCount', 'keyFramesDecoded', 'framesDropped', 'retransmittedPacketsReceived',
];
let chunks = [];
let keeping = false;
let longest = 0;
let before = null;

link.addEventListener('incoming', (event) => {
  for (const one of event.detail) {
    let view = document.getElementById(one.participant);
    if (!view) {
      view = document.createElement('video');
      view.id = one.participant;
      view.autoplay = true;
      document.body.append(view);
    }
    if (view.srcObject !== one.stream) view.srcObject = one.stream;
    const track = one.receivers.audio?.track;
    if (track && !track.kept) {
      track.kept = true;
      void keep(track);
    }
  }
});

async function keep(track) {
  if (!('MediaStreamTrackProcessor' in window)) return keepSlowly(track);
  const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 100 }).readable.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    if (keeping) {
      const samples = new Float32Array(value.numberOfFrames);
      value.copyTo(samples, { planeIndex: 0, format: 'f32-planar' });
      chunks.push(samples);
    }
    value.close();
  }
}

/** The same where tracks cannot be read: as the sound system plays them. */
function keepSlowly(track) {
  const context = new AudioContext({ sampleRate: 48000 });
  const node = context.createScriptProcessor(4096, 1, 1);
  node.onaudioprocess = ({ inputBuffer }) => {
    if (keeping) chunks.push(inputBuffer.getChannelData(0).slice());
  };
  context.createMediaStreamSource(new MediaStream([track])).connect(node).connect(context.destination);
  window.kept = [...(window.kept ?? []), context, node]; // or they are collected
}

async function makeDevices() {
  const context = new AudioContext({ sampleRate: 48000 });
  const buffer = await context.decodeAudioData(await (await fetch('/said.wav')).arrayBuffer());
  const source = new AudioBufferSourceNode(context, { buffer, loop: true });
  const out = context.createMediaStreamDestination();
  source.connect(out);
  source.start();
  const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 });
  const paint = canvas.getContext('2d');
  const texture = new ImageData(640, 360);
  for (let i = 0; i < texture.data.length; i += 4) {
    const x = (i / 4) % 640, y = Math.floor(i / 2560);
    texture.data.fill(110 + 40 * Math.sin(x / 5 + y / 9) * Math.cos(y / 7), i, i + 3);
    texture.data[i + 3] = 255;
  }
  const still = await createImageBitmap(texture);
  let step = 0;
  setInterval(() => {
    step = (step + 4) % 640;
    paint.drawImage(still, step, 0);
    paint.drawImage(still, step - 640, 0);
  }, 66);
  window.kept = [context, source];
  await link.setLocal('audio', out.stream.getAudioTracks()[0]);
  await link.setLocal('camera', canvas.captureStream(15).getVideoTracks()[0]);
}

async function counters() {
  const found = { audio: null, video: null };
  for (const s of (await link.pc.getStats()).values()) {
    if (s.type === 'inbound-rtp') found[s.kind ?? s.mediaType] = s;
  }
  return found;
}

let polled = null;
setInterval(async () => {
  if (!link.pc) return;
  const { video } = await counters();
  if (video && polled) longest = Math.max(longest, video.totalFreezesDuration - polled.totalFreezesDuration);
  polled = video;
}, POLL_MS);

window.rig = {
  /** `made`: a browser without files for devices; microphone and camera are made here. */
  async open(made) {
    if (made) return void (await makeDevices());
    const sound = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const stream = await navigator.mediaDevices.getUserMedia({ audio: sound, video: { width: 640, height: 360, frameRate: 15 } });
    await link.setLocal('audio', stream.getAudioTracks()[0]);
    await link.setLocal('camera', stream.getVideoTracks()[0]);
  },

  /** The answer to an offer. */
  take(offer) {
    return new Promise((resolve) => {
      link.addEventListener('answer', (event) => resolve(event.detail.sdp), { once: true });
      void link.apply(offer);
    });
  },

  async flows() {
    if (!link.pc) return 0;
    const { audio, video } = await counters();
    return audio && audio.totalSamplesReceived > 48000 && video ? video.framesDecoded ?? 0 : 0;
  },

  state: () => link.pc?.connectionState ?? 'none',

  async begin() {
    chunks = [];
    keeping = true;
    longest = 0;
    before = await counters();
  },

  /** What has grown since `begin`, the longest freeze (s), and what was played (16 bit, 48 kHz, base64). */
  async end() {
    keeping = false;
    const now = await counters();
    const grown = {};
    for (const kind of ['audio', 'video']) {
      grown[kind] = {};
      for (const name of GROWING) {
        if (name in now[kind]) grown[kind][name] = now[kind][name] - (before[kind]?.[name] ?? 0);
      }
    }
    const out = { ...grown, longest, height: now.video.frameHeight ?? 0, seconds: (now.audio.timestamp - before.audio.timestamp) / 1000, played: played() };
    chunks = [];
    return out;
  },

  /** What leaves this page. */
  async sent() {
    const found = [];
    for (const s of (await link.pc.getStats()).values()) if (s.type === 'outbound-rtp' || s.type === 'remote-inbound-rtp') found.push(s);
    return found;
  },
};

function played() {
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const samples = new Int16Array(length);
  let at = 0;
  for (const chunk of chunks) for (const value of chunk) samples[at++] = Math.max(-32768, Math.min(32767, Math.round(value * 32767)));
  const bytes = new Uint8Array(samples.buffer);
  let text = '';
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
}
