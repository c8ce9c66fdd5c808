/**
 * <hj-glossary>: the case's terms, searched as one types; a tap shows one to everybody. Terms are added and corrected here
 * while people talk. It shows a Glossary (room/glossary.js) and asks; give it `book`, `me` and `people`. With place="page" it
 * stands outside the room: a tap opens a term with its history, every language is at hand; give it `book` and `reader`.
 */
import { html, nothing, repeat } from '/static/vendor/lit.js';
import { language, t, tError } from '../i18n.js';
import { forReader, languageOf, MAX_NOTE, MAX_TEXT, TERM_LANGUAGES } from '../room/glossary.js';
import { icon } from './icons.js';
import { readersLanguages, spokenBy } from './term-card.js';
import { LightElement } from './base.js';

/** @typedef {import('../room/glossary.js').Term} Term */
/** @typedef {{term: Term | null, texts: Record<string, string>, note: string}} Draft what is being written; `term` null = a new one */

class GlossaryPanel extends LightElement {
  static properties = {
    book: { attribute: false }, me: { attribute: false }, people: { attribute: false }, place: { type: String }, reader: { attribute: false },
    draft: { state: true }, deleting: { state: true }, files: { state: true }, opened: { state: true }, changes: { state: true },
  };

  constructor() {
    super();
    /** @type {import('../room/glossary.js').Glossary | null} */
    this.book = null;
    /** @type {import('../types/wire.js').Participant | null} */
    this.me = null;
    /** @type {import('../types/wire.js').Participant[]} */
    this.people = [];
    this.place = 'room';
    /** @type {import('../types/wire.js').Account | null} whoever reads the page */
    this.reader = null;
    /** @type {string | null} the term whose history is shown */
    this.opened = null;
    /** Whether the history of the whole is shown. */
    this.changes = false;
    /** @type {Draft | null} */
    this.draft = null;
    this.deleting = false;
    this.files = false;
    this.redraw = () => this.requestUpdate();
  }

  connectedCallback() {
    super.connectedCallback();
    this.follow(this.book);
  }

  disconnectedCallback() {
    this.book?.removeEventListener('change', this.redraw);
    super.disconnectedCallback();
  }

  /** This module may come after its element, which then has its book only with its first update. @param {Map<PropertyKey, unknown>} changed */
  willUpdate(changed) {
    if (changed.has('book')) this.follow(this.book);
  }

  /** @param {import('../room/glossary.js').Glossary | null} book */
  follow(book) {
    if (!this.isConnected) return;
    book?.addEventListener('change', this.redraw);
    void book?.look();
  }

  firstUpdated() {
    if (!this.apart) this.box()?.focus();
  }

  /** Outside the room, where nobody is there to be shown a term. */
  get apart() {
    return this.place === 'page';
  }

  get mayWrite() {
    return !this.apart || (this.book?.may.includes('write') ?? false);
  }

  /** Only a verified physician confirms; the others are not shown what they may not do. */
  get mayConfirm() {
    if (this.apart) return this.book?.may.includes('confirm') ?? false;
    return this.me !== null && this.me.verified && this.me.role !== 'interpreter';
  }

  /** The reader's languages, the first one first. */
  get own() {
    return this.apart ? [language(), this.reader?.language ?? ''] : readersLanguages(this.people, this.me?.id ?? null);
  }

  /** Languages that stand beside the reader's: those spoken in the room, or all. */
  get others() {
    return this.apart ? [...TERM_LANGUAGES] : spokenBy(this.people);
  }

  /** The next word takes the last one's place. */
  typeAnew() {
    void this.book?.look();
    this.box()?.select();
  }

  box() {
    return /** @type {HTMLInputElement | null} */ (this.querySelector('[data-testid="term-search"]'));
  }

