/**
 * The room as the page knows it: state, what each event makes of it, and what is to be shown.
 * Pure: no DOM, no socket, no clock; `now` is an argument. The server's snapshot is the whole truth about others.
 *
 * @typedef {import('../types/wire.js').Snapshot} Snapshot
 * @typedef {import('../types/wire.js').Participant} Participant
 * @typedef {import('../types/wire.js').Recording} Recording
 * @typedef {import('../types/wire.js').LightState} LightState
 * @typedef {import('../types/wire.js').SeatAnswer} SeatAnswer
 */
import { isThin } from './line.js';

/** A light older than this is not believed any more, whatever it said. */
export const LIGHT_MAX_AGE_MS = 5000;
/** The server speaks every second; silence for longer than this is a lost connection, whatever the socket believes. */
export const SILENCE_MS = 8000;
/** Media that is away for less than this is not worth a word. */
export const MEDIA_GRACE_MS = 1500;

/**
 * @typedef {'entering' | 'door' | 'used' | 'knocking' | 'room' | 'over'} Phase
 * @typedef {'idle' | 'connecting' | 'online' | 'lost'} Link
 * @typedef {'none' | 'connecting' | 'connected' | 'disconnected' | 'failed'} MediaState
 * @typedef {{
 *   phase: Phase, link: Link, media: MediaState, mediaSinceMs: number,
 *   seat: SeatAnswer | null, decision: 'granted' | 'declined' | null, busy: boolean, problem: string | null,
 *   snapshot: Snapshot | null, recording: (Recording & {at_ms: number}) | null,
 *   mic: boolean, camera: boolean, over: string | null, notices: Notice[], knock: 'none' | 'waiting' | 'refused',
 *   quality: 'good' | 'fair' | 'poor' | null, cut: boolean, company: string[], missing: string[],
 *   past: 'kept' | 'asking' | 'asked', full: number | null, anew: boolean,
 * }} State
 * @typedef {{id: number, message: string, name: string}} Notice
 */

/**
 * @typedef {{type: 'door', seat: SeatAnswer | null}
 *   | {type: 'used'} | {type: 'knocking'} | {type: 'knock_refused'}
 *   | {type: 'busy'} | {type: 'problem', code: string | null}
 *   | {type: 'decided', decision: 'granted' | 'declined', missing?: string[]}
 *   | {type: 'past', past: 'asking' | 'kept' | 'asked'} | {type: 'cut'} | {type: 'company', names: string[]}
 *   | {type: 'asked', seat: SeatAnswer}
 *   | {type: 'joining'} | {type: 'online'} | {type: 'lost'} | {type: 'full', at: number}
 *   | {type: 'snapshot', snapshot: Snapshot, fresh?: boolean}
 *   | {type: 'recording', recording: Recording, now: number}
 *   | {type: 'media', state: MediaState, now: number}
 *   | {type: 'own', mic?: boolean, camera?: boolean}
 *   | {type: 'quality', level: 'good' | 'fair' | 'poor'}
 *   | {type: 'over', code: string}} Event
 */

/** @returns {State} */
export function initial() {
  return {
    phase: 'entering', link: 'idle', media: 'none', mediaSinceMs: 0,
    seat: null, decision: null, busy: false, problem: null,
    snapshot: null, recording: null, mic: true, camera: true, over: null, notices: [], knock: 'none', quality: null,
    cut: false, company: [], missing: [], past: 'kept', full: null, anew: false,
  };
}

/**
 * @param {State} state
 * @param {Event} event
 * @returns {State} the same object when nothing changed
 */
