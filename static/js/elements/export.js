/**
 * <hj-export>: what of a recording is to become a file, and the files there are. It asks the playback where it is, the
 * export list for everything else.
 */
import { html, nothing, repeat } from '/static/vendor/lit.js';
import { percentIn, sizeIn } from '../cldr.js';
import { language, t, tError, tValue } from '../i18n.js';
import { fullDate, hourMinute, span } from '../time.js';
import { waiting } from '../review/exports.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

/**
 * @typedef {import('../types/wire.js').Export} Export
 * @typedef {import('../review/exports.js').ExportList} ExportList
 */

const KINDS = Object.freeze(['film', 'clip', 'still', 'bundle']);
const LAYOUTS = Object.freeze(['grid', 'speaker']);
const REASONS = Object.freeze(['treatment', 'second_opinion', 'patient_copy', 'insurer', 'legal', 'quality']);
/** A file without names is for this alone, and no other file is. */
const TEACHING = Object.freeze(['teaching']);

class ExportPanel extends LightElement {
  static properties = {
    playback: { attribute: false }, list: { attribute: false }, zone: { attribute: false },
    open: { state: true }, kind: { state: true }, layout: { state: true }, from: { state: true }, to: { state: true },
    track: { state: true }, teaching: { state: true }, reasons: { state: true }, unsaid: { state: true }, said: { state: true },
  };

  constructor() {
    super();
    /** @type {import('../review/playback.js').Playback | null} */
    this.playback = null;
    /** @type {ExportList | null} */
    this.list = null;
    /** @type {string | undefined} */
    this.zone = undefined;
    this.open = false;
    this.kind = 'film';
    this.layout = 'grid';
    this.from = 0;
    this.to = 0;
    this.track = '';
    this.teaching = false;
    /** @type {Map<string, string>} what each file is for, as chosen */
    this.reasons = new Map();
    /** @type {string | null} the export whose reason is missing */
    this.unsaid = null;
    this.said = '';
    /** @type {Map<string, string>} */
    this.states = new Map();
    this.redraw = () => this.changed();
    this.keys = (/** @type {KeyboardEvent} */ event) => this.key(event);
  }

  connectedCallback() {
    super.connectedCallback();
    document.addEventListener('keydown', this.keys);
    this.list?.addEventListener('change', this.redraw);
  }

  disconnectedCallback() {
    document.removeEventListener('keydown', this.keys);
    this.list?.removeEventListener('change', this.redraw);
    this.list?.close();
    super.disconnectedCallback();
  }

  /** A file that became ready or failed is said once. */
  changed() {
    for (const row of this.list?.exports ?? []) {
      const before = this.states.get(row.id);
      if (before && before !== row.state) this.said = `${tValue('export-kind', row.kind)}: ${tValue('export-state', row.state)}`;
      this.states.set(row.id, row.state);
    }
    this.requestUpdate();
  }

  toggle() {
    this.open = !this.open;
    if (!this.open) return;
    this.to = this.to || Math.round(this.playback?.durationMs ?? 0);
    void this.list?.load();
  }

  render() {
    if (!this.playback || !this.list) return nothing;
    return html`<section class="export">
      <button class="secondary" data-testid="export-open" aria-expanded=${this.open} aria-controls="export-panel" @click=${() => this.toggle()}>
        ${icon('download')}${t('export-title')}</button>
      <div id="export-panel" ?hidden=${!this.open}>${this.open ? html`${this.form()}${this.files()}` : nothing}</div>
      <p class="visually-hidden" role="status">${this.said}</p>
    </section>`;
  }

  form() {
    const pictures = this.pictures();
    const blocked = this.list?.busy || (this.kind === 'clip' && this.from >= this.to) || (this.kind === 'still' && pictures.length === 0);
    return html`<div class="card">
      <h2>${t('export-what')}</h2>
      <fieldset class="export-kinds"><legend class="visually-hidden">${t('export-what')}</legend>
        ${KINDS.map((kind) => html`<label class="tick"><input type="radio" name="export-kind" value=${kind} .checked=${this.kind === kind}
          data-testid=${kind === 'still' ? 'still' : `export-${kind}`} @change=${() => { this.kind = kind; }}>
          <span><strong>${t(`export-kind-${kind}`)}</strong><br><span class="hint">${t(`export-hint-${kind}`)}</span></span></label>`)}
      </fieldset>
      ${this.kind === 'clip' ? this.marks() : nothing}
      ${this.kind === 'still' ? this.whose(pictures) : nothing}
      ${this.kind === 'film' || this.kind === 'clip' ? this.layouts() : nothing}
      ${this.kind === 'bundle' ? nothing : html`<label class="tick"><input type="checkbox" data-testid="export-teaching" .checked=${this.teaching} @change=${() => { this.teaching = !this.teaching; }}>
        <span>${t('export-teaching')}<br><span class="hint">${t('export-teaching-hint')}</span></span></label>`}
      ${this.list?.problem ? html`<p class="notice notice-alarm" role="alert" data-testid="export-problem">${tError(this.list.problem)}</p>` : nothing}
      <div><button class="primary" data-testid="export-start" ?disabled=${blocked} @click=${() => this.start()}>${t('export-start')}</button></div>
    </div>`;
  }

