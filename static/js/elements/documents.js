/** <hj-documents>: a case's files: chosen or dropped, on their way, there, looked at, taken back. Nothing is drawn for whom the server refuses it. */
import { html, nothing } from '/static/vendor/lit.js';
import { ApiRefusal, codeOf, get, post } from '../api.js';
import { percentIn } from '../cldr.js';
import { likelyKind, markOf } from '../documents/chosen.js';
import { rest, transportTo } from '../documents/transport.js';
import { Queue, Upload } from '../documents/upload.js';
import { language, t, tError, tValue } from '../i18n.js';
import { beforeSignOut } from './chrome.js';
import { documentsKept } from './document-kept.js';
import { documentRow, pickOne, sizeOf, whoSees } from './document-row.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';
import './document-pages.js';

/** @typedef {import('../types/documents.js').CaseDocument} CaseDocument */
/** @typedef {import('../types/documents.js').DocumentsAnswer} DocumentsAnswer */

const SOON_MS = 1500;
const LATER_MS = 20_000;
const ACCEPT = '.pdf,.jpg,.jpeg,.png,.heic,.dcm,.zip,.mp4,.mov,.webm,application/pdf,image/jpeg,image/png,image/heic,application/dicom,application/zip,video/mp4,video/quicktime,video/webm';
const DEFAULT_VISIBILITY = 'case';

/** @param {CaseDocument} row */
const isPast = (row) => Boolean(row.withdrawn) || ['expired', 'cancelled', 'ended'].includes(row.state);

class Documents extends LightElement {
  static properties = { case: { type: String }, zone: { type: String } };

  constructor() {
    super();
    this.case = '';
    this.zone = 'UTC';
    /** @type {DocumentsAnswer | null} */
    this.shown = null;
    /** Details of documents that ask whose they are, by id: a look, which is noted. @type {Map<string, import('../types/documents.js').Details>} */
    this.details = new Map();
    /** Chosen and not yet sent. @type {File[]} */
    this.chosen = [];
    this.queue = new Queue(() => this.requestUpdate());
    /** Which document's form is open, which, and what was refused there. */
    this.doing = { id: '', act: '', reason: '', busy: false, problem: /** @type {string | null} */ (null) };
    /** @type {CaseDocument | null} */
    this.viewed = null;
    this.over = false;
    this.absent = false;
    /** @type {string | null} */
    this.problem = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.leaving = (/** @type {BeforeUnloadEvent} */ event) => { if (this.queue.busy || this.chosen.length) event.preventDefault(); };
    this.signingOut = async () => {
      this.queue.stop();
      this.chosen = [];
    };
  }

  connectedCallback() {
    super.connectedCallback();
    addEventListener('beforeunload', this.leaving);
    beforeSignOut.add(this.signingOut);
    void this.load();
  }

  disconnectedCallback() {
    removeEventListener('beforeunload', this.leaving);
    beforeSignOut.delete(this.signingOut);
    clearTimeout(this.timer);
    super.disconnectedCallback();
  }

  get base() {
    return `/api/cases/${encodeURIComponent(this.case)}/documents`;
  }

  async load() {
    clearTimeout(this.timer);
    try {
      this.shown = /** @type {DocumentsAnswer} */ (await get(this.base));
      this.problem = null;
      await Promise.all(this.shown.documents.filter((row) => row.confirm).map((row) => this.detail(row.id)));
    } catch (error) {
      if (error instanceof ApiRefusal && [401, 403, 404].includes(error.status)) this.absent = true;
      else this.problem = codeOf(error);
    }
    this.requestUpdate();
    const moving = this.shown?.documents.some((row) => row.state === 'checking') ?? false;
    if (this.isConnected && !this.absent) this.timer = setTimeout(() => void (document.hidden ? this.later() : this.load()), moving ? SOON_MS : LATER_MS);
  }

  later() {
    this.timer = setTimeout(() => void (document.hidden ? this.later() : this.load()), LATER_MS);
  }

