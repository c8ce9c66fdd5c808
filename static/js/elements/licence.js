/** <hj-licence>: what is known of a physician's licence, the form that enters it, and who saw it. */
import { html, nothing } from '/static/vendor/lit.js';
import { post } from '../api.js';
import { countryName } from '../cldr.js';
import { countries } from '../countries.js';
import { language, t, tValue } from '../i18n.js';
import { fullDate } from '../time.js';
import { FormElement, given, word } from './form.js';

/** @typedef {import('../types/people.js').Person} Person */

/** @param {import('../types/people.js').PersonRow} row */
export function licenceChip(row) {
  if (!row.licence_needed && row.licence_state === 'none') return nothing;
  const good = row.licence_state === 'verified';
  return html`<span class="chip ${good ? 'chip-live' : 'chip-synthetic'}" data-testid="licence-state" data-state=${row.licence_state}>${tValue('licence-state', row.licence_state)}</span>`;
}

class LicenceForm extends FormElement {
  static properties = { ...FormElement.properties, person: { attribute: false }, zone: { type: String }, open: { state: true } };

  constructor() {
    super();
    /** @type {Person | null} */
    this.person = null;
    this.zone = 'UTC';
    this.open = false;
  }

  /** @param {string} more @param {Record<string, unknown>} body @param {string} message */
  send(more, body, message) {
    void this.once(async () => {
      this.ask('person-saved', { person: await post(`/api/people/${encodeURIComponent(this.person?.id ?? '')}/licence${more}`, body) });
      this.open = false;
      return message;
    });
  }

  /** @param {SubmitEvent} event */
  save(event) {
    const data = given(event);
    this.send('', { number: word(data, 'number'), country: word(data, 'country'), institution: word(data, 'institution'), expires: word(data, 'expires') || null }, 'licence-saved');
  }

  render() {
    const one = this.person;
    if (!one) return nothing;
    const { licence } = one;
    const may = one.may.includes('licence.write');
    const day = (/** @type {number} */ ms) => fullDate(ms, language(), this.zone);
    return html`<section class="card" data-testid="licence"><div class="row"><h2>${t('licence-title')}</h2>${licenceChip({ ...one, licence_needed: true })}</div>
      ${this.notices()}
      ${one.licence_needed && one.licence_state !== 'verified' ? html`<div class="notice notice-warn"><p>${t('licence-stops')}</p></div>` : nothing}
      ${licence ? html`<dl class="facts"><div><dt>${t('licence-number')}</dt><dd>${licence.number}</dd></div><div><dt>${t('licence-country')}</dt><dd>${countryName(licence.country, language())}</dd></div>
          <div><dt>${t('licence-institution')}</dt><dd>${licence.institution}</dd></div><div><dt>${t('licence-expires')}</dt><dd>${licence.expires ? day(Date.parse(`${licence.expires}T12:00Z`)) : t('licence-never')}</dd></div></dl>
        <p class="hint">${t('licence-entered', { who: licence.entered_by ?? '–', date: day(licence.entered_ms) })}</p>
        ${licence.verified_ms ? html`<p class="hint" data-testid="licence-seen">${t('licence-verified', { who: licence.verified_by ?? '–', date: day(licence.verified_ms) })}</p>` : nothing}
        ${one.may.includes('licence.verify') ? this.verifying(licence) : nothing}` : html`<p class="hint">${t('licence-none')}</p>`}
      ${may && !this.open ? html`<div><button class="secondary" data-testid="licence-open" @click=${() => { this.open = true; }}>${licence ? t('licence-change') : t('licence-enter')}</button></div>` : nothing}
      ${may && this.open ? this.form(licence) : nothing}</section>`;
  }

  /** @param {import('../types/people.js').Licence} licence */
  verifying(licence) {
    const seen = licence.verified_ms === null;
    return html`<div><button class=${seen ? 'primary' : 'secondary'} data-testid="licence-verify" ?disabled=${this.busy}
      @click=${() => this.send('/verify', { number: licence.number, seen }, seen ? 'licence-said' : 'licence-unsaid')}>${seen ? t('licence-verify') : t('licence-unverify')}</button></div>`;
  }

  /** @param {import('../types/people.js').Licence | null} licence */
  form(licence) {
    return html`<form novalidate data-testid="licence-form" @submit=${this.save} @keydown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === 'Escape') this.open = false; }}>
      <div class="fields">${this.text({ name: 'number', label: t('licence-number'), value: licence?.number, needed: true })}
        ${this.choice({ name: 'country', label: t('licence-country'), value: licence?.country ?? '' }, [{ code: '', name: t('form-choose') }, ...countries(language())])}
        ${this.text({ name: 'institution', label: t('licence-institution'), value: licence?.institution, needed: true })}
        ${this.text({ name: 'expires', label: t('licence-expires'), value: licence?.expires ?? '', type: 'date' })}</div>
      <p class="hint">${t('licence-again')}</p>
      <div class="row"><button class="primary" data-testid="licence-save" ?disabled=${this.busy}>${t('form-save')}</button>
        <button type="button" class="quiet" @click=${() => { this.open = false; }}>${t('form-cancel')}</button></div></form>`;
  }
}
customElements.define('hj-licence', LicenceForm);
