/** <hj-full>: the server can carry nobody more just now; what happens by itself, and what to do if it cannot wait. */
import { html } from '/static/vendor/lit.js';
import { t } from '../i18n.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

class Full extends LightElement {
  static properties = { at: { attribute: false }, now: { attribute: false } };

  constructor() {
    super();
    /** When the server is asked again. */
    this.at = 0;
    this.now = 0;
  }

  render() {
    const seconds = Math.max(0, Math.ceil((this.at - this.now) / 1000));
    return html`<div class="alone" role="alert" data-testid="full"><h2>${icon('warning')} ${t('full-title')}</h2><p>${t('full-kept')}</p>
      <p aria-live="off">${t('full-again', { seconds })}</p><p>${t('full-call')}</p>
      <div><button type="button" class="primary" data-testid="full-retry" @click=${() => this.ask('retry')}>${t('full-retry')}</button></div></div>`;
  }
}
customElements.define('hj-full', Full);
