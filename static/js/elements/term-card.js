/** <hj-term-card>: a term that somebody shows to everybody: large in the reader's language, the others' words beside it. */
import { html, nothing } from '/static/vendor/lit.js';
import { language, t } from '../i18n.js';
import { forReader } from '../room/glossary.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

class TermCardView extends LightElement {
  static properties = { shown: { attribute: false }, people: { attribute: false }, own: { attribute: false } };

  constructor() {
    super();
    /** @type {import('../room/term-card.js').ShownTerm | null} */
    this.shown = null;
    /** @type {import('../types/wire.js').Participant[]} */
    this.people = [];
    /** @type {string | null} the reader's seat */
    this.own = null;
  }

  render() {
    // The region is there before its words: only then are they read out.
    return html`<div class="term-region" role="status" aria-live="polite">${this.shown ? this.card(this.shown) : nothing}</div>`;
  }

  /** @param {import('../room/term-card.js').ShownTerm} shown */
  card(shown) {
    const { main, beside } = forReader(shown.texts, readersLanguages(this.people, this.own), spokenBy(this.people));
    const by = this.people.find((person) => person.id === shown.by);
    return html`<section class="term-card" data-testid="term-card" data-term=${shown.term} data-language=${main[0]}
        @pointerenter=${() => this.ask('term-hold', { on: true })} @pointerleave=${() => this.ask('term-hold', { on: false })}
        @focusin=${() => this.ask('term-hold', { on: true })} @focusout=${() => this.ask('term-hold', { on: false })}
        @keydown=${(/** @type {KeyboardEvent} */ event) => event.key === 'Escape' && this.ask('term-dismiss')}>
      <div><p class="term-own" lang=${main[0]} dir="auto" data-testid="term-own">${main[1]}</p>
        ${beside.map(([code, text]) => html`<p class="term-other"><span class="hint">${t(`term-language-${code}`)}</span>
          <span lang=${code} dir="auto" data-testid="term-other" data-language=${code}>${text}</span></p>`)}
        <p class="hint">${by ? t('term-shown-by', { name: by.name }) : nothing} ${shown.confirmed ? html`<span class="term-sure">${icon('check')}${t('term-sure')}</span>` : nothing}</p></div>
      <button type="button" class="round quiet" data-testid="term-dismiss" aria-label=${t('term-dismiss')} title=${t('term-dismiss')}
        @click=${() => this.ask('term-dismiss')}>${icon('minus')}</button></section>`;
  }
}
customElements.define('hj-term-card', TermCardView);

/**
 * What the reader reads: the languages of their seat, then the one of the page.
 * @param {import('../types/wire.js').Participant[]} people
 * @param {string | null} own
 */
export function readersLanguages(people, own) {
  const seat = people.find((person) => person.id === own)?.language ?? '';
  return [...seat.split('/').filter(Boolean), language()];
}

/** Languages of everybody with a seat, here or not. @param {import('../types/wire.js').Participant[]} people */
export function spokenBy(people) {
  return [...new Set(people.flatMap((person) => person.language.split('/').filter(Boolean)))];
}
