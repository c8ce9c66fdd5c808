/** <hj-consent-form>: the patient, or a guardian, answers each purpose by itself on a phone beside them. A no is as easy as a yes. It asks `kept`. */
import { html, live, nothing } from '/static/vendor/lit.js';
import { codeOf, get, post } from '../api.js';
import { PURPOSES } from '../consents/texts.js';
import { wordsAround } from '../consents/words.js';
import { fallbacks } from '../languages.js';
import { language, t, tError, tValue } from '../i18n.js';
import { consentText } from './consent-text.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';
import './signature.js';

/** @typedef {import('../types/consents.js').ConsentsAnswer} ConsentsAnswer */

const METHODS = Object.freeze(['typed', 'drawn', 'read_aloud', 'paper']);

class ConsentForm extends LightElement {
  static properties = { case: { type: String }, answer: { attribute: false } };

  constructor() {
    super();
    this.case = '';
    /** @type {ConsentsAnswer | null} */
    this.answer = null;
    /** The language of the person who answers. */
    this.spoken = '';
    /** @type {import('../types/consents.js').TextsAnswer | null} */
    this.told = null;
    /** @type {Record<string, string>} */
    this.words = {};
    /** @type {Map<string, 'granted' | 'declined'>} */
    this.said = new Map();
    this.by = 'patient';
    this.name = '';
    this.witness = '';
    this.method = 'typed';
    this.busy = false;
    /** How many answers were kept last. */
    this.kept = 0;
    /** @type {string | null} */
    this.problem = null;
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    const answer = this.answer;
    if (!changed.has('answer') || !answer || this.spoken) return;
    const known = this.languages(answer);
    const own = (answer.patient?.languages ?? []).flatMap(fallbacks);
    this.by = answer.patient?.minor ? 'guardian' : 'patient';
    void this.speak([...own, language(), 'en'].find((code) => known.includes(code)) ?? 'en');
  }

  /** In which every purpose can be read. @param {ConsentsAnswer} answer */
  languages(answer) {
    return answer.purposes.map((one) => one.languages).reduce((all, more) => all.filter((code) => more.includes(code)));
  }

  /** What was answered in another language is asked again. @param {string} code */
  async speak(code) {
    this.spoken = code;
    this.said.clear();
    try {
      [this.told, this.words] = await Promise.all([get(`/api/cases/${encodeURIComponent(this.case)}/consents/texts/${code}`), wordsAround(code)]);
      this.problem = null;
    } catch (error) {
      this.problem = codeOf(error);
    }
    this.requestUpdate();
  }

