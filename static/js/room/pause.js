/**
 * The pause of the recording, as a page shows it. Pure; times are Unix ms.
 * What is wanted comes from the snapshot, what is true from the light: between the two it is said that they differ.
 *
 * @typedef {import('./reducer.js').State} State
 */
import { light } from './reducer.js';

/** Long enough for an examination, short enough that nobody forgets. */
export const REMIND_EVERY_MS = 5 * 60_000;

/**
 * @typedef {{
 *   phase: 'pausing' | 'paused' | 'resuming', by: string | null, reason: string | null, since_ms: number | null,
 *   minutes: number, reminders: number,
 * }} PauseShown
 */

/**
 * @param {State} state
 * @param {number} now
 * @returns {PauseShown | null} null = nobody wants a pause and there is none
 */
export function pauseShown(state, now) {
  const wanted = state.snapshot?.pause ?? null;
  const paused = light(state, now).state === 'paused';
  if (!wanted) return paused ? { phase: 'resuming', by: null, reason: null, since_ms: null, minutes: 0, reminders: 0 } : null;
  const passed = Math.max(0, now - wanted.since_ms);
  return {
    phase: paused ? 'paused' : 'pausing', by: wanted.by, reason: wanted.reason, since_ms: wanted.since_ms,
    minutes: Math.floor(passed / 60_000), reminders: Math.floor(passed / REMIND_EVERY_MS),
  };
}
