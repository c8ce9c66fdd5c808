/** <hj-glossary-history>: what became of one term (`term`), or of all of a case, whose hand it was and what it said before. */
import { html, nothing } from '/static/vendor/lit.js';
import { language, t, tError, tValue } from '../i18n.js';
import { fullDate, hourMinute } from '../time.js';
import { codeOf } from '../api.js';
import { differences, forReader, TERM_LANGUAGES } from '../room/glossary.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

/** @typedef {import('../room/glossary.js').TermState} TermState */

class GlossaryHistory extends LightElement {
  static properties = { book: { attribute: false }, term: { attribute: false }, version: { attribute: false }, zone: { attribute: false }, states: { state: true }, problem: { state: true } };

  constructor() {
    super();
    /** @type {import('../room/glossary.js').Glossary | null} */
    this.book = null;
    /** @type {string | null} null: of every term, also of those that are deleted */
    this.term = null;
    /** Another one: something has changed, so it is fetched again. */
    this.version = 0;
    /** @type {string | undefined} */
    this.zone = undefined;
    /** @type {TermState[] | null} */
    this.states = null;
    /** @type {string | null} */
    this.problem = null;
  }

  /** @param {Map<PropertyKey, unknown>} changed */
  willUpdate(changed) {
    if (changed.has('book') || changed.has('term') || changed.has('version')) void this.fetch();
  }

  async fetch() {
    try {
      this.states = (await this.book?.history(this.term)) ?? null;
      this.problem = null;
    } catch (error) {
      this.problem = codeOf(error);
    }
  }

  render() {
    if (this.problem) {
      return html`<p class="notice notice-alarm" role="alert">${icon('warning')}<span>${tError(this.problem)}</span>
        <button type="button" class="link" @click=${() => void this.fetch()}>${t('glossary-again')}</button></p>`;
    }
    if (!this.states) return html`<p class="hint" role="status">${t('loading')}</p>`;
    if (this.states.length === 0) return html`<p class="hint">${t('glossary-history-none')}</p>`;
    return html`<ol class="term-history" data-testid="term-history">${this.states.map((state) => this.line(state))}</ol>`;
  }

  /** @param {TermState} state */
  line(state) {
    const when = `${fullDate(state.at_ms, language(), this.zone)}, ${hourMinute(state.at_ms, language(), this.zone)}`;
    const { main } = forReader(state.texts, [language()], []);
    const changes = differences(state);
    return html`<li data-testid="term-state" data-what=${state.what}>
      <p><strong>${tValue('term-what', state.what)}</strong>${this.term === null ? html`: <strong lang=${main[0]} dir="auto">${main[1]}</strong>` : nothing}
        <span class="hint figures">${state.by ? `${state.by} · ${when}` : when}</span></p>
      ${changes.length ? html`<dl>${changes.map((one) => html`<div><dt class="hint">${one.what === 'note' ? t('term-note-short') : t(`term-language-${one.what}`)}</dt>
        <dd dir="auto" lang=${TERM_LANGUAGES.includes(one.what) ? one.what : language()}>${one.from ? html`<del>${one.from}</del> ` : nothing}${one.to ? html`<ins>${one.to}</ins>` : nothing}</dd></div>`)}</dl>` : nothing}</li>`;
  }
}
customElements.define('hj-glossary-history', GlossaryHistory);