  marks() {
    const now = () => Math.round(this.playback?.now() ?? 0);
    return html`<div class="export-marks">
      <p><span>${t('export-from')}</span> <strong class="figures" data-testid="clip-from" data-ms=${this.from}>${span(this.from)}</strong>
        <button class="secondary" data-testid="clip-start" aria-keyshortcuts="i" @click=${() => { this.from = now(); }}>${t('export-mark-start')}</button></p>
      <p><span>${t('export-to')}</span> <strong class="figures" data-testid="clip-to" data-ms=${this.to}>${span(this.to)}</strong>
        <button class="secondary" data-testid="clip-end" aria-keyshortcuts="o" @click=${() => { this.to = now(); }}>${t('export-mark-end')}</button></p>
      ${this.from >= this.to ? html`<p class="hint" role="status">${t('export-marks-wrong')}</p>` : html`<p class="hint">${t('export-length', { length: span(this.to - this.from) })}</p>`}
      <p class="hint export-keys">${t('export-keys')}</p>
    </div>`;
  }

  pictures() {
    return (this.playback?.lanes ?? []).filter((lane) => lane.kind !== 'audio');
  }

  /** @param {import('../types/wire.js').Track[]} pictures */
  whose(pictures) {
    if (pictures.length === 0) return html`<p class="hint">${t('error-nothing-to-export')}</p>`;
    const chosen = this.track || pictures[0].id;
    return html`<label class="field export-field"><span>${t('export-whose')}</span>
      <select data-testid="export-track" @change=${(/** @type {Event} */ event) => { this.track = /** @type {HTMLSelectElement} */ (event.target).value; }}>
        ${pictures.map((track) => html`<option value=${track.id} ?selected=${track.id === chosen}>${track.name} · ${tValue('kind', track.kind)}</option>`)}
      </select></label>`;
  }

  layouts() {
    return html`<label class="field export-field"><span>${t('export-layout')}</span>
      <select data-testid="export-layout" @change=${(/** @type {Event} */ event) => { this.layout = /** @type {HTMLSelectElement} */ (event.target).value; }}>
        ${LAYOUTS.map((layout) => html`<option value=${layout} ?selected=${layout === this.layout}>${t(`export-layout-${layout}`)}</option>`)}
      </select></label>`;
  }

  start() {
    const still = this.kind === 'still';
    const at = Math.round(this.playback?.now() ?? 0);
    void this.list?.ask({
      kind: this.kind, layout: this.layout, language: language(),
      from_ms: this.kind === 'clip' ? this.from : still ? at : 0,
      to_ms: this.kind === 'clip' ? this.to : still ? at : 0,
      track: still ? this.track || (this.pictures()[0]?.id ?? '') : '',
      teaching: this.teaching && this.kind !== 'bundle',
    });
  }

  files() {
    const rows = this.list?.exports;
    if (!rows) return html`<p class="loading" role="status">${t('loading')}</p>`;
    const shown = rows.filter((row) => row.state !== 'cancelled');
    return html`<div class="card"><h2>${t('export-files')}</h2>
      ${shown.length === 0 ? html`<p class="hint" data-testid="export-none">${t('export-none')}</p>`
        : html`<ul class="export-files">${repeat(shown, (row) => row.id, (row) => this.file(row))}</ul>`}
      <p class="hint">${t('export-care')}</p></div>`;
  }

  /** @param {Export} row */
  file(row) {
    const part = row.kind === 'clip' ? ` ${span(row.from_ms)} – ${span(row.to_ms)}` : row.kind === 'still' ? ` ${span(row.from_ms)}` : '';
    return html`<li data-testid="export-row" data-export=${row.id} data-state=${row.state}>
      <div class="export-words"><strong>${tValue('export-kind', row.kind)}${part}</strong>${row.teaching ? html`<span class="hint">${t('export-teaching')}</span>` : nothing}
        <span class="hint">${this.about(row)}</span>
        ${row.kind === 'bundle' && row.state === 'ready' ? this.fingerprint() : nothing}
        <span class="hint">${t('export-contains', { names: this.names(row) })}</span>
        ${row.state === 'ready' && row.expires_at_ms ? html`<span class="hint">${t('export-until', { date: this.when(row.expires_at_ms) })}</span>` : nothing}</div>
      ${waiting(row) ? this.progress(row) : row.state !== 'ready' ? nothing : row.withheld ? html`<p class="notice notice-plain" data-testid="export-withheld">${tError(row.withheld)}</p>` : this.download(row)}
    </li>`;
  }

