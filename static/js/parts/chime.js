/** The chime as a part of the room page: it rings when somebody knocks or arrives, and the tab's title says so. */
import { t } from '../i18n.js';
import { chimeOn, isHeard, play, ringFor, setChime } from '../room/chime.js';
import { asksIn } from '../room/prebrief.js';
import { may } from '../room/reducer.js';

/** So long a hidden tab says that somebody has come, or that one is let in. */
const TITLE_MS = 30_000;

/**
 * @param {import('./beside.js').Beside} beside
 * @param {import('../room/devices.js').Devices} devices
 * @returns {import('./parts.js').Part}
 */
export function chimePart(beside, devices) {
  let rungAt = -Infinity;
  let called = false;
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) rungAt = -Infinity;
    beside.changed();
  });
  return {
    actions: {
      chime: ({ on }) => {
        setChime(on);
        if (on) void play('arrived', devices.choice.speaker);
      },
    },
    changed: (state, before) => {
      const ring = ringFor(before, state);
      if (!ring) return;
      if (ring !== 'knock' && document.hidden) {
        rungAt = Date.now();
        called = ring === 'called';
      }
      if (isHeard({ on: chimeOn(), talking: beside.speaking().size > 0, hidden: document.hidden })) void play(ring, devices.choice.speaker);
    },
    // Nobody's name: titles stay in histories and on shared screens.
    title: (state) => {
      if (state.phase === 'room' && ((may(state, 'admit') && state.snapshot?.knocks?.length) || asksIn(state))) return t('chime-title-knock');
      return Date.now() - rungAt < TITLE_MS ? t(called ? 'chime-title-called' : 'chime-title-arrived') : null;
    },
  };
}
