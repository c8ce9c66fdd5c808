/** <hj-registration>: a patient as registered at a site, saved as it is typed, and those who may be registered already. */
import { html, live, nothing } from '/static/vendor/lit.js';
import { codeOf, get, post } from '../api.js';
import { languageName } from '../cldr.js';
import { countries } from '../countries.js';
import { language, t, tError, tValue } from '../i18n.js';
import { merged } from '../referral/merged.js';
import { ageAt } from '../referral/texts.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';
import { problemText } from './question.js';

/** @typedef {import('../types/referral.js').Patient} Patient */

const SOON_MS = 900;
const OF_AGE = 18;
const MOST_GUARDIANS = 4;
const SCRIPTS = ['latin', 'cyrillic', 'hangul'];
const SEXES = ['female', 'male', 'other'];
const CONTACTS = ['phone', 'email', 'messenger'];
const SPOKEN = ['kk', 'ru', 'uz', 'mn', 'ky', 'tg', 'tk', 'ko', 'en', 'zh', 'ar', 'vi', 'uk'];

class Registration extends LightElement {
  static properties = { patient: { attribute: false }, problems: { attribute: false }, checked: { type: Boolean }, asked: { attribute: false } };

  constructor() {
    super();
    /** @type {Patient | null} */
    this.patient = null;
    /** @type {import('../types/referral.js').Problem[]} */
    this.problems = [];
    /** Whether what is missing is said beside each field already. */
    this.checked = false;
    /** @type {string[]} what a return asks about */
    this.asked = [];
    /** @type {Patient | null} the newest that the server is known to have */
    this.base = null;
    /** @type {Patient | null} what is typed, on the base */
    this.typed = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.dirty = false;
    this.busy = false;
    /** @type {string | null} */
    this.failed = null;
  }

  willUpdate() {
    const { base, patient } = this;
    if (patient === base) return;
    if (base && patient && base.id === patient.id) {
      if (patient.version < base.version) return; // an answer that was overtaken
      this.typed = merged(base, this.typed, patient);
    } else this.typed = structuredClone(patient);
    this.base = patient;
  }

  /** Nothing is typed that the server does not have. */
  get isClean() {
    return !this.dirty && !this.busy;
  }

