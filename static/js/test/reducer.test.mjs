import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alarm, awaited, connectionWords, initial, light, may, me, present, reduce } from '../room/reducer.js';

const SEATS = ['lp', 'kp', 'in'];

function snapshot(version, present_ = SEATS, change = {}) {
  return {
    version, room: 'r', state: 'live', you: { participant: 'kp', abilities: ['join', 'end', 'admit'], connection: null },
    chair: 'kp', session: 's', started_at_ms: 0, knocks: [],
    participants: SEATS.map((id) => ({
      id, role: 'interpreter', name: `Person ${id}`, site: 'X', time_zone: 'Asia/Seoul', language: 'ko', verified: true,
      present: present_.includes(id), away: false, mic: true, camera: true, consent: 'granted', quality: null,
    })),
    ...change,
  };
}

const run = (...events) => events.reduce(reduce, initial());
const JOINED = [{ type: 'joining' }, { type: 'snapshot', snapshot: snapshot(1), fresh: true }];

test('one first click decides, a second joins', () => {
  const seat = { consent: null };
  const state = run({ type: 'door', seat }, { type: 'busy' }, { type: 'decided', decision: 'granted' });
  assert.equal(state.decision, 'granted');
  assert.equal(state.busy, false);
  assert.equal(reduce(state, { type: 'joining' }).phase, 'room');
});

test('who waits is shown what is asked now, and told that it changed until they answer again', () => {
  const asked = { purposes: ['recording'], recipients: ['A'], accompanied: false };
  const seat = { seat: { name: 'Own' }, consent: { decision: 'granted', persons: [] }, asked, missing: [] };
  const door = run({ type: 'door', seat });
  assert.equal(reduce(door, { type: 'asked', seat: { ...seat, now_ms: 9 } }), door, 'nothing changed');
  const more = { ...seat, asked: { ...asked, recipients: ['A', 'B'] }, missing: ['transfer_abroad'] };
  const anew = reduce(door, { type: 'asked', seat: more });
  assert.deepEqual([anew.anew, anew.missing, anew.seat.asked.recipients], [true, ['transfer_abroad'], ['A', 'B']]);
  const given = reduce(anew, { type: 'asked', seat: { ...more, missing: [] } });
  assert.deepEqual([given.anew, given.missing], [true, []], 'given elsewhere meanwhile');
  assert.equal(reduce(given, { type: 'decided', decision: 'granted', missing: [] }).anew, false);
});

test('a used link leads to the knock form and a refusal back to it', () => {
  const knocking = run({ type: 'door', seat: null }, { type: 'used' }, { type: 'knocking' });
  assert.equal(knocking.phase, 'knocking');
  const refused = reduce(knocking, { type: 'knock_refused' });
  assert.deepEqual([refused.phase, refused.knock], ['used', 'refused']);
});

test('a late delivery of an older snapshot changes nothing', () => {
  const state = run(...JOINED, { type: 'snapshot', snapshot: snapshot(5) });
  assert.equal(reduce(state, { type: 'snapshot', snapshot: snapshot(4, ['kp']) }), state);
});

test('a join’s own snapshot holds even when the server counts anew after a restart', () => {
  const state = run(...JOINED, { type: 'snapshot', snapshot: snapshot(9) }, { type: 'lost' });
  const back = reduce(state, { type: 'snapshot', snapshot: snapshot(1, ['kp', 'lp']), fresh: true });
  assert.equal(back.snapshot.version, 1);
  assert.equal(back.link, 'online');
});

test('everybody present has one place, oneself the last, and nobody is a ghost', () => {
  const state = run(...JOINED, { type: 'snapshot', snapshot: snapshot(2, ['kp', 'in']) });
  assert.deepEqual(present(state).map((person) => person.id), ['in', 'kp']);
  assert.deepEqual(awaited(state).map((person) => person.id), ['lp']);
  assert.equal(me(state).id, 'kp');
});

test('who joins, leaves, falls out and knocks is said once, and oneself never', () => {
  const away = snapshot(4);
  away.participants[0].away = true;
  const knocked = snapshot(5, SEATS, { knocks: [{ id: 'k', seat: 'in', name: 'Other', since_ms: 0 }] });
  const state = run(
    { type: 'joining' }, { type: 'snapshot', snapshot: snapshot(1, ['kp']), fresh: true },
    { type: 'snapshot', snapshot: snapshot(2, ['kp', 'lp']) }, { type: 'snapshot', snapshot: snapshot(3) },
    { type: 'snapshot', snapshot: away }, { type: 'snapshot', snapshot: knocked }, { type: 'snapshot', snapshot: { ...knocked, version: 6 } },
  );
  assert.deepEqual(state.notices.map((one) => one.message), ['notice-joined', 'notice-away', 'notice-back', 'notice-knock']);
});