  render() {
    const book = this.book;
    if (!book) return nothing;
    return html`<div class="glossary" data-testid="glossary" data-total=${book.total} @keydown=${(/** @type {KeyboardEvent} */ event) => this.key(event)}>
      ${this.apart ? nothing : html`<h2>${t('glossary-title')}</h2>`}
      <label><span class="visually-hidden">${t('glossary-search')}</span>
        <input type="text" data-testid="term-search" role="searchbox" placeholder=${t('glossary-search')} aria-keyshortcuts="Alt+G" aria-describedby="glossary-keys"
          autocomplete="off" spellcheck="false" maxlength="100" .value=${book.query} @focus=${() => this.typeAnew()}
          @input=${(/** @type {Event} */ event) => book.search(/** @type {HTMLInputElement} */ (event.target).value)}></label>
      <p id="glossary-keys" class="hint">${t(this.apart ? 'glossary-page-keys' : 'glossary-keys')}</p>
      ${book.loaded && !book.failed && !this.mayWrite ? html`<p class="hint" data-testid="glossary-read-only">${t('glossary-read-only')}</p>` : nothing}
      ${book.problem ? html`<p class="notice notice-alarm" role="alert" data-testid="glossary-problem" data-code=${book.problem.code}>${icon('warning')}<span>${problemWords(book.problem)}</span>
        ${book.failed ? html`<button type="button" class="link" data-testid="glossary-again" @click=${() => void book.load()}>${t('glossary-again')}</button>` : nothing}</p>` : nothing}
      <p class="visually-hidden" aria-live="polite" data-testid="term-count">${book.query ? t('glossary-found', { count: book.found }) : ''}</p>
      ${this.draft ? this.form(this.draft) : this.list(book)}
    </div>`;
  }

  /** @param {import('../room/glossary.js').Glossary} book */
  list(book) {
    if (!book.loaded) return html`<p class="hint" role="status" data-testid="glossary-loading">${t('loading')}</p>`;
    if (book.failed && book.terms.length === 0) return nothing;
    // Beside faces the terms come first; where there is the whole page, they may be many.
    return html`${this.apart ? this.tools() : nothing}${book.shown.length === 0 ? this.none(book) : html`<ul class="terms" data-testid="term-list" aria-label=${t('glossary-title')}>
        ${repeat(book.shown, (term) => term.id, (term) => this.row(term))}</ul>`}
      ${book.found > book.shown.length ? html`<p class="hint">${t('glossary-more', { count: book.found - book.shown.length })}</p>` : nothing}
      ${this.apart ? nothing : this.tools()}
      ${this.apart ? html`<div class="row"><button type="button" class="quiet" data-testid="glossary-changes" aria-expanded=${this.changes} @click=${() => { this.changes = !this.changes; }}>${t('glossary-history-all')}</button></div>
        ${this.changes ? this.historyOf(null, book.revision) : nothing}` : nothing}`;
  }

  tools() {
    if (!this.mayWrite) return nothing;
    return html`<div class="row"><button type="button" class="secondary" data-testid="term-new" @click=${() => this.begin()}>${icon('plus')}${t('term-new')}</button>
        <button type="button" class="quiet" data-testid="glossary-files" aria-expanded=${this.files} @click=${() => { this.files = !this.files; }}>${t('glossary-files')}</button></div>
      ${this.files ? this.filePanel() : nothing}`;
  }

  /** @param {string | null} term @param {number} version */
  historyOf(term, version) {
    void import('./glossary-history.js');
    return html`<hj-glossary-history .book=${this.book} .term=${term} .version=${version} .zone=${this.reader?.time_zone}></hj-glossary-history>`;
  }

  filePanel() {
    void import('./glossary-file.js');
    return html`<hj-glossary-file .book=${this.book}></hj-glossary-file>`;
  }

  /** @param {import('../room/glossary.js').Glossary} book */
  none(book) {
    if (!this.mayWrite) return html`<p class="hint" data-testid=${book.query.trim() ? 'glossary-nothing' : 'glossary-empty'}>${t('glossary-none')}</p>`;
    return book.query.trim()
      ? html`<p class="hint" data-testid="glossary-nothing">${t('glossary-nothing', { query: book.query.trim() })}</p>`
      : html`<p class="hint" data-testid="glossary-empty">${t('glossary-empty')}</p>`;
  }

