/**
 * Professionals first: a seat that nobody has taken yet can be told to wait, and whoever takes it waits until they are let in.
 * A part of the room page; the server cuts sound and picture, this only asks and says.
 */
import { html, nothing } from '/static/vendor/lit.js';
import { t } from '../i18n.js';
import { awaited, may, present } from '../room/reducer.js';
import { icon } from '../elements/icons.js';
import { ask } from './ask.js';

const PHYSICIANS = new Set(['referring_physician', 'consulting_physician']);

/**
 * @param {import('./beside.js').Beside} beside
 * @returns {import('./parts.js').Part}
 */
export function prebriefPart(beside) {
  return {
    actions: {
      hold: ({ participant, out }) => beside.send('step', { participant, out }),
    },
    strip: (state) => {
      if (!may(state, 'step_out')) return nothing;
      const own = state.snapshot?.you.participant;
      const held = [...present(state), ...awaited(state)].filter((person) => person.out && person.id !== own);
      return held.map((person) => html`<div class="banner banner-plain" role="status" data-testid="held" data-participant=${person.id} ?data-here=${person.present}>${icon('door')}
        <strong>${t(person.present ? 'prebrief-waits' : 'prebrief-will-wait', { name: person.name })}</strong>
        <button type="button" class="secondary" data-testid="let-in" @click=${ask('hold', { participant: person.id, out: false })}>${t(person.present ? 'prebrief-let-in' : 'prebrief-undo')}</button></div>`);
    },
  };
}

/**
 * What stands beside the name of a seat that nobody has taken yet.
 * @param {import('../room/reducer.js').State} state
 * @param {import('../types/wire.js').Participant} person
 */
export function holdButton(state, person) {
  if (!may(state, 'step_out') || person.out || PHYSICIANS.has(person.role)) return nothing;
  return html`<button type="button" class="link" data-testid="hold" data-participant=${person.id} @click=${ask('hold', { participant: person.id, out: true })}>${t('prebrief-hold')}</button>`;
}
