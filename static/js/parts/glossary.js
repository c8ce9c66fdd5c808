/** The glossary as a part of the room page: its tool and panel (loaded when first opened), and the card everybody is shown. */
import { html } from '/static/vendor/lit.js';
import { t } from '../i18n.js';
import { Glossary } from '../room/glossary.js';
import { may, me } from '../room/reducer.js';
import { TermCard } from '../room/term-card.js';
import '../elements/term-card.js';

/**
 * @param {import('./beside.js').Beside} beside
 * @returns {import('./parts.js').Part}
 */
export function glossaryPart(beside) {
  const book = new Glossary(`/api/seats/${encodeURIComponent(beside.seat)}/glossary`);
  const card = new TermCard(beside.changed);
  const own = () => beside.state().snapshot?.you.participant ?? null;
  document.addEventListener('keydown', (event) => {
    const state = beside.state();
    if (event.code !== 'KeyG' || !event.altKey || event.ctrlKey || event.metaKey || state.phase !== 'room' || !may(state, 'term')) return;
    event.preventDefault();
    focusSearch();
  });
  return {
    actions: {
      'term-show': async ({ id }) => book.acked(id, await beside.send('term', { term: id })),
      'term-dismiss': () => card.dismiss(),
      'term-hold': ({ on }) => card.hold(on),
    },
    heard: {
      term: (shown) => {
        card.show(shown);
        book.heard(shown.term);
      },
    },
    closed: () => card.dismiss(),
    strip: (state) => html`<hj-term-card .shown=${card.shown} .people=${state.snapshot?.participants ?? []} .own=${own()}></hj-term-card>`,
    panel: {
      name: 'glossary', icon: 'book', label: () => t('glossary-title'), may: (state) => may(state, 'term'),
      view: (state) => {
        void import('../elements/glossary.js');
        return html`<hj-glossary .book=${book} .me=${me(state)} .people=${state.snapshot?.participants ?? []}></hj-glossary>`;
      },
    },
  };
}

/** The search box takes the keyboard; the panel is opened for it where it is not. */
function focusSearch() {
  const box = /** @type {HTMLElement | null} */ (document.querySelector('[data-testid="term-search"]'));
  if (box) box.focus();
  else document.querySelector('hj-stage')?.dispatchEvent(new CustomEvent('ask', { detail: { type: 'panel', name: 'glossary' } }));
}
