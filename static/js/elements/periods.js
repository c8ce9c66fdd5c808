/** <hj-periods>: the recordings of a case, with the class and the end of each, and the way to change them. It asks; the page acts. */
import { html, nothing } from '/static/vendor/lit.js';
import { language, t, tError, tValue } from '../i18n.js';
import { fullDate } from '../time.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';
import { untilEverywhere } from './kept.js';

/** @typedef {import('../types/wire.js').PeriodRow} PeriodRow */

const CLASS_REASONS = Object.freeze(['mistake', 'content', 'authority']);

class Periods extends LightElement {
  static properties = {
    cases: { attribute: false }, rows: { attribute: false }, now: { attribute: false }, zone: { attribute: false }, may: { type: Boolean },
    busy: { type: Boolean }, open: { state: true }, picked: { state: true }, sure: { state: true },
  };

  constructor() {
    super();
    /** @type {{id: string, label: string}[]} */
    this.cases = [];
    /** @type {PeriodRow[]} */
    this.rows = [];
    this.now = 0;
    this.zone = 'UTC';
    this.may = false;
    this.busy = false;
    /** @type {string | null} whose form is open: "recording/class" or "recording/extend" */
    this.open = null;
    this.picked = '';
    this.sure = false;
  }

  render() {
    return html`<section class="card" data-testid="periods"><h2>${t('periods-title')}</h2>
      <label class="field"><span>${t('retention-hold-case')}</span><select data-testid="period-case"
        @change=${(/** @type {Event} */ event) => { this.open = null; this.ask('period-case', { id: valueOf(event) }); }}>
        ${this.cases.map((one) => html`<option value=${one.id}>${one.label}</option>`)}</select></label>
      <ul class="kept-list">${this.rows.map((row) => this.row(row))}</ul></section>`;
  }

  /** @param {PeriodRow} row */
  row(row) {
    const gone = row.state === 'gone';
    return html`<li class="period" data-testid="period-row" data-recording=${row.recording} data-class=${row.class} data-extended=${row.extended_years}>
      <p><strong>${fullDate(row.started_at_ms, language(), this.zone)}</strong> <span class="chip">${tValue('kept-state', row.state)}</span></p>
      <p>${tValue('kept-class', row.class)}${row.extended_years ? html` · ${t('period-extended', { years: row.extended_years })}` : nothing}</p>
      ${gone ? nothing : this.until(row.kept_until_ms, row)}
      ${this.may && !gone ? this.controls(row) : nothing}</li>`;
  }

  /** @param {number | null} ms @param {PeriodRow} row */
  until(ms, row) {
    return ms === null ? html`<p class="hint">${t('period-running')}</p>` : html`<div><span class="hint">${t('kept-until')}</span>${untilEverywhere(ms, row.zones)}</div>`;
  }

  /** @param {PeriodRow} row */
  controls(row) {
    const [recording, what] = this.open?.split('/') ?? [];
    if (recording === row.recording) return what === 'class' ? this.classForm(row) : this.extendForm(row);
    return html`<p class="row"><button class="secondary" data-testid="period-class-open" @click=${() => this.begin(row, 'class', row.class)}>${t('period-class')}</button>
      ${row.extensions.length ? html`<button class="secondary" data-testid="period-extend-open" @click=${() => this.begin(row, 'extend', '1')}>${t('period-extend')}</button>` : nothing}</p>`;
  }

  /** @param {PeriodRow} row */
  classForm(row) {
    const chosen = row.classes.find((one) => one.name === this.picked);
    const until = chosen?.kept_until_ms ?? null;
    return this.form(row, until, chosen !== undefined && chosen.name !== row.class && chosen.agreed, CLASS_REASONS.map((one) => [one, tValue('class-reason', one)]),
      html`<label class="field"><span>${t('period-new-class')}</span><select data-testid="period-pick" .value=${this.picked} @change=${(/** @type {Event} */ event) => this.pick(valueOf(event))}>
        ${row.classes.map((one) => html`<option value=${one.name} ?selected=${one.name === this.picked}>${tValue('kept-class', one.name)} · ${t('period-years', { years: one.years })}</option>`)}</select></label>
        ${chosen && !chosen.agreed ? html`<p class="notice notice-warn" role="status" data-testid="period-not-agreed">${tError('teaching_missing')}</p>` : nothing}`,
      (reason) => this.ask('period-class', { recording: row.recording, name: this.picked, reason }));
  }

