/** What stands on every page: the mark, the language switch, the signed-in person. */
import { html, nothing } from '/static/vendor/lit.js';
import { chooseLanguage, language, LANGUAGES, t, UNREVIEWED } from '../i18n.js';
import { post } from '../api.js';
import { wipe } from '../referral/local-copy.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';
import './lock.js';
import './glass.js';

/** What a page wants to finish before its session ends: a draft to be saved. @type {Set<() => Promise<void>>} */
export const beforeSignOut = new Set();

/** <hj-language>: chooses the page's language. */
class LanguageSwitch extends LightElement {
  render() {
    return html`<label class="language">
      <span class="visually-hidden">${t('language-label')}</span>${icon('globe')}
      <select data-testid="language" @change=${(/** @type {Event} */ event) =>
        void chooseLanguage(/** @type {HTMLSelectElement} */ (event.target).value)}>
        ${LANGUAGES.map((code) => html`<option value=${code} lang=${code} ?selected=${code === language()}>${t(`language-${code}`)}</option>`)}
        ${UNREVIEWED.includes(language()) ? html`<option disabled data-testid="language-unreviewed">${t('language-unreviewed')}</option>` : nothing}
      </select>
    </label>`;
  }
}
customElements.define('hj-language', LanguageSwitch);

/** <hj-header>: mark, who is signed in, language, sign-out. */
class Header extends LightElement {
  static properties = { account: { attribute: false } };

  constructor() {
    super();
    /** @type {import('../types/wire.js').Account | null} */
    this.account = null;
  }

  async signOut() {
    await Promise.all([...beforeSignOut].map((work) => work().catch(() => undefined)));
    wipe();
    await post('/api/sign-out').catch(() => undefined);
    location.assign('/signin');
  }

  render() {
    const home = this.account ? '/worklist' : '/';
    return html`<header class="bar">
      <a class="mark" href=${home}>${mark()}<span class="mark-name" lang="ko">${t('product-name')}</span></a>
      <div class="bar-end">
        ${this.account
          ? html`<span class="who"><strong>${this.account.name}</strong>
              <span>${this.account.roles.map((role) => t(`role-${role}`)).join(' · ')}</span></span>
            <a class="button quiet round" data-testid="to-security" href="/security" aria-label=${t('page-security')} title=${t('page-security')}>${icon('key')}</a>`
          : nothing}
        <hj-language></hj-language>
        ${this.account ? html`<button class="quiet" @click=${() => void this.signOut()}>${t('sign-out')}</button>` : nothing}
      </div>
    </header><hj-glass .account=${this.account}></hj-glass><hj-lock .account=${this.account} @ask=${this.signOut}></hj-lock>`;
  }
}
customElements.define('hj-header', Header);

/** Two people, one thing between them: the product's sign. */
export function mark() {
  return html`<svg class="mark-sign" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true">
    <rect width="32" height="32" rx="8" fill="currentColor"/>
    <circle cx="12" cy="16" r="6.5" fill="none" stroke="#fff" stroke-width="2.4"/>
    <circle cx="20" cy="16" r="6.5" fill="none" stroke="#fff" stroke-width="2.4"/>
  </svg>`;
}
