/** <hj-document-pages>: a document's pages one at a time, over the page; by buttons, keys, wheel and slider. It only shows pictures the server made. */
import { html, nothing } from '/static/vendor/lit.js';
import { get, refusal } from '../api.js';
import { seriesAt } from '../documents/series.js';
import { t, tError } from '../i18n.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

const STILL_MS = 120;
const STEP = 256;
/** @type {Record<string, (page: number, pages: number) => number>} */
const KEYS = {
  ArrowRight: (page) => page + 1, ArrowDown: (page) => page + 1, PageDown: (page) => page + 10,
  ArrowLeft: (page) => page - 1, ArrowUp: (page) => page - 1, PageUp: (page) => page - 10, Home: () => 0, End: (_page, pages) => pages - 1,
};

class DocumentPages extends LightElement {
  static properties = { base: { type: String }, document: { attribute: false } };

  constructor() {
    super();
    /** /api/cases/{case}/documents */
    this.base = '';
    /** @type {import('../types/documents.js').CaseDocument | null} */
    this.document = null;
    this.page = 0;
    /** @type {string | null} the picture that is shown */
    this.picture = null;
    /** @type {string | null} */
    this.problem = null;
    this.loading = true;
    this.asking = new AbortController();
    /** @type {NonNullable<import('../types/documents.js').Details['series']>} */
    this.series = [];
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
    this.asking.abort();
    this.forget();
    super.disconnectedCallback();
  }

  firstUpdated() {
    /** @type {HTMLDialogElement} */ (this.querySelector('dialog')).showModal();
    void this.load();
    if (this.document?.form === 'dicom') void this.name();
  }

  /** Which series its pages are of; without it they can be looked at all the same. */
  async name() {
    try {
      this.series = (await get(`${this.base}/${encodeURIComponent(this.document?.id ?? '')}`)).details?.series ?? [];
    } catch {
      return;
    }
    this.requestUpdate();
  }

  get pages() {
    return this.document?.pages ?? 0;
  }

  forget() {
    if (this.picture) URL.revokeObjectURL(this.picture);
    this.picture = null;
  }

  /** @param {number} page */
  turn(page) {
    const next = Math.max(0, Math.min(this.pages - 1, page));
    if (next === this.page) return;
    this.page = next;
    this.loading = true;
    this.requestUpdate();
    clearTimeout(this.timer); // who leafs quickly asks for the page where they stop
    this.timer = setTimeout(() => void this.load(), STILL_MS);
  }

  async load() {
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    const width = Math.min(2048, STEP * Math.ceil((Math.min(innerWidth, 1200) * devicePixelRatio) / STEP));
    const path = `${this.base}/${encodeURIComponent(this.document?.id ?? '')}/pages/${this.page}?width=${width}`;
    [this.loading, this.problem] = [true, null];
    this.requestUpdate();
    try {
      const answer = await fetch(path, { credentials: 'same-origin', cache: 'no-store', signal });
      const body = answer.ok ? await answer.blob() : await answer.json().catch(() => null);
      if (signal.aborted) return;
      this.forget();
      if (body instanceof Blob) this.picture = URL.createObjectURL(body);
      else this.problem = refusal(answer.status, body).code;
    } catch {
      if (signal.aborted) return;
      this.problem = 'network';
    }
    this.loading = false;
    this.requestUpdate();
  }

  /** @param {KeyboardEvent} event */
  typed(event) {
    const go = KEYS[event.key];
    if (!go || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.turn(go(this.page, this.pages));
  }

  /** @param {WheelEvent} event */
  wheeled(event) {
    if (event.ctrlKey || this.document?.form === 'pdf') return; // a long page is scrolled
    event.preventDefault();
    this.turn(this.page + Math.sign(event.deltaY));
  }

  render() {
    const row = this.document;
    if (!row) return nothing;
    const [page, of] = [this.page + 1, this.pages];
    const now = seriesAt(this.series, this.page);
    const turner = (/** @type {number} */ by) => html`<button type="button" class="secondary" data-testid=${by < 0 ? 'page-before' : 'page-next'} ?disabled=${by < 0 ? page === 1 : page === of}
      aria-label=${t(by < 0 ? 'document-page-before' : 'document-page-next')} @click=${() => this.turn(this.page + by)}>${icon(by < 0 ? 'back' : 'forwardArrow')}</button>`;
    return html`<dialog class="document-pages" data-testid="document-pages" aria-label=${row.name} @keydown=${this.typed} @close=${() => this.ask('close')}>
      <div class="row document-bar"><strong class="document-name">${row.name}</strong><button type="button" class="quiet" data-testid="pages-close" autofocus @click=${() => /** @type {HTMLDialogElement} */ (this.querySelector('dialog')).close()}>${icon('minus')}${t('document-close')}</button></div>
      <div class="document-sheet" data-loading=${this.loading} aria-busy=${this.loading} @wheel=${this.wheeled}>
        ${this.problem ? html`<div class="notice notice-alarm" role="alert">${icon('warning')}<div><p>${tError(this.problem)}</p><p><button type="button" class="secondary" data-testid="page-again" @click=${() => void this.load()}>${t('document-page-again')}</button></p></div></div>`
    : this.picture ? html`<img data-testid="page" data-page=${this.loading ? nothing : this.page} src=${this.picture} alt=${t('document-page-of', { page, of })} />` : nothing}
        ${this.loading ? html`<p class="loading document-loading" role="status">${t('loading')}</p>` : nothing}</div>
      <div class="row document-bar document-turn">${of > 1 ? html`${turner(-1)}<label class="grow"><span class="figures" data-testid="page-of">${t('document-page-of', { page, of })}</span>
          <input type="range" min="1" max=${of} .value=${String(page)} data-testid="page-slider" @input=${(/** @type {Event} */ event) => this.turn(Number(/** @type {HTMLInputElement} */ (event.target).value) - 1)} /></label>${turner(1)}` : nothing}
        ${now ? html`<p class="document-where" data-testid="page-series">${[now.modality, now.description].filter(Boolean).join(' · ')} <span class="figures">${t('document-page-of', { page: now.page + 1, of: now.of })}</span></p>` : nothing}
        <p class="hint">${t(row.form === 'dicom' ? 'document-not-diagnostic' : 'document-preview-only')}</p></div></dialog>`;
  }
}
customElements.define('hj-document-pages', DocumentPages);