  /** What the receiver of a bundle compares; in eights, to be read aloud. */
  fingerprint() {
    const key = this.list?.bundleKey ?? '';
    return html`<span class="hint">${t('export-bundle-key')}
      <code class="fingerprint" data-testid="bundle-key" data-key=${key}>${(key.match(/.{1,8}/g) ?? []).map((part) => html`<span>${part}</span>`)}</code></span>`;
  }

  /** @param {Export} row */
  about(row) {
    if (row.waits_for_rooms && waiting(row)) return `${this.when(row.made_at_ms)} · ${t('export-waits-for-rooms')}`;
    const state = row.state === 'failed' ? tError(row.error_code === 'nothing_there' ? 'nothing_to_export' : 'export_failed') : tValue('export-state', row.state);
    const size = row.state === 'ready' && row.bytes
      ? ` · ${sizeIn(row.bytes, language())}` : '';
    return `${this.when(row.made_at_ms)} · ${state}${size}`;
  }

  /** @param {number} ms */
  when(ms) {
    return `${fullDate(ms, language(), this.zone)}, ${hourMinute(ms, language(), this.zone)}`;
  }

  /** @param {Export} row */
  names(row) {
    const tracks = this.playback?.recording.tracks ?? [];
    const found = row.seats.map((seat) => tracks.find((track) => track.participant === seat)?.name);
    return found.filter(Boolean).join(', ') || t('export-nobody');
  }

  /** @param {Export} row */
  progress(row) {
    const share = (row.progress ?? 0) / 1000;
    return html`<div class="export-act">
      <progress data-testid="export-progress" max="1" .value=${share} aria-label=${t('export-progress')}></progress>
      <span class="figures">${percentIn(share, language())}</span>
      <button class="secondary" data-testid="export-cancel" @click=${() => void this.list?.cancel(row)}>${t('export-cancel')}</button></div>`;
  }

  /** @param {Export} row */
  download(row) {
    const reason = this.reasons.get(row.id) ?? '';
    const missing = this.unsaid === row.id && !reason;
    return html`<div class="export-act">
      <label class="field"><span>${t('export-reason')}</span>
        <select data-testid="export-reason" aria-required="true" aria-invalid=${missing} @change=${(/** @type {Event} */ event) => this.because(row, /** @type {HTMLSelectElement} */ (event.target).value)}>
          <option value="" ?selected=${!reason}>${t('export-reason-choose')}</option>
          ${(row.teaching ? TEACHING : REASONS).map((one) => html`<option value=${one} ?selected=${one === reason}>${tValue('export-reason', one)}</option>`)}
        </select></label>
      <a class="button primary" data-testid="export-download" role="button" href=${reason ? this.list?.address(row, reason) ?? '' : '#'} download
        @click=${(/** @type {Event} */ event) => this.fetchFile(event, row)}>${icon('download')}${t('export-download')}</a>
      <button class="quiet" data-testid="export-delete" @click=${() => void this.list?.cancel(row)}>${t('export-delete')}</button>
      ${missing ? html`<p class="notice notice-warn" role="alert">${tError('reason_missing')}</p>` : nothing}</div>`;
  }

  /**
   * @param {Export} row
   * @param {string} reason
   */
  because(row, reason) {
    this.reasons = new Map(this.reasons).set(row.id, reason);
  }

  /**
   * @param {Event} event
   * @param {Export} row
   */
  fetchFile(event, row) {
    if (this.reasons.get(row.id)) return;
    event.preventDefault();
    this.unsaid = row.id;
    /** @type {HTMLElement | null} */ (this.querySelector(`[data-export="${CSS.escape(row.id)}"] [data-testid="export-reason"]`))?.focus();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (!this.open || this.kind !== 'clip' || event.altKey || event.ctrlKey || event.metaKey || target.closest('select, textarea, input[type=text]')) return;
    if (event.key === 'i') this.from = Math.round(this.playback?.now() ?? 0);
    if (event.key === 'o') this.to = Math.round(this.playback?.now() ?? 0);
  }
}
customElements.define('hj-export', ExportPanel);
