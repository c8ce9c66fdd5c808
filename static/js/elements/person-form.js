/** <hj-person-form>: somebody new at a site (they get an invitation), or name, roles and number of somebody. */
import { html, nothing } from '/static/vendor/lit.js';
import { post } from '../api.js';
import { ownName } from '../cldr.js';
import { t } from '../i18n.js';
import { LANGUAGES } from '../languages.js';
import { FormElement, given, word } from './form.js';

/** @typedef {import('../types/people.js').Person} Person */

/** Those of one site first, then the programme's. */
const ROLES = ['referring_physician', 'site_operator', 'consulting_physician', 'interpreter', 'reviewer', 'site_admin', 'coordinator', 'privacy_officer', 'programme_admin'];

class PersonForm extends FormElement {
  static properties = { ...FormElement.properties, person: { attribute: false }, site: { type: String }, grantable: { attribute: false }, language: { type: String } };

  constructor() {
    super();
    /** @type {Person | null} null: somebody new at `site` */
    this.person = null;
    this.site = '';
    /** @type {string[]} roles that the reader may give */
    this.grantable = [];
    this.language = 'en';
  }

  /** @param {SubmitEvent} event */
  save(event) {
    const data = given(event);
    const form = /** @type {HTMLFormElement} */ (event.target);
    const body = { name: word(data, 'name'), language: word(data, 'language'), roles: data.getAll('roles').map(String), telephone: word(data, 'telephone') };
    void this.once(async () => {
      if (this.person) {
        this.ask('person-saved', { person: await post(`/api/people/${encodeURIComponent(this.person.id)}`, body) });
        return 'form-saved';
      }
      const made = await post(`/api/sites/${encodeURIComponent(this.site)}/people`, { ...body, email: word(data, 'email') });
      form.reset();
      this.ask('person-saved', { person: made });
      return made.invited ? 'person-invited' : 'person-not-invited';
    });
  }

  render() {
    const one = this.person;
    const roles = ROLES.filter((role) => this.grantable.includes(role)).map((code) => ({ code, name: t(`role-${code}`) }));
    return html`<form novalidate data-testid="person-form" @submit=${this.save}>${this.notices()}
      <div class="fields">${this.text({ name: 'name', label: t('person-name'), value: one?.name, needed: true })}
        ${one ? nothing : this.text({ name: 'email', label: t('person-email'), hint: t('person-email-hint'), type: 'email', needed: true })}
        ${this.choice({ name: 'language', label: t('person-language'), value: one?.language ?? this.language }, LANGUAGES.map((code) => ({ code, name: ownName(code) })))}
        ${this.text({ name: 'telephone', label: t('person-telephone'), value: one?.telephone, hint: t('person-telephone-hint'), type: 'tel' })}</div>
      ${this.ticks({ name: 'roles', label: t('person-roles'), chosen: one?.roles ?? [] }, roles)}
      <div><button class="primary" data-testid="person-save" ?disabled=${this.busy}>${one ? t('form-save') : t('person-add')}</button></div></form>`;
  }
}
customElements.define('hj-person-form', PersonForm);