  /** @param {Term} term */
  row(term) {
    const { main, beside } = forReader(term.texts, this.own, this.others);
    const told = this.book?.told === term.id;
    return html`<li class="term" data-testid="term" data-term=${term.id} data-confirmed=${String(term.confirmed !== null)} ?data-told=${told}>
      ${this.apart ? html`<button type="button" class="term-show" data-testid="term-open" aria-expanded=${this.opened === term.id} @click=${() => this.open(term)}>
        <span>${main[0] === language() ? nothing : html`<span class="hint">${t(`term-language-${main[0]}`)}</span> `}<strong lang=${main[0]} dir="auto">${main[1]}</strong></span>
        ${beside.map(([code, text]) => html`<span><span class="hint">${t(`term-language-${code}`)}</span> <span lang=${code} dir="auto">${text}</span></span>`)}</button>`
      : html`<button type="button" class="term-show" data-testid="term-show" title=${t('term-show')} @click=${() => this.ask('term-show', { id: term.id })}>
        <span class="visually-hidden">${t('term-show')}: </span><strong lang=${main[0]} dir="auto">${main[1]}</strong>
        ${beside.map(([code, text]) => html`<span lang=${code} dir="auto">${text}</span>`)}</button>`}
      <div class="term-about">
        ${term.note ? html`<p class="hint" dir="auto">${term.note}</p>` : nothing}
        ${told ? html`<p class="term-sure" role="status" data-testid="term-told">${icon('check')}${t('term-told')}</p>` : nothing}
        ${term.confirmed ? html`<p class="hint term-sure" data-testid="term-confirmed">${icon('check')}${t('term-confirmed', { name: term.confirmed.name })}</p>` : this.confirmation(term)}
        ${this.mayWrite ? html`<button type="button" class="link" data-testid="term-edit" @click=${() => this.begin(term)}>${t('term-edit')}<span class="visually-hidden">: ${main[1]}</span></button>` : nothing}
      </div>${this.opened === term.id ? this.historyOf(term.id, term.version) : nothing}</li>`;
  }

  /** Its history, or no more of it. @param {Term} term */
  open(term) {
    this.opened = this.opened === term.id ? null : term.id;
  }

  /** @param {Term} term */
  confirmation(term) {
    if (!this.mayConfirm) return nothing;
    return html`<button type="button" class="link" data-testid="term-confirm" ?disabled=${this.book?.busy} @click=${() => void this.book?.confirm(term)}>${t('term-confirm')}</button>`;
  }