  /** @param {(one: Patient) => void} change */
  edit(change) {
    if (!this.typed) return;
    change(this.typed);
    this.dirty = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.save(), SOON_MS);
    this.requestUpdate();
  }

  /** @param {string[]} distinct patients who were said to be others */
  async save(distinct = []) {
    clearTimeout(this.timer);
    if (!this.typed || !this.base || (!this.dirty && distinct.length === 0) || this.busy) return;
    this.busy = true;
    this.dirty = false;
    const { names, birth_date, sex, nationality, languages, contact, guardians } = this.typed;
    try {
      const saved = await post(`/api/patients/${encodeURIComponent(this.base.id)}`, {
        version: this.base.version, person: { names, birth_date, sex, nationality, languages, contact, guardians }, distinct_from: distinct,
      });
      this.failed = null;
      this.busy = false;
      this.base = saved;
      if (!this.dirty) this.typed = structuredClone(saved);
      this.ask('registered', { patient: saved });
    } catch (error) {
      this.busy = false;
      this.dirty = true;
      this.failed = codeOf(error);
      if (this.failed === 'patient_changed') await this.renew();
      if (this.failed === 'network') this.timer = setTimeout(() => void this.save(distinct), 3 * SOON_MS);
    }
    if (this.dirty && this.failed === null) await this.save();
    this.requestUpdate();
  }

  /** Somebody else saved meanwhile: theirs is shown, with what was changed only here, which the next change or the referral saves. */
  async renew() {
    this.patient = await get(`/api/patients/${encodeURIComponent(this.base?.id ?? '')}`).catch(() => this.patient);
    await this.updateComplete;
  }

  /** @param {string} field */
  problem(field) {
    const found = this.checked ? this.problems.find((one) => one.question === `patient.${field}`) : undefined;
    return found ? html`<p class="question-problem" id="p-${field}-problem">${icon('warning')}<span>${problemText(found)}<span class="problem-why">${t(`patient-why-${field.replaceAll('_', '-')}`)}</span></span></p>` : nothing;
  }

  /** @param {string} field */
  again(field) {
    return this.asked.includes(`patient.${field}`) ? html` <span class="chip chip-open">${t('referral-asked-again')}</span>` : nothing;
  }

  render() {
    const one = this.typed;
    if (!one) return nothing;
    const text = (/** @type {Event} */ event) => /** @type {HTMLInputElement} */ (event.target).value;
    const sorted = countries(language());
    const age = ageAt(one.birth_date, new Date());
    return html`<section class="card registration" data-testid="registration" aria-labelledby="p-head">
      <div class="row"><h2 id="p-head" tabindex="-1">${t('case-patient')}</h2>${one.synthetic ? html`<span class="chip chip-synthetic">${t('case-synthetic')}</span>` : nothing}
        <span class="hint" role="status">${(this.dirty || this.busy) && !this.failed ? t('referral-saving') : nothing}</span></div>
      ${this.failed ? html`<div class="notice notice-alarm" role="alert">${icon('warning')}<p>${tError(this.failed)}</p></div>` : nothing}
      ${this.alike()}
      <div class="fields">${SCRIPTS.map((script) => html`<label class="field"><span>${t(`patient-name-${script}`)}${script === 'latin' ? this.again('name') : nothing}</span>
        <input type="text" id=${script === 'latin' ? 'p-name' : nothing} lang=${script === 'hangul' ? 'ko' : script === 'cyrillic' ? 'ru' : 'en'} autocomplete="off" maxlength="80" data-testid="name-${script}"
          .value=${live(one.names[script] ?? '')} @input=${(/** @type {Event} */ event) => this.edit((to) => { to.names[script] = text(event); })} />${script === 'latin' ? this.problem('name') : nothing}</label>`)}</div>
      <div class="fields">
        <label class="field"><span>${t('case-birth-date')}${this.again('birth_date')}</span><input type="date" id="p-birth_date" data-testid="birth-date" .value=${live(one.birth_date)}
          @change=${(/** @type {Event} */ event) => this.edit((to) => { to.birth_date = text(event); })} />${this.problem('birth_date')}</label>
        <label class="field"><span>${t('case-sex')}${this.again('sex')}</span><select id="p-sex" data-testid="sex" @change=${(/** @type {Event} */ event) => this.edit((to) => { to.sex = text(event); })}>
          <option value="" ?selected=${one.sex === ''}>${t('referral-choose')}</option>${SEXES.map((sex) => html`<option value=${sex} ?selected=${sex === one.sex}>${tValue('sex', sex)}</option>`)}</select>${this.problem('sex')}</label>
        <label class="field"><span>${t('patient-nationality')}${this.again('nationality')}</span><select id="p-nationality" data-testid="nationality" @change=${(/** @type {Event} */ event) => this.edit((to) => { to.nationality = text(event); })}>
          <option value="" ?selected=${one.nationality === ''}>${t('referral-choose')}</option>${sorted.map(({ code, name }) => html`<option value=${code} ?selected=${code === one.nationality}>${name}</option>`)}</select>${this.problem('nationality')}</label></div>
      ${this.spoken(one)}
      <div class="fields">${CONTACTS.map((kind) => html`<label class="field"><span>${t(`patient-${kind}`)}${kind === 'phone' ? this.again('contact') : nothing}</span>
        <input type="text" id=${kind === 'phone' ? 'p-contact' : nothing} inputmode=${kind === 'phone' ? 'tel' : kind === 'email' ? 'email' : 'text'} autocomplete="off" maxlength="80" data-testid="contact-${kind}"
          .value=${live(one.contact[kind] ?? '')} @input=${(/** @type {Event} */ event) => this.edit((to) => { to.contact[kind] = text(event); })} />${kind === 'phone' ? this.problem('contact') : nothing}</label>`)}</div>
      ${one.guardians.length > 0 || (age !== null && age < OF_AGE) ? this.guardians(one) : nothing}
    </section>`;
  }

  /** @param {Patient} one */
  spoken(one) {
    return html`<fieldset><legend id="p-languages" tabindex="-1">${t('patient-languages')}${this.again('languages')}</legend><div class="choices narrow-choices">${SPOKEN.map((code) => html`<label class="tick">
      <input type="checkbox" data-testid="speaks-${code}" .checked=${live(one.languages.includes(code))} @change=${(/** @type {Event} */ event) => this.edit((to) => {
        const on = /** @type {HTMLInputElement} */ (event.target).checked;
        to.languages = [...to.languages.filter((known) => known !== code), ...(on ? [code] : [])].slice(0, 6);
      })} /><span>${languageName(code, language())}</span></label>`)}</div>${this.problem('languages')}</fieldset>`;
  }

  /** @param {Patient} one */
  guardians(one) {
    const rows = one.guardians.length > 0 ? one.guardians : [{ name: '', relation: '', phone: '' }];
    const put = (/** @type {number} */ at, /** @type {'name' | 'relation' | 'phone'} */ part, /** @type {Event} */ event) => this.edit((to) => {
      to.guardians = rows.map((row, index) => (index === at ? { ...row, [part]: /** @type {HTMLInputElement} */ (event.target).value } : row));
    });
    return html`<fieldset><legend id="p-guardians" tabindex="-1">${t('patient-guardians')}${this.again('guardians')}</legend><p class="hint">${t('patient-why-guardians')}</p>
      ${rows.map((row, at) => html`<div class="fields">${/** @type {const} */ (['name', 'relation', 'phone']).map((part) => html`<label class="field"><span>${t(`patient-guardian-${part}`)}</span>
        <input type="text" autocomplete="off" maxlength="80" data-testid="guardian-${part}" .value=${live(row[part])} @input=${(/** @type {Event} */ event) => put(at, part, event)} /></label>`)}</div>`)}
      ${rows.length < MOST_GUARDIANS ? html`<button type="button" class="link" @click=${() => this.edit((to) => { to.guardians = [...rows, { name: '', relation: '', phone: '' }]; })}>${t('patient-guardian-more')}</button>` : nothing}
      ${this.problem('guardians')}</fieldset>`;
  }

  alike() {
    const others = this.base?.alike ?? [];
    if (others.length === 0) return nothing;
    return html`<div class="notice notice-warn" role="status" data-testid="alike" id="p-alike" tabindex="-1">${icon('person')}<div><p><strong>${t('patient-alike')}</strong></p><p>${t('patient-why-alike')}</p>
      <ul class="alike">${others.map((other) => html`<li data-testid="alike-row" data-patient=${other.id}><p><strong>${Object.values(other.names).join(' · ')}</strong></p>
        <p class="figures">${other.birth_date}${other.sex ? html` · ${tValue('sex', other.sex)}` : nothing} · ${t('patient-cases', { count: other.cases })} ${other.sure ? html`<span class="chip">${t('patient-sure')}</span>` : nothing}</p>
        <div class="row"><button type="button" class="secondary" data-testid="alike-same" @click=${() => this.ask('same', { patient: other.id })}>${t('patient-same')}</button>
          <button type="button" class="quiet" data-testid="alike-other" @click=${() => void this.save([other.id])}>${t('patient-other')}</button></div></li>`)}</ul></div></div>`;
  }
}
customElements.define('hj-registration', Registration);