export function reduce(state, event) {
  if (state.phase === 'over' && event.type !== 'door') return state;
  switch (event.type) {
    case 'door':
      return {
        ...initial(), phase: 'door', mic: state.mic, camera: state.camera,
        seat: event.seat, decision: event.seat?.consent?.decision ?? null,
        company: event.seat?.consent ? othersOf(event.seat) : state.company, missing: event.seat?.missing ?? [],
        past: event.seat?.destruction_asked ? 'asked' : 'kept',
      };
    case 'used':
      return { ...state, phase: 'used', busy: false, problem: null };
    case 'knocking':
      return { ...state, phase: 'knocking', knock: 'waiting', busy: false, problem: null };
    case 'knock_refused':
      return { ...state, phase: 'used', knock: 'refused', busy: false };
    case 'busy':
      return { ...state, busy: true, problem: null };
    case 'problem':
      return { ...state, busy: false, problem: event.code };
    case 'decided':
      return { ...state, decision: event.decision, missing: event.missing ?? [], busy: false, problem: null, anew: false, cut: state.cut && event.decision === 'declined' };
    case 'asked':
      return withAsked(state, event.seat);
    case 'cut':
      return { ...state, cut: true };
    case 'past':
      return { ...state, past: event.past };
    case 'company':
      return { ...state, company: event.names };
    case 'joining':
      return { ...state, phase: 'room', link: 'connecting', busy: false, problem: null };
    case 'online':
      // What was said before the fall says nothing about now.
      return { ...state, link: 'online', full: null, recording: state.link === 'lost' ? null : state.recording };
    case 'full':
      return { ...state, link: 'connecting', full: event.at };
    case 'lost':
      return state.phase === 'room' ? { ...state, link: 'lost' } : state;
    case 'snapshot':
      return withSnapshot(state, event.snapshot, event.fresh ?? false);
    case 'recording':
      return { ...state, recording: { ...event.recording, at_ms: event.now } };
    case 'media':
      return event.state === state.media ? state : { ...state, media: event.state, mediaSinceMs: event.now };
    case 'own':
      return { ...state, mic: event.mic ?? state.mic, camera: event.camera ?? state.camera };
    case 'quality':
      return { ...state, quality: event.level };
    case 'over':
      return { ...state, phase: 'over', over: event.code, busy: false };
  }
}

/**
 * @param {State} state
 * @param {Snapshot} snapshot
 * @param {boolean} fresh it came as a join's answer, which holds whatever its version: the server may have begun anew
 * @returns {State}
 */
function withSnapshot(state, snapshot, fresh) {
  if (!fresh && state.snapshot && snapshot.version < state.snapshot.version) return state;
  const me = snapshot.participants.find((person) => person.id === snapshot.you.participant);
  const decision = me && me.consent !== 'undecided' ? me.consent : state.decision;
  // What was taken back is confirmed by media alone: the seat is admitted to the journal no more.
  const cut = state.cut && !(me?.consent === 'declined' && !me.recorded);
  return { ...state, link: 'online', snapshot, decision, cut, notices: noticesAfter(state, snapshot) };
}

/**
 * What is asked at this seat may change while somebody waits: another hospital, another rule between the sites.
 * @param {State} state
 * @param {SeatAnswer} now
 * @returns {State}
 */
function withAsked(state, now) {
  if (!state.seat) return state;
  const missing = now.missing ?? [];
  const anew = JSON.stringify(now.asked) !== JSON.stringify(state.seat.asked);
  if (!anew && JSON.stringify(missing) === JSON.stringify(state.missing)) return state;
  return { ...state, seat: { ...state.seat, asked: now.asked }, missing, anew: state.anew || anew };
}

/** @param {SeatAnswer} answer @returns {string[]} who was named at the seat besides the person it is for */
function othersOf(answer) {
  return (answer.consent?.persons ?? []).filter((name) => name !== answer.seat.name);
}

/**
 * @param {State} state
 * @param {Snapshot} next
 * @returns {Notice[]} the last few things worth saying aloud
 */
function noticesAfter(state, next) {
  if (!state.snapshot) return state.notices;
  const before = new Map(state.snapshot.participants.map((person) => [person.id, person]));
  let id = state.notices.at(-1)?.id ?? 0;
  /** @type {Notice[]} */
  const fresh = [];
  for (const person of next.participants) {
    if (person.id === next.you.participant) continue;
    const was = before.get(person.id);
    if (!was) continue;
    if (person.present && !was.present) fresh.push({ id: ++id, message: 'notice-joined', name: person.name });
    else if (!person.present && was.present) fresh.push({ id: ++id, message: 'notice-left', name: person.name });
    else if (person.present && person.away && !was.away) fresh.push({ id: ++id, message: 'notice-away', name: person.name });
    else if (person.present && !person.away && was.away) fresh.push({ id: ++id, message: 'notice-back', name: person.name });
  }
  if (state.snapshot.pause && !next.pause) fresh.push({ id: ++id, message: 'notice-resumed', name: '' });
  const asked = new Set((state.snapshot.knocks ?? []).map((knock) => knock.id));
  for (const knock of next.knocks ?? []) {
    if (!asked.has(knock.id)) fresh.push({ id: ++id, message: 'notice-knock', name: knock.name });
  }
  return fresh.length ? [...state.notices, ...fresh].slice(-4) : state.notices;
}

