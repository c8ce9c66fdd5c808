/**
 * Interpreting as a page knows it: whose turn it is, whether the interpreter has dropped, what was signalled, how long
 * somebody has rendered. Pure: what the server says goes in, `now` is an argument, and nothing is asked for here.
 *
 * @typedef {import('../types/wire.js').Snapshot} Snapshot
 * @typedef {import('../types/wire.js').Participant} Participant
 * @typedef {import('../types/wire.js').Signalled} Signalled
 * @typedef {import('../types/wire.js').PartnerSaid} PartnerSaid
 * @typedef {'speaker' | 'interpreter'} Kind
 * @typedef {{
 *   floor: string | null, spoke: Kind | null, active: string | null, sinceMs: number | null, lost: string | null,
 *   had: string | null, signal: (Signalled & {heardMs: number}) | null, texts: PartnerSaid[], later: number,
 * }} Seat `spoke`: who had the floor last; `had`: the interpreter who was here last; `later`: reminders put aside
 */

/** A signal is a glance, not a message to be kept. */
export const SIGNAL_SHOWN_MS = 12_000;
/** Interpreters change over every 20 to 30 minutes (ISO 20108 names 30 at most for two; AIIC asks for about 20 to 30). */
export const REMIND_EVERY_MS = 20 * 60_000;
/** What is scrolled past is gone: the line between interpreters is kept nowhere. */
const TEXTS_KEPT = 50;

/** @returns {Seat} */
export function seatAnew() {
  return { floor: null, spoke: null, active: null, sinceMs: null, lost: null, had: null, signal: null, texts: [], later: 0 };
}

/** @param {Participant} person */
export function interprets(person) {
  return person.role === 'interpreter';
}

/** Whether a person is there to be heard. @param {Participant} person */
export function isHere(person) {
  return person.present && !person.away && !person.out;
}

/** @param {Snapshot | null} snapshot @returns {Participant[]} interpreters who are there */
export function interpretersHere(snapshot) {
  return (snapshot?.participants ?? []).filter((person) => interprets(person) && isHere(person));
}

/** @param {Snapshot | null} snapshot @param {string | null} id */
function kindOf(snapshot, id) {
  const person = snapshot?.participants.find((one) => one.id === id);
  return person ? (interprets(person) ? 'interpreter' : 'speaker') : null;
}

/**
 * @param {Seat} seat
 * @param {Snapshot} snapshot
 * @param {number} now
 * @returns {Seat}
 */
export function followed(seat, snapshot, now) {
  const said = snapshot.interpretation;
  const here = interpretersHere(snapshot);
  const active = said?.active ?? null;
  const had = here.find((person) => person.id === active)?.id ?? here[0]?.id ?? seat.had;
  const same = active !== null && active === seat.active;
  return {
    ...turned(seat, snapshot, said?.floor ?? null), active, had, later: same ? seat.later : 0,
    sinceMs: active === null ? null : same ? seat.sinceMs : now,
    lost: here.length > 0 ? null : seat.had,
  };
}

/**
 * @param {Seat} seat
 * @param {Snapshot | null} snapshot
 * @param {string | null} floor who has it from now on
 * @returns {Seat}
 */
export function turned(seat, snapshot, floor) {
  return { ...seat, floor, spoke: kindOf(snapshot, floor) ?? seat.spoke };
}

/** @param {Seat} seat @param {Signalled} signal @param {number} now @returns {Seat} */
export function signalled(seat, signal, now) {
  return { ...seat, signal: { ...signal, heardMs: now } };
}

/** @param {Seat} seat @param {number} now */
export function signalShown(seat, now) {
  return seat.signal && now - seat.signal.heardMs < SIGNAL_SHOWN_MS ? seat.signal : null;
}

/** @param {Seat} seat @param {PartnerSaid} said @returns {Seat} */
export function said(seat, said) {
  return { ...seat, texts: [...seat.texts, said].slice(-TEXTS_KEPT) };
}

/**
 * The turn light. `next`: whose turn it is while nobody speaks (only where it goes by turns).
 * @param {Seat} seat
 * @param {Snapshot | null} snapshot
 * @returns {{kind: Kind | null, holder: string | null, next: Kind | null, byHand: boolean}}
 */
export function turnLight(seat, snapshot) {
  const kind = kindOf(snapshot, seat.floor);
  const byTurns = snapshot?.interpretation?.mode === 'consecutive' && interpretersHere(snapshot).length > 0;
  const next = kind || !byTurns || !seat.spoke ? null : seat.spoke === 'speaker' ? 'interpreter' : 'speaker';
  return { kind, holder: kind && seat.floor, next, byHand: snapshot?.interpretation?.floor_by === 'hand' };
}

/**
 * How often it is time to think of a change of interpreters; 0 = not yet, or put aside.
 * @param {Seat} seat
 * @param {number} now
 */
export function reminderDue(seat, now) {
  if (seat.sinceMs === null) return 0;
  const due = Math.floor((now - seat.sinceMs) / REMIND_EVERY_MS);
  return due > seat.later ? due : 0;
}

/** @param {Seat} seat @param {number} now @returns {Seat} */
export function putAside(seat, now) {
  return { ...seat, later: reminderDue(seat, now) || seat.later };
}

/**
 * What the hand-over key does now: one key, whatever the moment asks for.
 * @param {Snapshot | null} snapshot
 * @returns {'request' | 'accept' | 'cancel' | null} null = there is nobody to change with
 */
export function handoverStep(snapshot) {
  const own = snapshot?.you.participant;
  const asked = snapshot?.interpretation?.handover;
  if (asked) return asked.by === own ? 'cancel' : 'accept';
  const active = snapshot?.interpretation?.active; // one who has dropped need not be asked: it is theirs at once
  return partners(snapshot).some((person) => isHere(person) || person.id === active) ? 'request' : null;
}

/** @param {Snapshot | null} snapshot @returns {Participant[]} one's fellow interpreters, as the server counts them: also one away for a moment, none who is out */
export function partners(snapshot) {
  const own = snapshot?.you.participant;
  return (snapshot?.participants ?? []).filter((person) => interprets(person) && person.id !== own && person.present && !person.out);
}

/**
 * @param {Participant | null} person an interpreter
 * @returns {import('../types/wire.js').Direction | null} as chosen, else from their first language into their second
 */
export function directionOf(person) {
  if (person?.direction) return person.direction;
  const [source, target] = person?.speaks ?? [];
  return source && target ? { source, target } : null;
}

/**
 * @param {Participant | null} person
 * @returns {import('../types/wire.js').Direction[]} every direction between their languages
 */
export function directionsOf(person) {
  const speaks = person?.speaks ?? [];
  return speaks.flatMap((source) => speaks.filter((target) => target !== source).map((target) => ({ source, target })));
}

/**
 * Whom one can render from: the floor (null), then each one else in turn.
 * @param {Snapshot | null} snapshot
 * @returns {string | null} the next after what is chosen now
 */
export function nextSource(snapshot) {
  const own = snapshot?.you.participant;
  const all = [null, ...(snapshot?.participants ?? []).filter((person) => isHere(person) && person.id !== own).map((person) => person.id)];
  return all[(all.indexOf(snapshot?.you.listening ?? null) + 1) % all.length] ?? null;
}
