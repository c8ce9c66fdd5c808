/**
 * <hj-light>: the recording light and, when in doubt, the banner. It shows what the store acknowledged, never an intention:
 * its value comes from reducer.light().
 */
import { html, nothing } from '/static/vendor/lit.js';
import { language, t, tValue } from '../i18n.js';
import { hourMinuteSecond } from '../time.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

class Light extends LightElement {
  static properties = { value: { attribute: false }, zone: { attribute: false } };

  constructor() {
    super();
    /** @type {ReturnType<typeof import('../room/reducer.js').light> | null} */
    this.value = null;
    /** @type {string | undefined} the reader's own place */
    this.zone = undefined;
  }

  render() {
    const value = this.value;
    if (!value) return nothing;
    const until = value.stored_until_ms;
    return html`<div class="light" data-testid="recording-light" data-state=${value.state} data-stored-until=${until ?? ''}>
      <span class="light-dot"></span>
      <span class="light-words">
        <span class="light-state">${t(value.state === 'waiting' && value.waits_for === 'consent' ? 'light-waiting-consent' : `light-${value.state}`)}</span>
        ${until !== null && value.state !== 'off'
          ? html`<span class="light-until figures">${t('light-stored-until', { time: hourMinuteSecond(until, language(), this.zone) })}</span>`
          : nothing}
      </span>
    </div>`;
  }
}
customElements.define('hj-light', Light);

class Banner extends LightElement {
  static properties = { value: { attribute: false }, names: { attribute: false } };

  constructor() {
    super();
    /** @type {ReturnType<typeof import('../room/reducer.js').light> | null} */
    this.value = null;
    /** @type {Map<string, string>} participant → name */
    this.names = new Map();
  }

  render() {
    const value = this.value;
    if (value?.state !== 'degraded') return nothing;
    return html`<div class="banner" role="alert" data-testid="recording-banner">
      ${icon('warning')}
      <div><strong>${value.stale ? t('banner-stale') : t('banner-degraded')}</strong>
        ${value.stale ? nothing : value.degraded.map((one) => html`<span>${t('banner-track', {
          name: this.names.get(one.participant) ?? '', kind: tValue('kind', one.kind), cause: tValue('gap', one.cause),
        })}</span>`)}
      </div>
    </div>`;
  }
}
customElements.define('hj-banner', Banner);
