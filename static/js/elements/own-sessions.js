/** <hj-own-sessions>: where one is signed in; one, or all but this one, are ended here. */
import { html, nothing } from '/static/vendor/lit.js';
import { codeOf, get, post } from '../api.js';
import { language, t, tError } from '../i18n.js';
import { fullDate, hourMinute } from '../time.js';
import { LightElement } from './base.js';

/** @typedef {{id: string, created_ms: number, last_seen_ms: number, agent: string, current: boolean}} Session */

class OwnSessions extends LightElement {
  static properties = { zone: { attribute: false }, sessions: { state: true }, problem: { state: true } };

  constructor() {
    super();
    this.zone = 'UTC';
    /** @type {Session[] | null} */
    this.sessions = null;
    /** @type {string | null} */
    this.problem = null;
  }

  connectedCallback() {
    super.connectedCallback();
    void this.act(async () => undefined);
  }

  /** @param {() => Promise<unknown>} work */
  async act(work) {
    try {
      await work();
      this.sessions = (await get('/api/account/sessions')).sessions;
      this.problem = null;
    } catch (error) {
      this.problem = codeOf(error);
    }
  }

  /** @param {number} ms */
  when(ms) {
    return `${fullDate(ms, language(), this.zone)}, ${hourMinute(ms, language(), this.zone)}`;
  }

  render() {
    const others = this.sessions?.filter((one) => !one.current) ?? [];
    return html`<section class="card" data-testid="sessions"><h2>${t('sessions-title')}</h2><p>${t('sessions-lead', { zone: this.zone })}</p>
      ${this.problem ? html`<p class="notice notice-alarm" role="alert">${tError(this.problem)}</p>` : nothing}
      ${this.sessions === null && !this.problem ? html`<p role="status">${t('loading')}</p>` : nothing}
      <ul class="rows">${(this.sessions ?? []).map((one) => html`<li data-testid="session" data-current=${one.current}>
        <div><strong>${browserOf(one.agent) || t('sessions-unknown')}</strong>${one.current ? html` <span class="chip chip-open">${t('sessions-current')}</span>` : nothing}<br>
          <span class="hint figures">${t('sessions-times', { from: this.when(one.created_ms), seen: this.when(one.last_seen_ms) })}</span></div>
        ${one.current ? nothing : html`<button class="quiet" data-testid="session-end" @click=${() => void this.act(() => post(`/api/account/sessions/${encodeURIComponent(one.id)}/revoke`))}>${t('sessions-end')}</button>`}</li>`)}</ul>
      ${others.length > 0 ? html`<p><button class="secondary" data-testid="sessions-end-others" @click=${() => void this.act(() => post('/api/account/sessions/revoke-others'))}>${t('sessions-end-others')}</button></p>` : nothing}
      </section>`;
  }
}
customElements.define('hj-own-sessions', OwnSessions);

/**
 * A browser's and a system's name out of what it says of itself, for its owner to recognise; no decision hangs on it.
 * @param {string} agent
 */
export function browserOf(agent) {
  const browser = /(Firefox|Edg|OPR|SamsungBrowser|YaBrowser|Whale|Chrome|Version)\/(\d+)/.exec(agent);
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux|CrOS)/.exec(agent)?.[1];
  const found = [...agent.matchAll(/(Firefox|Edg|OPR|SamsungBrowser|YaBrowser|Whale)\/(\d+)/g)].at(-1) ?? browser;
  const names = /** @type {Record<string, string>} */ ({ Edg: 'Edge', OPR: 'Opera', Version: 'Safari' });
  return [found ? `${names[found[1]] ?? found[1]} ${found[2]}` : '', system].filter(Boolean).join(' · ');
}