test('the light says what the store said', () => {
  const state = run(...JOINED, { type: 'recording', recording: { state: 'recording', stored_until_ms: 900, degraded: [] }, now: 1000 });
  assert.deepEqual(light(state, 2000), { state: 'recording', stored_until_ms: 900, stale: false, degraded: [], waits_for: null });
  assert.equal(alarm(state, 2000), null);
});

test('the page doubts the light itself when the last word is older than five seconds', () => {
  const state = run(...JOINED, { type: 'recording', recording: { state: 'recording', stored_until_ms: 900, degraded: [] }, now: 1000 });
  assert.equal(light(state, 6000).state, 'recording');
  const late = light(state, 6001);
  assert.deepEqual([late.state, late.stale, late.stored_until_ms], ['degraded', true, 900]);
  assert.equal(alarm(state, 6001), 'recording');
});

test('without any word from the store the light waits and never says recording', () => {
  assert.equal(light(run(...JOINED), 99_000).state, 'waiting');
});

test('a sealed recording stays sealed however long ago that was said', () => {
  const state = run(...JOINED, { type: 'recording', recording: { state: 'sealed', stored_until_ms: 900, degraded: [] }, now: 0 });
  assert.equal(light(state, 1e9).state, 'sealed');
});

test('only the chair may end, whatever the abilities say', () => {
  const state = run(...JOINED);
  assert.equal(may(state, 'end'), true);
  const other = reduce(state, { type: 'snapshot', snapshot: snapshot(2, SEATS, { chair: 'lp' }) });
  assert.equal(may(other, 'end'), false);
  assert.equal(may(other, 'admit'), true);
  assert.equal(may(other, 'pause'), false);
});

test('the connection is told in words, the worst first', () => {
  let state = run({ type: 'joining' });
  assert.equal(connectionWords(state, 0).message, 'connection-connecting');
  state = reduce(state, { type: 'snapshot', snapshot: snapshot(1), fresh: true });
  assert.equal(connectionWords(state, 0).message, 'connection-media-connecting');
  state = reduce(state, { type: 'media', state: 'connected', now: 0 });
  assert.equal(connectionWords(state, 10).message, 'connection-good');
  assert.equal(connectionWords(reduce(state, { type: 'quality', level: 'poor' }), 10).message, 'connection-poor');
  const thin = snapshot(2);
  thin.participants[0].line = { mode: 'survival', down_bps: 60_000, paused: [] };
  const poor = reduce(reduce(state, { type: 'quality', level: 'poor' }), { type: 'snapshot', snapshot: thin });
  assert.equal(connectionWords(poor, 10).message, 'connection-survival');
  const fallen = reduce(state, { type: 'media', state: 'disconnected', now: 100 });
  assert.equal(connectionWords(fallen, 200).message, 'connection-good');
  assert.equal(connectionWords(fallen, 5000).message, 'connection-media-returning');
  assert.equal(connectionWords(reduce(fallen, { type: 'lost' }), 5000).message, 'connection-lost');
});

test('after the end nothing brings the room back but the door', () => {
  const over = run(...JOINED, { type: 'over', code: 'ended' });
  assert.equal(reduce(over, { type: 'snapshot', snapshot: snapshot(9) }), over);
  assert.equal(reduce(over, { type: 'joining' }), over);
  assert.equal(reduce(over, { type: 'door', seat: null }).phase, 'door');
});

test('a server that has fallen silent is a lost connection even while the socket believes in it', () => {
  const said = { type: 'recording', recording: { state: 'off', stored_until_ms: null, degraded: [] }, now: 0 };
  const state = run(...JOINED, { type: 'media', state: 'connected', now: 0 }, said);
  assert.equal(connectionWords(state, 8000).message, 'connection-good');
  assert.equal(connectionWords(state, 8001).message, 'connection-lost');
});

test('after a return the light waits for a new word instead of showing the old one', () => {
  const said = { type: 'recording', recording: { state: 'recording', stored_until_ms: 5, degraded: [] }, now: 0 };
  const state = run(...JOINED, said, { type: 'lost' }, { type: 'online' });
  assert.equal(light(state, 100).state, 'waiting');
  assert.equal(light(run(...JOINED, said, { type: 'online' }), 100).state, 'recording');
});

test('a full server keeps the page waiting with the time of the next try, and a place ends it', () => {
  const full = run({ type: 'joining' }, { type: 'full', at: 20_000 });
  assert.deepEqual([full.phase, full.full], ['room', 20_000]);
  assert.equal(connectionWords(full, 9000).message, 'connection-full');
  const joined = run({ type: 'joining' }, { type: 'full', at: 20_000 }, { type: 'online' }, JOINED[1]);
  assert.equal(joined.full, null);
  assert.notEqual(connectionWords(joined, 9000).message, 'connection-full');
});
