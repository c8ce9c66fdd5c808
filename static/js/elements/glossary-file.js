/** <hj-glossary-file>: a glossary brought in as a file, after a look at what it would change; and taken out as one. */
import { html, nothing } from '/static/vendor/lit.js';
import { language, t, tValue } from '../i18n.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

/** Where decimals have a comma, spreadsheets expect a semicolon. */
const SEMICOLON = Object.freeze(['ru', 'kk', 'uz']);

class GlossaryFile extends LightElement {
  static properties = { book: { attribute: false }, look: { state: true }, done: { state: true } };

  constructor() {
    super();
    /** @type {import('../room/glossary.js').Glossary | null} */
    this.book = null;
    /** @type {import('../room/glossary.js').Look | null} what the chosen file would do */
    this.look = null;
    this.done = false;
    /** @type {Uint8Array | null} */
    this.data = null;
  }

  render() {
    const separator = SEMICOLON.includes(language()) ? 'semicolon' : 'comma';
    return html`<section class="glossary-file" data-testid="glossary-file">
      <p class="hint">${t('glossary-file-hint')}</p>
      <label class="field"><span>${t('glossary-file-choose')}</span><input type="file" accept=".csv,.tsv,.txt,text/csv" data-testid="glossary-file-choose"
        @change=${(/** @type {Event} */ event) => void this.choose(event)}></label>
      ${this.look ? this.outcome(this.look) : nothing}
      ${this.done ? html`<p class="notice notice-good" role="status" data-testid="glossary-file-done">${icon('check')}${t('glossary-file-done')}</p>` : nothing}
      <a class="button quiet" data-testid="glossary-file-take" href=${`${this.book?.base}/file?separator=${separator}`} download>${icon('download')}${t('glossary-file-take')}</a>
    </section>`;
  }

  /** @param {import('../room/glossary.js').Look} look */
  outcome(look) {
    if (look.problems.length > 0) {
      return html`<div class="notice notice-alarm" role="alert" data-testid="glossary-file-problems">${icon('warning')}<div><p><strong>${t('glossary-file-wrong')}</strong></p>
        <ul>${look.problems.map((one) => html`<li data-line=${one.line} data-reason=${one.reason}>${t('glossary-line', { line: one.line })} ${tValue('glossary-problem', one.reason)}
          ${one.column ? html`(${one.column === 'note' ? t('term-note') : t(`term-language-${one.column}`)})` : nothing}</li>`)}</ul></div></div>`;
    }
    const room = look.too_many === 0;
    const nothingNew = look.added + look.changed === 0;
    return html`<div class="notice ${room ? 'notice-plain' : 'notice-alarm'}" role="status" data-testid="glossary-file-look" data-added=${look.added} data-changed=${look.changed} data-same=${look.same}>
      <div><p>${t('glossary-file-look', { added: look.added, changed: look.changed, same: look.same })}</p>
        ${look.unconfirmed ? html`<p>${t('glossary-file-unconfirmed', { count: look.unconfirmed })}</p>` : nothing}
        ${room ? nothing : html`<p>${t('glossary-file-too-many', { count: look.too_many })}</p>`}
        ${room && !nothingNew ? html`<p class="row"><button type="button" class="primary" data-testid="glossary-file-now" ?disabled=${this.book?.busy} @click=${() => void this.bring()}>${t('glossary-file-now')}</button>
          <button type="button" class="secondary" data-testid="glossary-file-not" @click=${() => this.forget()}>${t('term-cancel')}</button></p>` : nothing}</div></div>`;
  }

  /** @param {Event} event */
  async choose(event) {
    const field = /** @type {HTMLInputElement} */ (event.target);
    const file = field.files?.[0];
    this.forget();
    if (!file) return;
    this.data = new Uint8Array(await file.arrayBuffer());
    this.look = (await this.book?.lookAt(this.data)) ?? null;
    field.value = ''; // the same file, corrected, is chosen again
  }

  async bring() {
    if (!this.data || !this.look) return;
    this.done = (await this.book?.take(this.data, this.look.seen)) ?? false;
    this.look = null;
    this.data = null;
  }

  forget() {
    this.look = null;
    this.data = null;
    this.done = false;
  }
}
customElements.define('hj-glossary-file', GlossaryFile);
