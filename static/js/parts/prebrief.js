/**
 * Professionals first: who waits outside, and the one button that lets them in; a seat that nobody has taken yet can be told to
 * wait too. A part of the room page; the server cuts sound and picture, this only asks and says.
 */
import { html, nothing } from '/static/vendor/lit.js';
import { t } from '../i18n.js';
import { held } from '../room/prebrief.js';
import { may } from '../room/reducer.js';
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
      hold: async ({ participant, out }) => {
        const ack = await beside.send('step', { participant, out });
        if (!ack.ok) beside.say(ack.code ?? 'unexpected');
      },
    },
    strip: (state) => {
      const mine = may(state, 'step_out');
      return held(state).map((person) => html`<div class="banner banner-plain" role="status" data-testid="held" data-participant=${person.id} ?data-here=${person.present}>${icon('door')}
        <strong>${t(words(person, mine), { name: person.name })}</strong>
        ${mine ? html`<button type="button" class="secondary" data-testid="let-in" @click=${ask('hold', { participant: person.id, out: false })}>${t(person.present ? 'prebrief-let-in' : 'prebrief-undo')}</button>` : nothing}</div>`);
    },
  };
}

/** @param {import('../types/wire.js').Participant} person @param {boolean} mine whether the reader may let them in */
function words(person, mine) {
  if (!person.present) return 'prebrief-will-wait';
  return mine ? 'prebrief-waits' : 'prebrief-waits-told';
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