  /** @param {string} id */
  async detail(id) {
    if (this.details.has(id)) return;
    const { details } = await get(`${this.base}/${encodeURIComponent(id)}`);
    if (details && Object.keys(details).length) this.details.set(id, details);
  }

  /** @param {FileList | File[] | null | undefined} files */
  choose(files) {
    const known = new Set(this.chosen.map((one) => `${one.name}/${one.size}`));
    this.chosen = [...this.chosen, ...[...(files ?? [])].filter((one) => !known.has(`${one.name}/${one.size}`))];
    this.requestUpdate();
    void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector('.document-send select'))?.focus());
  }

  /** @param {Event} event */
  picked(event) {
    const input = /** @type {HTMLInputElement} */ (event.target);
    this.choose(input.files);
    input.value = ''; // the same file may be chosen again
  }

  /** @param {SubmitEvent} event */
  async send(event) {
    event.preventDefault();
    const given = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const [files, kinds] = [this.chosen, given.getAll('kind').map(String)];
    this.chosen = [];
    this.requestUpdate();
    for (const [at, file] of files.entries()) await this.start(file, kinds[at] ?? 'other', String(given.get('visibility') ?? DEFAULT_VISIBILITY));
  }

  /** @param {File} file @param {string} kind @param {string} visibility */
  async start(file, kind, visibility) {
    const parts = { transport: transportTo(this.base), pieceBytes: this.shown?.limits.piece_bytes ?? 1_000_000, changed: () => this.moved(), rest };
    const request = await markOf(file, this.case).catch(() => crypto.randomUUID?.() ?? `r${Math.random()}`.replace('.', ''));
    this.queue.add(new Upload({ file, kind, request }, visibility, parts));
  }

  /** Go on with an upload that an earlier page began. @param {CaseDocument} row @param {Event} event */
  again(row, event) {
    const input = /** @type {HTMLInputElement} */ (event.target);
    const file = input.files?.[0];
    input.value = '';
    if (!file) return;
    const same = file.name === row.name && file.size === row.size;
    this.doing = { id: row.id, act: '', reason: '', busy: false, problem: same ? null : 'document_another_file' };
    this.requestUpdate();
    if (same) void this.start(file, row.kind, row.visibility);
  }

  moved() {
    const done = this.queue.uploads.filter((one) => one.state === 'done');
    if (done.length) {
      this.queue.uploads = this.queue.uploads.filter((one) => one.state !== 'done');
      void this.load();
    }
    this.requestUpdate();
  }

  /** @param {CaseDocument} row @param {string} path @param {object} body */
  async post(row, path, body) {
    if (this.doing.busy) return;
    this.doing = { ...this.doing, id: row.id, busy: true, problem: null };
    this.requestUpdate();
    try {
      await post(`${this.base}/${encodeURIComponent(row.id)}/${path}`, body);
      this.doing = { id: '', act: '', reason: '', busy: false, problem: null };
    } catch (error) {
      this.doing = { ...this.doing, busy: false, problem: codeOf(error) };
    }
    await this.load();
  }

  /** @param {CaseDocument} row @param {string} act */
  begin(row, act) {
    const before = this.doing.act;
    this.doing = { id: act ? row.id : '', act, reason: '', busy: false, problem: null };
    this.requestUpdate();
    void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector(act ? '.document .act select' : `[data-id="${CSS.escape(row.id)}"] [data-testid="document-${before}"]`))?.focus());
  }

  /** @param {CustomEvent} event */
  closed(event) {
    if (event.detail.type !== 'close' || !this.viewed) return;
    event.stopPropagation();
    const { id } = this.viewed;
    this.viewed = null;
    this.requestUpdate();
    void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector(`[data-id="${CSS.escape(id)}"] [data-testid="document-look"]`))?.focus());
  }

  /** @param {DragEvent} event @param {boolean} on */
  dragged(event, on) {
    if (!this.shown?.may.add || !event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    this.over = on;
    if (event.type === 'drop') this.choose(event.dataTransfer.files);
    this.requestUpdate();
  }

  render() {
    if (this.absent) return nothing;
    const shown = this.shown;
    const body = shown ? this.body(shown) : this.problem ? nothing : html`<p class="hint" role="status">${t('loading')}</p>`;
    return html`<section class="card documents" data-testid="documents" data-over=${this.over} @ask=${this.closed} @dragover=${(/** @type {DragEvent} */ event) => this.dragged(event, true)}
      @dragleave=${(/** @type {DragEvent} */ event) => this.dragged(event, false)} @drop=${(/** @type {DragEvent} */ event) => this.dragged(event, false)}><h2>${t('documents-title')}</h2>
      ${this.problem ? html`<div class="notice notice-alarm" role="alert">${icon('warning')}<div><p>${tError(this.problem)}</p><p><button type="button" class="secondary" @click=${() => void this.load()}>${t('document-page-again')}</button></p></div></div>` : nothing}
      ${body}${this.viewed ? html`<hj-document-pages .base=${this.base} .document=${this.viewed}></hj-document-pages>` : nothing}</section>`;
  }

  /** @param {DocumentsAnswer} shown */
  body(shown) {
    const sending = new Set(this.queue.uploads.map((one) => one.id));
    const rows = shown.documents.filter((row) => !(row.state === 'uploading' && sending.has(row.id)));
    const [current, past] = [rows.filter((row) => !isPast(row)), rows.filter(isPast)];
    return html`${shown.may.add ? html`<p class="hint">${t('documents-lead')}</p>${this.wanted(shown)}` : nothing}
      ${rows.length || this.queue.uploads.length ? nothing : html`<p class="hint" data-testid="documents-empty">${t(shown.may.add ? `documents-empty-${shown.side}` : 'documents-empty')}</p>`}
      <ul class="document-list">${current.map((row) => this.row(row, shown))}</ul>
      <ul class="document-list" aria-live="off">${this.queue.uploads.map((one) => this.upload(one))}</ul>
      ${shown.may.add ? (this.chosen.length ? this.chooser(shown) : this.picker(shown)) : nothing}
      ${past.length ? html`<details><summary>${t('documents-past', { count: past.length })}</summary><ul class="document-list">${past.map((row) => this.row(row, shown))}</ul></details>` : nothing}
      ${current.length ? documentsKept(shown.kept, this.zone) : nothing}`;
  }

  /** @param {CaseDocument} row @param {DocumentsAnswer} answer */
  row(row, answer) {
    const mine = this.doing.id === row.id;
    const details = this.details.get(row.id);
    return html`${documentRow(details ? { ...row, details } : row, {
      zone: this.zone, answer, base: this.base, open: mine ? this.doing.act : '', busy: mine && this.doing.busy, problem: mine ? this.doing.problem : null, reason: mine ? this.doing.reason : '',
      ask: (act) => this.begin(row, act),
      choose: (reason) => {
        this.doing = { ...this.doing, reason };
        this.requestUpdate();
      },
      post: (path, body) => void this.post(row, path, body),
      view: () => {
        this.viewed = row;
        this.requestUpdate();
      },
      again: (event) => this.again(row, event),
    })}${mine && !this.doing.act && this.doing.problem && !row.confirm ? html`<li class="notice notice-alarm" role="alert">${icon('warning')}<p>${tError(this.doing.problem)}</p></li>` : nothing}`;
  }

  /** What this specialty's referral wants. @param {DocumentsAnswer} shown */
  wanted(shown) {
    if (!shown.wanted?.length) return nothing;
    return html`<div class="documents-wanted"><p id="documents-wanted" class="hint">${t('documents-wanted')}</p><ul class="chips" aria-labelledby="documents-wanted" data-testid="documents-wanted">${shown.wanted.map(({ kind, required, documents }) => {
      const there = documents.length > 0;
      return html`<li class="chip ${there ? 'chip-live' : required ? 'chip-late' : ''}" data-kind=${kind} data-there=${there} data-required=${required}>${icon(there ? 'check' : required ? 'warning' : 'plus')}${tValue('document-kind', kind)}
        ${there || !required ? html`<span class="visually-hidden">${t(there ? 'documents-there' : 'documents-wanted-none')}</span>` : html`<span>· ${t('documents-needed')}</span>`}</li>`;
    })}</ul></div>`;
  }

  /** @param {DocumentsAnswer} shown */
  picker(shown) {
    if (shown.limits.left_bytes === 0) return html`<p class="question-problem">${icon('warning')}<span>${tError('documents_full')}</span></p>`;
    return html`<div class="document-drop"><p>${icon('plus')}<span>${t('documents-drop')}</span></p><div class="row"><label class="button primary file-button"><input type="file" multiple class="visually-hidden" accept=${ACCEPT} data-testid="documents-choose" @change=${this.picked} />${t('documents-choose')}</label>
      <label class="button secondary file-button by-camera"><input type="file" class="visually-hidden" accept="image/*" capture="environment" data-testid="documents-camera" @change=${this.picked} />${icon('camera')}${t('documents-camera')}</label></div>
      <p class="hint">${t('documents-kinds', { size: sizeOf(Math.min(shown.limits.file_bytes, shown.limits.left_bytes)) })}</p></div>`;
  }

  /** What was chosen, before it is sent. @param {DocumentsAnswer} shown */
  chooser(shown) {
    const drop = (/** @type {number} */ at) => {
      this.chosen = this.chosen.filter((_one, number) => number !== at);
      this.requestUpdate();
    };
    return html`<form class="act document-send" data-testid="documents-form" @submit=${(/** @type {SubmitEvent} */ event) => void this.send(event)}><h3>${t('documents-before')}</h3>
      <ul class="document-list">${this.chosen.map((file, at) => html`<li class="document-chosen"><div><strong class="document-name">${file.name}</strong> <span class="hint">${sizeOf(file.size)}</span></div>
        ${pickOne(t('document-kind'), 'kind', shown.kinds, 'document-kind', likelyKind(file.name, shown.kinds))}
        <button type="button" class="quiet" aria-label="${t('documents-leave-out')}: ${file.name}" @click=${() => drop(at)}>${t('documents-leave-out')}</button></li>`)}</ul>
      ${whoSees(shown.visibilities, DEFAULT_VISIBILITY)}
      <div class="row"><button class="primary" data-testid="documents-send">${t('documents-send', { count: this.chosen.length })}</button>
        <label class="button quiet file-button"><input type="file" multiple class="visually-hidden" accept=${ACCEPT} @change=${this.picked} />${t('documents-more')}</label></div></form>`;
  }

  /** @param {Upload} one */
  upload(one) {
    const done = percentIn(Math.floor(100 * one.share) / 100, language());
    const words = one.state === 'failed' ? tError(one.problem ?? '') : t(`document-upload-${one.state}`, { share: done });
    return html`<li class="document document-upload" data-testid="upload" data-state=${one.state}><div class="document-what"><p><strong class="document-name">${one.name}</strong> <span class="hint">${sizeOf(one.size)}</span></p>
        <progress max="1" value=${one.share} aria-label=${one.name}></progress>
        <p class=${one.state === 'failed' ? 'question-problem' : 'hint'} role=${one.state === 'failed' ? 'alert' : 'status'} data-testid="upload-state">${words}</p></div>
      <div class="row document-acts">${one.settled ? html`<button type="button" class="secondary" data-testid="upload-again" @click=${() => this.queue.again(one)}>${t('document-act-again')}</button><button type="button" class="quiet" data-testid="upload-drop" @click=${() => { this.queue.drop(one); void this.load(); }}>${t('document-act-aside')}</button>`
    : html`<button type="button" class="secondary" data-testid="upload-pause" @click=${() => one.pause()}>${t('document-act-pause')}</button>`}</div></li>`;
  }
}
customElements.define('hj-documents', Documents);