  /** What was searched in vain is what is to be added. @param {Term | null} [term] */
  begin(term = null) {
    const query = this.book?.query.trim() ?? '';
    const texts = term ? { ...term.texts } : query ? { [languageOf(query, this.apart ? this.own : spokenBy(this.people))]: query } : {};
    this.draft = { term, texts, note: term?.note ?? '' };
    this.deleting = false;
    void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector('.term-form input:placeholder-shown, .term-form input'))?.focus());
  }

  end() {
    this.draft = null;
    void this.updateComplete.then(() => this.box()?.focus());
  }

  /** @param {Draft} draft */
  form(draft) {
    const near = [...new Set([...this.own, ...this.others])].filter((code) => TERM_LANGUAGES.includes(code));
    const far = TERM_LANGUAGES.filter((code) => !near.includes(code));
    return html`<form class="term-form" data-testid="term-form" @submit=${(/** @type {Event} */ event) => void this.save(event, draft)}>
      <h3>${draft.term ? t('term-edit') : t('term-new')}</h3>
      ${near.map((code) => this.field(draft, code))}
      ${far.length ? html`<details ?open=${far.some((code) => draft.texts[code])}><summary>${t('term-languages')}</summary>${far.map((code) => this.field(draft, code))}</details>` : nothing}
      <label class="field"><span>${t('term-note')}</span><input type="text" data-testid="term-note" maxlength=${MAX_NOTE} placeholder=" " .value=${draft.note}
        @input=${(/** @type {Event} */ event) => { draft.note = valueOf(event); }}></label>
      ${draft.term?.confirmed ? html`<p class="hint">${t('term-edit-confirmed')}</p>` : nothing}
      <div class="row"><button class="primary" data-testid="term-save" ?disabled=${this.book?.busy}>${t('term-save')}</button>
        <button type="button" class="secondary" data-testid="term-cancel" @click=${() => this.end()}>${t('term-cancel')}</button>
        ${draft.term ? this.deletion(draft.term) : nothing}</div></form>`;
  }

  /** Asked twice. @param {Term} term */
  deletion(term) {
    return this.deleting
      ? html`<button type="button" class="primary danger" data-testid="term-delete-now" ?disabled=${this.book?.busy} @click=${() => void this.drop(term)}>${t('term-delete-now')}</button>`
      : html`<button type="button" class="quiet" data-testid="term-delete" @click=${() => { this.deleting = true; }}>${t('term-delete')}</button>`;
  }

  /** @param {Draft} draft @param {string} code */
  field(draft, code) {
    return html`<label class="field"><span>${t(`term-language-${code}`)}</span><input type="text" lang=${code} dir="auto" data-testid="term-text" data-language=${code}
      maxlength=${MAX_TEXT} placeholder=" " autocomplete="off" .value=${draft.texts[code] ?? ''} @input=${(/** @type {Event} */ event) => { draft.texts[code] = valueOf(event); }}></label>`;
  }

  /** @param {Event} event @param {Draft} draft */
  async save(event, draft) {
    event.preventDefault();
    const book = this.book;
    if (!book || book.busy) return;
    const texts = Object.fromEntries(Object.entries(draft.texts).filter(([, text]) => text.trim()));
    const done = draft.term ? await book.edit(draft.term, texts, draft.note) : await book.add(texts, draft.note);
    if (done) this.end();
    else if (book.problem?.code === 'term_changed') this.again(draft);
  }

  /** Somebody was first: what was written stays, and goes over what there is now when it is saved once more. @param {Draft} draft */
  again(draft) {
    const newest = this.book?.terms.find((one) => one.id === draft.term?.id) ?? null;
    this.draft = { ...draft, term: newest };
  }

  /** @param {Term} term */
  async drop(term) {
    if (await this.book?.remove(term)) this.end();
    else this.deleting = false;
  }

  /** The search box and the rows are walked through by arrows; Enter shows; Escape goes back. @param {KeyboardEvent} event */
  key(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    const inBox = target === this.box();
    const rows = /** @type {HTMLElement[]} */ ([...this.querySelectorAll('.term-show')]);
    const at = rows.indexOf(target);
    if (event.key === 'Escape') this.back(inBox);
    else if (event.key === 'Enter' && inBox) this.takeFirst();
    else if (event.key === 'ArrowDown' && (inBox || at >= 0)) rows[Math.min(rows.length - 1, at + 1)]?.focus();
    else if (event.key === 'ArrowUp' && at >= 0) (rows[at - 1] ?? this.box())?.focus();
    else return;
    event.preventDefault();
  }

  takeFirst() {
    const first = this.book?.shown[0];
    if (!first || !this.book?.query.trim()) return;
    if (this.apart) {
      this.opened = first.id;
      return;
    }
    this.ask('term-show', { id: first.id });
    this.box()?.select();
  }

  /** @param {boolean} inBox */
  back(inBox) {
    if (this.draft) this.end();
    else if (!inBox) this.box()?.focus();
    else if (this.book?.query) this.book.search('');
    else if (!this.apart) this.ask('panel', { name: null });
  }
}
customElements.define('hj-glossary', GlossaryPanel);

/** @param {{code: string, line?: number}} problem */
export function problemWords(problem) {
  return problem.line === undefined ? tError(problem.code) : t('error-file-refused', { line: problem.line });
}

/** @param {Event} event */
function valueOf(event) {
  return /** @type {HTMLInputElement} */ (event.target).value;
}
