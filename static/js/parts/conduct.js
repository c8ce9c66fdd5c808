/** The interpreter's opening as a part of the room page: a strip while something is open, and a panel to do it in. */
import { html, nothing } from '/static/vendor/lit.js';
import { get } from '../api.js';
import { language, t } from '../i18n.js';
import { hourMinute } from '../time.js';
import { justOpened, open } from '../room/conduct.js';
import { may, me } from '../room/reducer.js';
import { icon } from '../elements/icons.js';
import '../elements/conduct.js';
import { ask } from './ask.js';

/**
 * @param {import('./beside.js').Beside} beside
 * @returns {import('./parts.js').Part}
 */
export function conductPart(beside) {
  /** @type {import('../types/asides.js').ConductStep[]} */
  let steps = [];
  /** @type {Set<string>} whose voice has reached this page */
  const heard = new Set();
  /** @type {string | null} */
  let problem = null;
  const left = (/** @type {import('../room/reducer.js').State} */ state) => open(steps, state.snapshot?.session ?? null, state.snapshot?.you.participant ?? null);
  return {
    actions: {
      conduct: async (message) => {
        const ack = await beside.send('conduct', message);
        problem = ack?.ok ? null : (ack?.code ?? 'timeout');
        beside.changed();
      },
    },
    heard: {
      conduct: (told) => {
        steps = told.steps;
        beside.changed();
      },
      joined: () => void get(`/api/seats/${encodeURIComponent(beside.seat)}/conduct`).then((found) => {
        steps = found.steps;
        beside.changed();
      }, () => undefined),
    },
    strip: (state) => {
      if (!may(state, 'conduct')) return others(state);
      for (const one of beside.speaking()) heard.add(one);
      const todo = state.snapshot?.session ? left(state).length : 0;
      return todo === 0 ? nothing : html`<section class="banner banner-plain conduct-strip" data-testid="conduct-strip" data-open=${todo}>${icon('check')}
        <strong>${t('conduct-open', { count: todo })}</strong>
        <button type="button" class="secondary" data-testid="conduct-begin" @click=${ask('panel', { name: 'conduct' })}>${t('conduct-begin')}</button>
        <button type="button" class="quiet" data-testid="conduct-emergency" @click=${ask('conduct', { steps: left(state), outcome: 'skipped', reason: 'emergency' })}>${t('conduct-emergency')}</button>
      </section>`;
    },
    panel: {
      name: 'conduct', icon: 'check', label: () => t('conduct-title'), may: (state) => may(state, 'conduct'),
      badge: (state) => (state.snapshot?.session ? left(state).length : 0),
      view: (state) => html`<hj-conduct .steps=${steps} .left=${left(state)} .me=${me(state)} .people=${state.snapshot?.participants ?? []}
        .heard=${new Set(heard)} .problem=${problem} .begun=${Boolean(state.snapshot?.session)}></hj-conduct>`,
    },
  };

  /** @param {import('../room/reducer.js').State} state */
  function others(state) {
    const told = justOpened(steps, state, Date.now());
    if (!told) return nothing;
    const words = { name: told.name, time: hourMinute(told.at_ms, language(), me(state)?.time_zone) };
    return html`<div class="banner banner-plain" role="status" data-testid="conduct-told">${icon('check')}<strong>${told.skipped ? t('conduct-told-short', words) : t('conduct-told', words)}</strong></div>`;
  }
}
