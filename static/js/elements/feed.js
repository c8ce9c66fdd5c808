/** <hj-feed>: the address under which a calendar program finds one's own hours; told once, revoked at once. */
import { html, nothing } from '/static/vendor/lit.js';
import { get, post, problemOf } from '../api.js';
import { language, t } from '../i18n.js';
import { fullDate, hourMinute } from '../time.js';
import { FormElement } from './form.js';

class Feed extends FormElement {
  static properties = { ...FormElement.properties, zone: { type: String }, made: { state: true }, url: { state: true } };

  constructor() {
    super();
    this.zone = 'UTC';
    /** @type {number | null} */
    this.made = null;
    this.url = '';
  }

  connectedCallback() {
    super.connectedCallback();
    void this.look();
  }

  async look() {
    try {
      this.made = (await get('/api/account/feed')).made_at_ms;
    } catch (error) {
      this.problem = problemOf(error);
    }
  }

  renew() {
    void this.once(async () => {
      this.url = (await post('/api/account/feed')).url;
      await this.look();
      return 'feed-made';
    });
  }

  end() {
    void this.once(async () => {
      await post('/api/account/feed/revoke');
      this.url = '';
      await this.look();
      return 'feed-ended';
    });
  }

  render() {
    return html`<section class="card" data-testid="feed"><h2>${t('feed-title')}</h2><p class="hint">${t('feed-what')}</p>${this.notices()}
      ${this.url ? html`<label class="field"><span>${t('feed-address')}</span><input type="text" readonly .value=${this.url} data-testid="feed-url" @focus=${(/** @type {FocusEvent} */ event) => /** @type {HTMLInputElement} */ (event.target).select()} /></label><p>${t('feed-once')}</p>` : nothing}
      <p class="hint">${this.made === null ? t('feed-none') : t('feed-since', { date: `${fullDate(this.made, language(), this.zone)}, ${hourMinute(this.made, language(), this.zone)}` })}</p>
      <div class="row"><button class="secondary" data-testid="feed-make" ?disabled=${this.busy} @click=${this.renew}>${this.made === null ? t('feed-make') : t('feed-renew')}</button>
        ${this.made === null ? nothing : html`<button class="quiet" data-testid="feed-end" ?disabled=${this.busy} @click=${this.end}>${t('feed-end')}</button>`}</div></section>`;
  }
}
customElements.define('hj-feed', Feed);
