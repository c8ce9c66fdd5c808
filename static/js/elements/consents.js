/** <hj-consents>: how a case's consents stand: who has given what, in which version, what is missing; older texts stay readable. */
import { html, nothing } from '/static/vendor/lit.js';
import { wordsAround } from '../consents/words.js';
import { codeOf, get, post } from '../api.js';
import { language, t, tError, tValue } from '../i18n.js';
import { fullDate, hourMinute, zoneName } from '../time.js';
import { consentText } from './consent-text.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';
import { signaturePath } from './signature.js';

/** @typedef {import('../types/consents.js').ConsentsAnswer} ConsentsAnswer */
/** @typedef {import('../types/consents.js').Decision} Decision */

class Consents extends LightElement {
  static properties = { case: { type: String }, answer: { attribute: false }, may: { type: Boolean }, link: { type: Boolean } };

  constructor() {
    super();
    this.case = '';
    /** @type {ConsentsAnswer | null} given by the page, or asked for here */
    this.answer = null;
    /** Whether the reader writes consents down. */
    this.may = false;
    /** Whether it leads to the page where they are given. */
    this.link = false;
    /** @type {string | null} */
    this.problem = null;
    /** The text that is read again, by the consent's id. @type {Map<string, {told: import('../types/consents.js').TextAnswer, words: Record<string, string>}>} */
    this.texts = new Map();
    /** Which purpose's withdrawal is being confirmed. @type {string | null} */
    this.confirming = null;
    this.busy = false;
  }

  connectedCallback() {
    super.connectedCallback();
    if (!this.answer) void this.load();
  }

  get base() {
    return `/api/cases/${encodeURIComponent(this.case)}/consents`;
  }

  /** @param {() => Promise<unknown>} work */
  async tried(work) {
    this.busy = true;
    this.requestUpdate();
    try {
      await work();
      this.problem = null;
    } catch (error) {
      this.problem = codeOf(error);
    }
    this.busy = false;
    this.requestUpdate();
  }

  load() {
    return this.tried(async () => { this.answer = await get(this.base); });
  }

  /** @param {string} path @param {object} body @param {string} purpose whose line has the keyboard's place afterwards */
  async act(path, body, purpose) {
    await this.tried(async () => {
      this.answer = await post(`${this.base}/${path}`, body);
      this.confirming = null;
      this.ask('consents', { answer: this.answer });
    });
    this.put(this.problem ? '[role=alert]' : `[data-purpose="${purpose}"]`);
  }

