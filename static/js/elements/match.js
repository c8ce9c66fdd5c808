/** <hj-match case="…">: which hospital for a case. Shows the newest proposal with its reasons; a coordinator takes the first or says why not. Asks `decided` then. */
import { html, nothing } from '/static/vendor/lit.js';
import { codeOf, get, post } from '../api.js';
import { has, language, t, tError, tValue } from '../i18n.js';
import { fullDate, hourMinute } from '../time.js';
import { reasonWords, placeId } from '../match-words.js';
import { LightElement } from './base.js';
import { icon } from './icons.js';
import { specialty } from './consultation.js';

/** @typedef {import('../types/matching.js').MatchAnswer} MatchAnswer */
/** @typedef {import('../types/matching.js').Ranked} Ranked */
/** @typedef {import('../types/matching.js').Proposal} Proposal */

export const WHY = Object.freeze(['patient_wish', 'expertise', 'capacity', 'language', 'urgency', 'cost', 'wrong', 'other']);
const NEED_NOTE = Object.freeze(['wrong', 'other']);
const MAX_NOTE = 500;

class Match extends LightElement {
  static properties = {
    case: { type: String }, zone: { attribute: false }, answer: { state: true }, problem: { state: true }, busy: { state: true },
    open: { state: true }, why: { state: true }, note: { state: true },
  };

  constructor() {
    super();
    this.case = '';
    this.zone = 'UTC';
    /** @type {MatchAnswer | null} */
    this.answer = null;
    /** @type {string | null} */
    this.problem = null;
    this.busy = false;
    /** Which department's form is open. @type {string | null} */
    this.open = null;
    this.why = '';
    this.note = '';
  }

  firstUpdated() {
    void this.act(() => get(this.path()));
  }

  path(proposal = '') {
    return `/api/cases/${encodeURIComponent(this.case)}/match${proposal ? `/${encodeURIComponent(proposal)}` : ''}`;
  }

  /** @param {() => Promise<MatchAnswer>} call */
  async act(call) {
    this.busy = true;
    try {
      this.answer = await call();
      this.problem = null;
      this.open = null;
    } catch (error) {
      this.problem = codeOf(error);
      // What is shown is not what is decided on any more: show what is.
      if (this.problem === 'match_changed' || this.problem === 'match_decided') this.answer = await get(this.path()).catch(() => this.answer);
    }
    this.busy = false;
    await this.updateComplete;
    /** @type {HTMLElement | null} */ (this.querySelector('[data-testid=match-problem]'))?.focus(); // pressed far below, on a telephone
  }

  propose() {
    return this.act(() => post(this.path(), {}));
  }

  /** @param {Ranked} row @param {string | null} why */
  async decide(row, why) {
    const body = { department: row.department, physician: row.physician?.id ?? null, why, note: this.note };
    await this.act(() => post(this.path(this.answer?.proposal?.id ?? ''), body));
    if (!this.problem) this.ask('decided');
  }

  render() {
    const found = this.answer?.proposal ?? null;
    return html`<section class="card match" data-testid="match" aria-busy=${this.busy}>
      <div class="match-head"><div><h2>${t('match-title')}</h2><p class="hint">${t('match-lead')}</p></div>
        <button class=${found ? 'secondary' : 'primary'} data-testid="match-propose" ?disabled=${this.busy} @click=${() => void this.propose()}>${t(found ? 'match-again' : 'match-propose')}</button></div>
      ${this.problem ? html`<div class="notice notice-alarm" role="alert" tabindex="-1" data-testid="match-problem" data-code=${this.problem}>${icon('warning')}<p>${tError(this.problem)}</p></div>` : nothing}
      ${this.answer?.decided ? this.decided(this.answer.decided) : nothing}
      ${found ? this.proposal(found) : this.answer ? html`<p class="hint">${t('match-none-yet')}</p>` : nothing}</section>`;
  }

  /** @param {NonNullable<MatchAnswer['decided']>} done */
  decided(done) {
    return html`<div class="notice notice-good" role="status" data-testid="match-decided" data-department=${done.department}>${icon('check')}<div>
      <p><strong>${t('match-decided', { hospital: done.hospital })}</strong> ${done.name}</p>
      ${done.physician ? html`<p>${t('match-physician', { name: done.physician })}</p>` : nothing}
      ${done.why ? html`<p>${t('match-overridden', { reason: tValue('match-why', done.why) })}</p>` : nothing}${done.note ? html`<p>${done.note}</p>` : nothing}
      <p class="figures">${done.by}, ${fullDate(done.at_ms, language(), this.zone)}, ${hourMinute(done.at_ms, language(), this.zone)}</p></div></div>`;
  }