  async keep() {
    const signature = /** @type {(HTMLElement & {path: string}) | null} */ (this.querySelector('hj-signature'));
    const decisions = (this.told?.texts ?? []).filter((text) => this.said.has(text.purpose))
      .map(({ purpose, version, sha256 }) => ({ purpose, version, sha256, decision: this.said.get(purpose) }));
    this.busy = true;
    this.requestUpdate();
    try {
      const answer = await post(`/api/cases/${encodeURIComponent(this.case)}/consents`, {
        language: this.spoken, by: this.by, name: this.name, method: this.method, decisions,
        ...(this.method === 'drawn' ? { drawing: signature?.path ?? '' } : {}), ...(this.method === 'paper' ? { document: /** @type {HTMLSelectElement | null} */ (this.querySelector('[data-testid="consent-paper"]'))?.value ?? '' } : {}), ...(this.method === 'read_aloud' ? { witness: this.witness } : {}),
      });
      this.kept = decisions.length;
      this.said.clear();
      this.problem = null;
      this.ask('consents', { answer });
    } catch (error) {
      this.problem = codeOf(error);
    }
    this.busy = false;
    this.requestUpdate();
    void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector(this.problem ? '[role=alert]' : '[data-testid="consent-kept"]'))?.focus());
  }

  render() {
    const answer = this.answer;
    if (!answer) return nothing;
    const told = this.told;
    const change = (/** @type {() => void} */ what) => {
      what();
      this.kept = 0;
      this.requestUpdate();
    };
    const value = (/** @type {Event} */ event) => /** @type {HTMLInputElement} */ (event.target).value;
    return html`<section class="consent-form" aria-labelledby="consent-form-head">
      <div class="card"><h2 id="consent-form-head">${t('consent-form-title')}</h2><p class="hint">${t('consent-form-hint')}</p>
        <label class="field"><span>${t('consent-form-language')}</span><select data-testid="consent-language" @change=${(/** @type {Event} */ event) => void this.speak(value(event))}>
          ${this.languages(answer).map((code) => html`<option value=${code} lang=${code} ?selected=${code === this.spoken}>${t(`language-${code}`)}</option>`)}</select></label>
        ${answer.patient?.minor ? html`<div class="notice notice-warn">${icon('person')}<p>${t('consent-minor')}</p></div>` : nothing}
        ${told && told.texts.some((text) => !text.reviewed) ? html`<p class="hint" data-testid="consent-unreviewed">${icon('warning')} ${t('consent-unreviewed')}</p>` : nothing}</div>
      ${told ? PURPOSES.map((purpose) => this.question(purpose, change)) : this.problem ? nothing : html`<p class="hint" role="status">${t('loading')}</p>`}
      <div class="card">${this.giver(answer, change, value)}
        <fieldset class="consent-ways"><legend>${t('consent-way')}</legend>${METHODS.map((method) => html`<label class="tick"><input type="radio" name="way" value=${method} data-testid="consent-way-${method}"
          .checked=${live(this.method === method)} ?disabled=${method === 'paper' && answer.papers.length === 0} @change=${() => change(() => { this.method = method; })} /><span>${tValue('consent-method', method)}
          ${method === 'paper' && answer.papers.length === 0 ? html`<span class="hint">${t('consent-paper-none')}</span>` : nothing}</span></label>`)}</fieldset>
        ${this.method === 'drawn' ? html`<hj-signature></hj-signature>` : nothing}
        ${this.method === 'paper' ? html`<label class="field"><span>${t('consent-paper-which')}</span><select data-testid="consent-paper">${answer.papers.map((one) => html`<option value=${one.id}>${one.name}</option>`)}</select></label>` : nothing}
        ${this.method === 'read_aloud' ? html`<label class="field"><span>${t('consent-witness-name')}</span><input type="text" maxlength="80" autocomplete="off" data-testid="consent-witness-name" .value=${live(this.witness)}
          @input=${(/** @type {Event} */ event) => { this.witness = value(event); }} /></label><p class="hint">${t('consent-witness-hint')}</p>` : nothing}
        ${this.problem ? html`<div class="notice notice-alarm" role="alert" tabindex="-1">${icon('warning')}<p>${tError(this.problem)}</p></div>` : nothing}
        <button type="button" class="primary big" data-testid="consent-keep" ?disabled=${this.busy || this.said.size === 0} @click=${() => void this.keep()}>${icon('check')}${t('consent-keep', { count: this.said.size })}</button>
        ${this.kept > 0 ? html`<p role="status" tabindex="-1" data-testid="consent-kept">${icon('check')} ${t('consent-kept', { count: this.kept })}</p>` : nothing}</div></section>`;
  }

  /** @param {string} purpose @param {(what: () => void) => void} change */
  question(purpose, change) {
    const text = this.told?.texts.find((one) => one.purpose === purpose);
    if (!text || !this.told) return nothing;
    const said = this.said.get(purpose);
    const nobody = purpose === 'transfer_abroad' && this.told.places.recipients.length === 0;
    const button = (/** @type {'granted' | 'declined'} */ answer, /** @type {string} */ word) => html`<button type="button" class="secondary consent-answer" data-testid="consent-${answer}" aria-pressed=${said === answer}
      @click=${() => change(() => { this.said.set(purpose, answer); })}>${said === answer ? icon(answer === 'granted' ? 'check' : 'minus') : nothing}${this.words[word]}</button>`;
    return html`<div class="card" data-testid="consent-question" data-purpose=${purpose}>${consentText(text, this.told.places, this.words)}
      ${nobody ? html`<div class="notice notice-warn" data-testid="consent-nobody-yet">${icon('warning')}<p>${tError('recipient_unknown')}</p></div>` : nothing}
      <div class="consent-answers equal" role="group" lang=${text.language}>${nobody ? nothing : button('granted', 'consent-say-yes')}${button('declined', 'consent-say-no')}</div></div>`;
  }

  /** @param {ConsentsAnswer} answer @param {(what: () => void) => void} change @param {(event: Event) => string} value */
  giver(answer, change, value) {
    const guardians = answer.patient?.guardians ?? [];
    return html`<fieldset class="consent-ways"><legend>${t('consent-who')}</legend>
        <label class="tick"><input type="radio" name="by" data-testid="consent-by-patient" .checked=${live(this.by === 'patient')} ?disabled=${answer.patient?.minor ?? false} @change=${() => change(() => { this.by = 'patient'; this.name = ''; })} /><span>${t('consent-by-patient')}</span></label>
        ${guardians.length > 0 || answer.patient?.minor ? html`<label class="tick"><input type="radio" name="by" data-testid="consent-by-guardian" .checked=${live(this.by === 'guardian')} @change=${() => change(() => { this.by = 'guardian'; this.name = ''; })} /><span>${t('consent-by-guardian')}</span></label>` : nothing}</fieldset>
      ${this.by === 'guardian'
        ? html`<label class="field"><span>${t('consent-guardian-which')}</span><select data-testid="consent-guardian" @change=${(/** @type {Event} */ event) => change(() => { this.name = value(event); })}><option value="">${t('referral-choose')}</option>
            ${guardians.map((one) => html`<option value=${one.name} ?selected=${one.name === this.name}>${one.name} (${one.relation})</option>`)}</select></label>${guardians.length === 0 ? html`<p class="hint">${t('consent-guardian-none')}</p>` : nothing}`
        : html`<label class="field"><span>${t('consent-name')}</span><input type="text" maxlength="80" autocomplete="off" data-testid="consent-name" .value=${live(this.name)} @input=${(/** @type {Event} */ event) => { this.name = value(event); }} /></label>`}`;
  }
}
customElements.define('hj-consent-form', ConsentForm);