  /** @param {string} selector */
  put(selector) {
    void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector(selector))?.focus());
  }

  /** @param {string | null} purpose @param {string} before */
  confirm(purpose, before = '') {
    this.confirming = purpose;
    this.requestUpdate();
    this.put(purpose ? '[data-testid="consent-withdraw-not"]' : `[data-purpose="${before}"] [data-testid="consent-withdraw"]`);
  }

  /** @param {Decision} one */
  read(one) {
    if (this.texts.has(one.id)) return;
    void this.tried(async () => {
      const told = await get(`${this.base}/${encodeURIComponent(one.id)}/text`);
      this.texts.set(one.id, { told, words: await wordsAround(told.text.language) });
    });
  }

  render() {
    const answer = this.answer;
    return html`<section class="card consents" data-testid="consents" aria-labelledby="consents-head">
      <div class="row"><h2 id="consents-head">${t('consents-title')}</h2>
        ${answer ? html`<span class="chip ${answer.missing.length === 0 ? 'chip-open' : 'chip-lacking'}" data-testid="consents-missing" data-missing=${answer.missing.join(' ')}>
          ${answer.missing.length === 0 ? t('consents-whole') : t('consents-lacking', { count: answer.missing.length })}</span>` : nothing}</div>
      ${this.problem ? html`<div class="notice notice-alarm" role="alert" tabindex="-1">${icon('warning')}<p>${tError(this.problem)}</p></div>` : nothing}
      ${answer ? this.body(answer) : this.problem ? nothing : html`<p class="hint" role="status">${t('loading')}</p>`}
      ${this.link ? html`<p><a class="button secondary" data-testid="to-consents" href="/cases/${encodeURIComponent(this.case)}/consents">${icon('shield')}${t(this.may ? 'consents-to-give' : 'consents-to-read')}</a></p>` : nothing}</section>`;
  }

  /** @param {ConsentsAnswer} answer */
  body(answer) {
    const said = answer.seats.filter((seat) => seat.persons.length > 0 && seat.role !== 'patient');
    return html`<ul class="consent-states">${answer.purposes.map((one) => this.purpose(answer, one))}</ul>
      ${said.length === 0 ? nothing : html`<details><summary>${t('consents-at-doors')}</summary><ul class="consent-doors">${said.map((seat) => html`<li><strong>${tValue('role', seat.role)}</strong>
        ${seat.persons.filter(Boolean).join(', ')} · ${tValue('consent-decision', seat.decision)}${seat.at_ms === null ? nothing : html`, ${this.when(seat.at_ms, answer.time_zone)}`}
        <span class="hint">${seat.read.map((one) => `${tValue('consent-purpose', one.purpose)} ${t('consent-version', { version: one.version })}`).join(' · ')}</span></li>`)}</ul></details>`}
      ${answer.policies.some((one) => one.seat_rule === 'required') ? html`<p class="hint" data-testid="consents-rule">${t('consents-rule')}</p>` : nothing}`;
  }

  /** @param {number} at @param {string} zone */
  when(at, zone) {
    return html`<span class="figures">${fullDate(at, language(), zone)} ${hourMinute(at, language(), zone)} ${zoneName(at, language(), zone)}</span>`;
  }

  /** @param {ConsentsAnswer} answer @param {import('../types/consents.js').Purpose} one */
  purpose(answer, one) {
    const needed = answer.required.includes(one.purpose);
    const [newest] = one.decisions;
    return html`<li tabindex="-1" data-testid="consent-state" data-purpose=${one.purpose} data-state=${one.state}>
      <div class="row"><strong>${tValue('consent-purpose', one.purpose)}</strong>
        <span class="chip ${one.state === 'granted' ? 'chip-open' : needed ? 'chip-lacking' : ''}">${tValue('consent-state', one.state)}</span>
        ${needed ? html`<span class="hint">${t('consent-needed')}</span>` : nothing}</div>
      ${newest ? html`<details @toggle=${() => this.read(newest)}><summary>${this.line(answer, newest)}</summary>
        ${this.texts.has(newest.id) ? this.text(newest) : nothing}
        ${one.decisions.slice(1).map((older) => html`<details @toggle=${() => this.read(older)}><summary>${this.line(answer, older)}</summary>${this.texts.has(older.id) ? this.text(older) : nothing}</details>`)}</details>` : nothing}
      ${one.state === 'unwitnessed' && newest && this.may ? html`<button type="button" class="secondary" data-testid="consent-witness" ?disabled=${this.busy} @click=${() => void this.act('witness', { consents: [newest.id] }, one.purpose)}>${icon('check')}${t('consent-witness-now')}</button>` : nothing}
      ${this.may && newest?.decision === 'granted' ? this.withdrawal(one.purpose) : nothing}</li>`;
  }

  /** @param {ConsentsAnswer} answer @param {Decision} one */
  line(answer, one) {
    return html`<span>${tValue('consent-decision', one.decision)} · ${this.when(one.at_ms, answer.time_zone)} · ${t('consent-version', { version: one.version })} · ${t(`language-${one.language}`)}</span>`;
  }

  /** @param {Decision} one */
  text(one) {
    const found = this.texts.get(one.id);
    if (!found) return nothing;
    return html`<div class="consent-given"><p>${[one.name, one.relation || (one.by === 'guardian' ? t('consent-by-guardian') : ''), tValue('consent-method', one.method)].filter(Boolean).join(' · ')}</p>
      ${one.witness ? html`<p>${t('consent-witness-named', { name: one.witness })} ${one.witnessed_by ? t('consent-witnessed-by', { name: one.witnessed_by }) : ''}</p>` : nothing}
      ${one.drawing ? html`<div class="signature-kept">${signaturePath(one.drawing)}</div>` : nothing}
      ${one.recorded_by ? html`<p class="hint">${t('consent-recorded-by', { name: one.recorded_by })}</p>` : nothing}
      ${consentText(found.told.text, found.told.places, found.words)}
      <p class="hint figures">${t('consent-hash', { hash: one.sha256.slice(0, 16) })}</p></div>`;
  }

  /** @param {string} purpose */
  withdrawal(purpose) {
    if (this.confirming !== purpose) return html`<button type="button" class="link" data-testid="consent-withdraw" @click=${() => this.confirm(purpose)}>${t('consent-withdraw-for')}</button>`;
    return html`<div class="notice notice-alarm" role="alert">${icon('warning')}<div><p>${t(purpose === 'recording' ? 'consent-withdraw-recording' : 'consent-withdraw-other')}</p>
      <div class="row"><button type="button" class="secondary" data-testid="consent-withdraw-not" @click=${() => this.confirm(null, purpose)}>${t('withdraw-cancel')}</button>
        <button type="button" class="primary danger" data-testid="consent-withdraw-sure" ?disabled=${this.busy} @click=${() => void this.act('withdraw', { purpose }, purpose)}>${t('consent-withdraw-now')}</button></div></div></div>`;
  }
}
customElements.define('hj-consents', Consents);