  /** @param {Proposal} found */
  proposal(found) {
    const best = found.places[0];
    return html`
      ${found.red_flags.length ? html`<div class="notice notice-alarm" role="alert" data-testid="match-red">${icon('phone')}<div><p><strong>${t('match-red-title')}</strong></p>
        <p>${found.red_flags.map((flag) => t(`match-red-${flag}`)).join(' · ')}</p></div></div>` : nothing}
      ${found.outdated ? html`<div class="notice notice-warn" data-testid="match-outdated">${icon('warning')}<p>${t('match-outdated')}</p></div>` : nothing}
      ${found.missing.length ? html`<div class="notice notice-warn" data-testid="match-missing">${icon('warning')}<div><p><strong>${t('match-incomplete')}</strong></p>
        <ul class="match-lacks">${found.missing.map((one) => html`<li data-missing=${one}>${tValue('match-missing', one)}</li>`)}</ul>
        ${best ? html`<p>${t('match-would-be', { place: t(placeId(best.place)) })}</p>` : nothing}</div></div>` : nothing}
      ${best && best.place.split('/')[0] !== this.answer?.chosen ? html`<p class="hint" data-testid="match-chosen">${t('match-chosen-differs', { chosen: specialty(this.answer?.chosen ?? '') })}</p>` : nothing}
      ${found.close ? html`<p class="hint" data-testid="match-close">${t('match-close')}</p>` : nothing}
      ${found.ranked.length ? html`<ol class="match-list">${found.ranked.map((row, number) => this.row(found, row, number))}</ol>`
        : best || !found.missing.length ? html`<p data-testid="match-nobody">${t('match-nobody')}</p>` : nothing}`;
  }

  /** @param {Proposal} found @param {Ranked} row @param {number} number */
  row(found, row, number) {
    const may = !found.decided && !found.outdated && !found.missing.length;
    return html`<li class="match-row" data-testid="match-row" data-department=${row.department}>
      <div class="match-who"><p class="match-name"><span class="match-number" aria-hidden="true">${number + 1}</span><strong>${row.hospital}</strong>
          <span class="chip figures">${t('match-points', { points: row.points })}</span></p>
        <p>${t(placeId(row.place))}${row.physician ? html` <span class="hint">${t('match-physician', { name: row.physician.name })}</span>` : nothing}</p></div>
      <ul class="match-reasons" aria-label=${t('match-why')}>${row.reasons.map((reason) => html`<li data-message=${reason.message} data-against=${reason.points <= 0 || nothing}>
        ${icon(reason.points <= 0 ? 'minus' : 'check')}<span>${t(reason.message, reasonWords(reason.args, language(), (id) => (has(id) ? t(id) : id)))}</span></li>`)}</ul>
      ${may ? this.choice(row, number) : nothing}</li>`;
  }

  /** @param {Ranked} row @param {number} number */
  choice(row, number) {
    if (number === 0) {
      return html`<p class="row"><button class="primary" data-testid="match-accept" ?disabled=${this.busy} @click=${() => void this.decide(row, null)}>${t('match-accept')}<span class="visually-hidden">: ${row.hospital}</span></button></p>`;
    }
    if (this.open !== row.department) {
      return html`<p class="row"><button class="secondary" data-testid="match-choose" ?disabled=${this.busy} @click=${() => this.begin(row)}>${t('match-accept')}<span class="visually-hidden">: ${row.hospital}</span></button></p>`;
    }
    const noted = !NEED_NOTE.includes(this.why) || this.note.trim() !== '';
    return html`<form class="match-form" data-testid="match-form" @keydown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === 'Escape') this.shut(row); }}
        @submit=${(/** @type {SubmitEvent} */ event) => { event.preventDefault(); void this.decide(row, this.why); }}>
      <p><strong>${t('match-override')}</strong></p>
      <label class="field"><span>${t('match-reason')}</span><select data-testid="match-reason" @change=${(/** @type {Event} */ event) => { this.why = valueOf(event); }}>
        <option value="" ?selected=${this.why === ''}></option>${WHY.map((one) => html`<option value=${one} ?selected=${one === this.why}>${tValue('match-why', one)}</option>`)}</select></label>
      <label class="field"><span>${t('match-note')}</span><input type="text" data-testid="match-note" maxlength=${MAX_NOTE} .value=${this.note} @input=${(/** @type {Event} */ event) => { this.note = valueOf(event); }}></label>
      <p class="row"><button type="button" class="secondary" data-testid="match-cancel" @click=${() => this.shut(row)}>${t('match-cancel')}</button>
        <button class="primary" data-testid="match-override" ?disabled=${this.busy || !this.why || !noted}>${t('match-accept')}</button></p></form>`;
  }

  /** @param {Ranked} row */
  begin(row) {
    this.open = row.department;
    this.why = '';
    this.note = '';
    void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector('[data-testid=match-reason]'))?.focus());
  }

  /** @param {Ranked} row */
  shut(row) {
    this.open = null;
    void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector(`[data-department="${CSS.escape(row.department)}"] [data-testid=match-choose]`))?.focus());
  }
}

/** @param {Event} event */
function valueOf(event) {
  return /** @type {HTMLInputElement | HTMLSelectElement} */ (event.target).value;
}

customElements.define('hj-match', Match);