/**
 * The recording light: what the store last acknowledged, and doubt when that was too long ago.
 * @param {State} state
 * @param {number} now
 * @returns {{state: LightState, stored_until_ms: number | null, stale: boolean, degraded: Recording['degraded'], waits_for: string | null}}
 */
export function light(state, now) {
  const last = state.recording;
  if (!last) return { state: 'waiting', stored_until_ms: null, stale: false, degraded: [], waits_for: null };
  const stale = ['recording', 'degraded', 'paused'].includes(last.state) && now - last.at_ms > LIGHT_MAX_AGE_MS;
  return {
    state: stale ? 'degraded' : last.state,
    stored_until_ms: last.stored_until_ms,
    stale,
    degraded: last.degraded ?? [],
    waits_for: last.waits_for ?? null,
  };
}

/** @param {State} state @returns {Participant | null} */
export function me(state) {
  const id = state.snapshot?.you.participant;
  return state.snapshot?.participants.find((person) => person.id === id) ?? null;
}

/** @param {State} state @returns {Participant[]} everybody present, oneself last */
export function present(state) {
  const snapshot = state.snapshot;
  if (!snapshot) return [];
  const here = snapshot.participants.filter((person) => person.present);
  const own = snapshot.you.participant;
  return [...here.filter((person) => person.id !== own), ...here.filter((person) => person.id === own)];
}

/** @param {State} state @returns {Participant[]} seats nobody sits on yet */
export function awaited(state) {
  return state.snapshot?.participants.filter((person) => !person.present) ?? [];
}

/** @param {State} state @param {string} ability */
export function may(state, ability) {
  const snapshot = state.snapshot;
  if (!snapshot?.you.abilities.includes(ability)) return false;
  return ability !== 'end' || snapshot.chair === snapshot.you.participant;
}

/** Whether the server has said nothing for so long that its socket is not believed. @param {State} state @param {number} now */
export function isSilent(state, now) {
  return state.recording !== null && now - state.recording.at_ms > SILENCE_MS;
}

/**
 * @param {State} state
 * @param {number} now
 * @returns {{message: string, tone: 'calm' | 'busy' | 'alarm'}} the connection in words
 */
export function connectionWords(state, now) {
  if (state.link === 'lost' || (isSilent(state, now) && state.link === 'online')) return { message: 'connection-lost', tone: 'alarm' };
  if (state.full !== null) return { message: 'connection-full', tone: 'alarm' };
  if (state.link !== 'online') return { message: 'connection-connecting', tone: 'busy' };
  const settled = now - state.mediaSinceMs > MEDIA_GRACE_MS;
  if (state.media === 'failed') return { message: 'connection-media-returning', tone: 'alarm' };
  if (state.media === 'disconnected' && settled) return { message: 'connection-media-returning', tone: 'alarm' };
  if (state.media === 'none' || state.media === 'connecting') return { message: 'connection-media-connecting', tone: 'busy' };
  // Whosever line it is: what is lost of a voice on the way here is no fault of this page's connection.
  if (present(state).some((person) => person.line?.mode === 'survival')) return { message: 'connection-survival', tone: 'busy' };
  if (isThin(me(state))) return { message: 'connection-thin', tone: 'busy' };
  if (state.quality === 'poor') return { message: 'connection-poor', tone: 'alarm' };
  return { message: 'connection-good', tone: 'calm' };
}

/**
 * @param {State} state
 * @param {number} now
 * @returns {'recording' | null} which alarm banner stands over the stage
 */
export function alarm(state, now) {
  return state.phase === 'room' && light(state, now).state === 'degraded' ? 'recording' : null;
}
