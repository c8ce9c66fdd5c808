/** <hj-departments>: the departments of a hospital with their physicians; forms add and change either, close a department, take somebody out. */
import { html, nothing } from '/static/vendor/lit.js';
import { post } from '../api.js';
import { languageName } from '../cldr.js';
import { language, t, tValue } from '../i18n.js';
import { FormElement, given, word } from './form.js';
import { SPOKEN } from './site-form.js';
import './unit-ending.js';

/** @typedef {import('../types/people.js').Department} Department */
/** @typedef {Department['physicians'][number]} Physician */

const place = (/** @type {string} */ code) => t(`match-place-${code.replaceAll(/[/_]/g, '-')}`);
const unitPath = (/** @type {string} */ id) => `/api/departments/${encodeURIComponent(id)}`;

class Departments extends FormElement {
  static properties = { ...FormElement.properties, site: { type: String }, rows: { attribute: false }, places: { attribute: false }, people: { attribute: false }, may: { type: Boolean }, open: { state: true }, specialty: { state: true } };

  constructor() {
    super();
    this.site = '';
    /** @type {Department[]} of this site */
    this.rows = [];
    /** Sub-specialties of each specialty. @type {Record<string, string[]>} */
    this.places = {};
    /** Consulting physicians with accounts here. @type {{id: string, email: string, name: string}[]} */
    this.people = [];
    this.may = false;
    /** Which form is open: `new`, or what is done and to which: `change:…`, `close:…`, `physician:…`, `person:…`, `remove:…`. */
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

  /** @param {SubmitEvent} event @param {Department | null} row */
  save(event, row) {
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
    this.send(row ? unitPath(row.id) : '/api/departments', { hospital: this.site, name: word(data, 'name'), specialty: this.specialty, places, languages, monthly, closed: row?.closed ?? false });
  }

  /** @param {SubmitEvent} event @param {Department} row @param {Physician | null} one */
  savePhysician(event, row, one) {
    const data = given(event);
    const account = word(data, 'account');
    const name = this.people.find((person) => person.email === account)?.name ?? (one?.account_id ? one.name : word(data, 'physician').trim());
    const languages = data.getAll('languages').map(String);
    if (this.refuse({ ...(name ? {} : { physician: 'empty' }), ...(languages.length ? {} : { languages: 'empty' }) })) return;
    const path = `${unitPath(row.id)}/physicians${one ? `/${encodeURIComponent(one.id)}` : ''}`;
    this.send(path, { name, languages, places: data.getAll('places').map(String), ...(account ? { account } : {}) });
  }

  /** @param {Department} row */
  reopen(row) {
    void this.once(async () => {
      await post(`${unitPath(row.id)}/closed`, { closed: false });
      this.ask('departments-changed');
      return 'units-opened';
    });
  }

  /** @param {CustomEvent} event of what is closed or taken out @param {string} back where the keyboard was */
  ended({ detail }, back) {
    if (!['unit-ended', 'unit-kept'].includes(detail.type)) return;
    this.show('');
    this.done = detail.message ?? null;
    if (detail.type === 'unit-ended') this.ask('departments-changed');
    void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector(this.done ? '[data-testid=form-done]' : `[data-opens="${back}"]`))?.focus());
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
      ${!this.may ? nothing : this.open === 'new' ? this.form(null) : html`<div><button class="secondary" data-testid="department-open" @click=${() => this.show('new')}>${t('units-add')}</button></div>`}</section>`;
  }

  /** @param {string} what @param {string} [specialty] */
  show(what, specialty = '') {
    [this.open, this.specialty, this.wrong, this.problem, this.done] = [what, specialty, {}, null, null];
    void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector('form input, form select'))?.focus());
  }

  /** @param {string} what @param {string} id @param {string} label @param {string} name @param {string} [specialty] */
  opener(what, id, label, name, specialty) {
    return html`<button class="quiet" data-testid="${what}-open" data-opens="${what}:${id}" @click=${() => this.show(`${what}:${id}`, specialty)}>${label}<span class="visually-hidden">: ${name}</span></button>`;
  }

  /** @param {'close' | 'remove'} what @param {string} id @param {string} path @param {string} name */
  ending(what, id, path, name) {
    return html`<hj-unit-ending path=${path} what=${what} name=${name} @ask=${(/** @type {CustomEvent} */ event) => this.ended(event, `${what}:${id}`)}></hj-unit-ending>`;
  }

  /** @param {Department} row */
  row(row) {
    const [what, id] = this.open.split(':');
    const here = id === row.id ? what : '';
    return html`<li class="unit" data-testid="department" data-department=${row.id}><p><strong>${row.name}</strong> <span class="chip">${tValue('specialty', row.specialty)}</span>
        ${row.closed ? html`<span class="chip chip-synthetic">${t('units-closed')}</span>` : nothing}</p>
      <p class="hint">${row.places.map(place).join(' · ')}</p>
      <p class="hint">${t('units-load', { open: row.open, monthly: row.monthly })} · ${row.languages.map((code) => languageName(code, language())).join(', ')}</p>
      <ul class="unit-people">${row.physicians.map((one) => this.physician(row, one, one.id === id ? what ?? '' : ''))}</ul>
      ${!this.may ? nothing : here === 'physician' ? this.physicianForm(row, null) : here === 'change' ? this.form(row) : here === 'close' ? this.ending('close', row.id, unitPath(row.id), row.name)
      : html`<p class="row">${this.opener('physician', row.id, t('units-physician-add'), row.name)}${this.opener('change', row.id, t('units-change'), row.name, row.specialty)}
        ${row.closed ? html`<button class="quiet" data-testid="department-reopen" ?disabled=${this.busy} @click=${() => this.reopen(row)}>${t('units-reopen')}<span class="visually-hidden">: ${row.name}</span></button>`
        : this.opener('close', row.id, t('units-close'), row.name)}</p>`}</li>`;
  }

  /** @param {Department} row @param {Physician} one @param {string} here */
  physician(row, one, here) {
    return html`<li data-testid="physician" data-physician=${one.id}><span>${one.name} ${one.account_id ? nothing : html`<span class="chip">${t('units-no-account')}</span>`}</span>
      ${!this.may ? nothing : here === 'person' ? this.physicianForm(row, one) : here === 'remove' ? this.ending('remove', one.id, `${unitPath(row.id)}/physicians/${encodeURIComponent(one.id)}`, one.name)
      : html`<span class="row">${this.opener('person', one.id, t('units-change'), one.name)}${this.opener('remove', one.id, t('units-remove'), one.name)}</span>`}</li>`;
  }

  /** @param {Department} row @param {Physician | null} one */
  physicianForm(row, one) {
    const options = [{ code: '', name: t('units-without-account') }, ...this.people.map((person) => ({ code: person.email, name: person.name }))];
    return html`<form novalidate data-testid="physician-form" @submit=${(/** @type {SubmitEvent} */ event) => this.savePhysician(event, row, one)}>
      ${one?.account_id ? nothing : html`<div class="fields">${this.choice({ name: 'account', label: t('units-account'), hint: t('units-account-hint') }, options)}
        ${this.text({ name: 'physician', label: t('units-physician-name'), value: one?.name ?? '' })}</div>`}${this.spoken(one?.languages ?? row.languages)}
      ${this.ticks({ name: 'places', label: t('units-only'), chosen: one?.places ?? [], hint: t('units-only-hint') }, row.places.map((code) => ({ code, name: place(code) })))}${this.buttons('physician-save')}</form>`;
  }

  /** @param {Department | null} row */
  form(row) {
    const specialties = [{ code: '', name: t('form-choose') }, ...Object.keys(this.places).map((code) => ({ code, name: t(`specialty-${code}`) }))];
    return html`<form novalidate data-testid="department-form" @submit=${(/** @type {SubmitEvent} */ event) => this.save(event, row)} @change=${(/** @type {Event} */ event) => {
        const at = /** @type {HTMLSelectElement} */ (event.target);
        if (at.name === 'specialty') this.specialty = at.value;
      }}>
      <div class="fields">${this.text({ name: 'name', label: t('units-name'), value: row?.name ?? '', needed: true })}${this.choice({ name: 'specialty', label: t('units-specialty'), value: this.specialty }, specialties)}
        ${this.text({ name: 'monthly', label: t('units-monthly'), value: String(row?.monthly ?? 10), type: 'number', needed: true })}</div>
      ${this.specialty ? this.ticks({ name: 'places', label: t('units-places'), chosen: row?.places ?? [] }, (this.places[this.specialty] ?? []).map((code) => ({ code, name: place(code) }))) : nothing}
      ${this.spoken(row?.languages ?? ['ko'])}${this.buttons('department-save')}</form>`;
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