  /** @param {PeriodRow} row */
  extendForm(row) {
    const chosen = row.extensions.find((one) => String(one.years) === this.picked);
    return this.form(row, chosen?.kept_until_ms ?? null, true, [['continued_treatment', t('extend-reason-continued-treatment')]],
      html`<label class="field"><span>${t('period-new-years')}</span><select data-testid="period-pick" .value=${this.picked} @change=${(/** @type {Event} */ event) => this.pick(valueOf(event))}>
        ${row.extensions.map((one) => html`<option value=${one.years} ?selected=${String(one.years) === this.picked}>${t('period-years', { years: one.years })}</option>`)}</select></label>
        <p class="hint">${t('period-once')}</p>`,
      (reason) => this.ask('period-extend', { recording: row.recording, years: Number(this.picked), reason }));
  }

  /**
   * Choosing shows the new end before anything changes; a shorter period must be confirmed.
   * @param {PeriodRow} row
   * @param {number | null} until
   * @param {boolean} differs
   * @param {string[][]} reasons
   * @param {unknown} choice
   * @param {(reason: string) => void} set
   */
  form(row, until, differs, reasons, choice, set) {
    const shorter = until !== null && row.kept_until_ms !== null && until < row.kept_until_ms;
    const over = until !== null && until <= this.now;
    return html`<form class="period-form" data-testid="period-form" @submit=${(/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        set(String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('reason')));
      }} @keydown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === 'Escape') this.close(); }}>
      ${choice}
      <label class="field"><span>${t('retention-hold-reason')}</span><select name="reason" data-testid="period-reason">${reasons.map(([code, words]) => html`<option value=${code}>${words}</option>`)}</select></label>
      ${differs ? html`<div class="notice ${over ? 'notice-alarm' : shorter ? 'notice-warn' : 'notice-plain'}" role="status" data-testid="period-until" data-ms=${until ?? ''}>
        <div><p><strong>${until === null ? t('period-running') : t('period-new-until')}</strong></p>${until === null ? nothing : untilEverywhere(until, row.zones)}
          ${shorter ? html`<p>${icon('warning')} ${t(over ? 'period-over' : 'period-shorter')}</p>
            <label class="check"><input type="checkbox" data-testid="period-sure" .checked=${this.sure} @change=${() => { this.sure = !this.sure; }}> <span>${t('period-sure')}</span></label>` : nothing}</div></div>` : nothing}
      <p class="row"><button type="button" class="secondary" data-testid="period-cancel" @click=${() => this.close()}>${t('period-cancel')}</button>
        <button class="primary ${shorter ? 'danger' : ''}" data-testid="period-set" ?disabled=${this.busy || !differs || (shorter && !this.sure)}>${t('period-set')}</button></p></form>`;
  }

  /** @param {PeriodRow} row @param {'class' | 'extend'} what @param {string} picked */
  begin(row, what, picked) {
    this.open = `${row.recording}/${what}`;
    this.pick(picked);
    void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector('[data-testid=period-pick]'))?.focus());
  }

  /** @param {string} picked */
  pick(picked) {
    this.picked = picked;
    this.sure = false;
  }

  /** Also by the page, once it is done. */
  close() {
    const [recording, what] = this.open?.split('/') ?? [];
    this.open = null;
    const row = `[data-testid=period-row][data-recording="${CSS.escape(recording ?? '')}"]`;
    void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (
      this.querySelector(`${row} [data-testid=period-${what}-open]`) ?? this.querySelector(`${row} button`))?.focus());
  }
}
customElements.define('hj-periods', Periods);

/** @param {Event} event */
const valueOf = (event) => /** @type {HTMLSelectElement} */ (event.target).value;
