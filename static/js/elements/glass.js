/** <hj-glass>: broken glass is never forgotten: every page says so, until when, and ends it. */
import { html, nothing } from '/static/vendor/lit.js';
import { language, t } from '../i18n.js';
import { post } from '../api.js';
import { hourMinute, zoneName } from '../time.js';
import { LightElement } from './base.js';

class GlassBanner extends LightElement {
  static properties = { account: { attribute: false }, over: { state: true }, busy: { state: true } };

  constructor() {
    super();
    /** @type {import('../types/wire.js').Account | null} */
    this.account = null;
    this.over = false;
    this.busy = false;
    /** @type {number | undefined} */
    this.timer = undefined;
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
    super.disconnectedCallback();
  }

  /** @param {Map<string, unknown>} changed */
  updated(changed) {
    const glass = this.account?.break_glass;
    if (!changed.has('account') || !glass) return;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => location.reload(), Math.max(0, glass.until_ms - Date.now()));
  }

  async end() {
    const glass = this.account?.break_glass;
    if (!glass || this.busy) return;
    this.busy = true;
    await post(`/api/break-glass/${encodeURIComponent(glass.id)}/end`).catch(() => undefined);
    location.assign('/audit#glass');
    location.reload();
  }

  render() {
    const glass = this.account?.break_glass;
    if (!glass || !this.account) return nothing;
    const zone = this.account.time_zone;
    const time = `${hourMinute(glass.until_ms, language(), zone)} ${zoneName(glass.until_ms, language(), zone)}`;
    return html`<div class="glass-banner" role="status" data-testid="glass-banner"><span>${t('glass-banner', { case: glass.case, time })}
        <a href="/cases/${encodeURIComponent(glass.case_id)}">${t('glass-to-case')}</a></span>
      <button data-testid="glass-end" ?disabled=${this.busy} @click=${() => void this.end()}>${t('glass-end')}</button></div>`;
  }
}
customElements.define('hj-glass', GlassBanner);
