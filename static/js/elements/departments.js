/** <hj-departments>: the departments of a hospital with their physicians; a form adds one of either. */
import { html, nothing } from '/static/vendor/lit.js';
import { post } from '../api.js';
import { languageName } from '../cldr.js';
import { language, t, tValue } from '../i18n.js';
import { FormElement, given, word } from './form.js';
import { SPOKEN } from './site-form.js';

/** @typedef {import('../types/people.js').Department} Department */

class Departments extends FormElement {
  static properties = { ...FormElement.properties, site: { type: String }, rows: { attribute: false }, places: { attribute: false }, people: { attribute: false }, may: { type: Boolean }, open: { state: true }, specialty: { state: true } };

  constructor() {
    super();
    this.site = '';
    /** @type {Department[]} of this site */
    this.rows = [];
    /** Sub-specialties of each specialty. @type {Record<string, string[]>} */
    this.places = {};
    /** Consulting physicians with accounts here. @type {{email: string, name: string}[]} */
    this.people = [];
    this.may = false;
    /** Which form is open: `new`, or the id of the department that gets a physician. */
    this.open = '';
    this.specialty = '';
  }

  /** @param {string} path @param {Record<string, unknown>} body */
  send(path, body) {
    void this.once(async () => {
      await post(path, body);
      this.open = '';
      this.ask('departments-changed');
      return 'form-saved';
    });
  }

  /** @param {SubmitEvent} event */
  add(event) {
    const data = given(event);
    const [places, languages] = [data.getAll('places').map(String), data.getAll('languages').map(String)];
    const monthly = Number(data.get('monthly'));
    /** @type {Record<string, string>} */
    const wrong = {};
    if (!word(data, 'name').trim()) wrong.name = 'empty';
    if (!this.specialty) wrong.specialty = 'empty';
    else if (!places.length) wrong.places = 'empty';
    if (!languages.length) wrong.languages = 'empty';
    if (!Number.isInteger(monthly) || monthly < 1 || monthly > 1000) wrong.monthly = 'number';
    if (this.refuse(wrong)) return;
    this.send('/api/departments', { hospital: this.site, name: word(data, 'name'), specialty: this.specialty, places, languages, monthly });
  }

  /** @param {SubmitEvent} event @param {string} department */
  addPhysician(event, department) {
    const data = given(event);
    const account = word(data, 'account');
    const name = this.people.find((one) => one.email === account)?.name ?? word(data, 'physician').trim();
    const languages = data.getAll('languages').map(String);
    if (this.refuse({ ...(name ? {} : { physician: 'empty' }), ...(languages.length ? {} : { languages: 'empty' }) })) return;
    this.send(`/api/departments/${encodeURIComponent(department)}/physicians`, { name, languages, ...(account ? { account } : {}) });
  }

  /** @param {Record<string, string>} wrong @returns {boolean} */
  refuse(wrong) {
    if (Object.keys(wrong).length === 0) return false;
    [this.wrong, this.problem, this.done] = [wrong, 'form_refused', null];
    void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector('[aria-invalid=true]'))?.focus());
    return true;
  }

  render() {
    return html`<section class="card" data-testid="departments"><h2>${t('units-title')}</h2>${this.notices()}
      ${this.rows.length ? html`<ul class="kept-list">${this.rows.map((row) => this.row(row))}</ul>` : html`<p class="hint">${t('units-none')}</p>`}
      ${!this.may ? nothing : this.open === 'new' ? this.form() : html`<div><button class="secondary" data-testid="department-open" @click=${() => this.show('new')}>${t('units-add')}</button></div>`}</section>`;
  }

  /** @param {string} what */
  show(what) {
    [this.open, this.wrong, this.problem, this.done] = [what, {}, null, null];
    void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector('form input, form select'))?.focus());
  }

  /** @param {Department} row */
  row(row) {
    return html`<li class="unit" data-testid="department" data-department=${row.id}><p><strong>${row.name}</strong> <span class="chip">${tValue('specialty', row.specialty)}</span>
        ${row.closed ? html`<span class="chip chip-synthetic">${t('units-closed')}</span>` : nothing}</p>
      <p class="hint">${row.places.map((place) => t(`match-place-${place.replaceAll(/[/_]/g, '-')}`)).join(' · ')}</p>
      <p class="hint">${t('units-load', { open: row.open, monthly: row.monthly })} · ${row.languages.map((code) => languageName(code, language())).join(', ')}</p>
      <ul class="unit-people">${row.physicians.map((one) => html`<li>${one.name} ${one.has_account ? nothing : html`<span class="chip">${t('units-no-account')}</span>`}</li>`)}</ul>
      ${!this.may ? nothing : this.open === row.id ? this.physicianForm(row) : html`<button class="quiet" data-testid="physician-open" @click=${() => this.show(row.id)}>${t('units-physician-add')}<span class="visually-hidden">: ${row.name}</span></button>`}</li>`;
  }

  /** @param {Department} row */
  physicianForm(row) {
    const options = [{ code: '', name: t('units-without-account') }, ...this.people.map((one) => ({ code: one.email, name: one.name }))];
    return html`<form novalidate data-testid="physician-form" @submit=${(/** @type {SubmitEvent} */ event) => this.addPhysician(event, row.id)}>
      <div class="fields">${this.choice({ name: 'account', label: t('units-account'), hint: t('units-account-hint') }, options)}
        ${this.text({ name: 'physician', label: t('units-physician-name') })}</div>${this.spoken(row.languages)}${this.buttons('physician-save')}</form>`;
  }

  form() {
    const specialties = [{ code: '', name: t('form-choose') }, ...Object.keys(this.places).map((code) => ({ code, name: t(`specialty-${code}`) }))];
    return html`<form novalidate data-testid="department-form" @submit=${this.add} @change=${(/** @type {Event} */ event) => {
        const at = /** @type {HTMLSelectElement} */ (event.target);
        if (at.name === 'specialty') this.specialty = at.value;
      }}>
      <div class="fields">${this.text({ name: 'name', label: t('units-name'), needed: true })}${this.choice({ name: 'specialty', label: t('units-specialty'), value: this.specialty }, specialties)}
        ${this.text({ name: 'monthly', label: t('units-monthly'), value: '10', type: 'number', needed: true })}</div>
      ${this.specialty ? this.ticks({ name: 'places', label: t('units-places'), chosen: [] }, (this.places[this.specialty] ?? []).map((code) => ({ code, name: t(`match-place-${code.replaceAll(/[/_]/g, '-')}`) }))) : nothing}
      ${this.spoken(['ko'])}${this.buttons('department-save')}</form>`;
  }

  /** @param {string[]} chosen */
  spoken(chosen) {
    return this.ticks({ name: 'languages', label: t('site-languages'), chosen }, SPOKEN.map((code) => ({ code, name: languageName(code, language()) })));
  }

  /** @param {string} id */
  buttons(id) {
    return html`<div class="row"><button class="primary" data-testid=${id} ?disabled=${this.busy}>${t('form-save')}</button><button type="button" class="quiet" @click=${() => this.show('')}>${t('form-cancel')}</button></div>`;
  }
}
customElements.define('hj-departments', Departments);
