/** <hj-chat>: what was said in writing, by whom and when at both places, and a line to say more. It shows and asks. */
import { html, nothing, repeat } from '/static/vendor/lit.js';
import { language, t, tError, tValue } from '../i18n.js';
import { hourMinute, hourMinuteSecond } from '../time.js';
import { keyOf, MAX_CHARS } from '../room/chat.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

/** So near to its end the list follows what comes. */
const NEAR_PX = 60;

/**
 * The instant at every place, for the title of a message's time.
 * @param {number} at
 * @param {{site: string, time_zone: string}[]} places
 */
export function timesAt(at, places) {
  const zones = new Map(places.map((place) => [place.time_zone, place.site]));
  return [...zones].map(([zone, site]) => `${site} ${hourMinuteSecond(at, language(), zone)}`).join('\n');
}

class ChatPanel extends LightElement {
  static properties = {
    chat: { attribute: false }, people: { attribute: false }, own: { attribute: false }, seen: { attribute: false }, version: { attribute: false },
  };

  constructor() {
    super();
    /** @type {import('../room/chat.js').Chat | null} */
    this.chat = null;
    /** @type {import('../types/wire.js').Participant[]} */
    this.people = [];
    /** @type {string | null} */
    this.own = null;
    this.seen = 0;
    this.version = '';
    this.follows = true;
    this.visible = () => this.ask('chat-look', { open: !document.hidden });
  }

  connectedCallback() {
    super.connectedCallback();
    document.addEventListener('visibilitychange', this.visible);
    queueMicrotask(this.visible);
  }

  disconnectedCallback() {
    document.removeEventListener('visibilitychange', this.visible);
    this.chat?.look(false);
    super.disconnectedCallback();
  }

  firstUpdated() {
    this.querySelector('textarea')?.focus();
  }

  willUpdate() {
    const list = this.querySelector('.chat-lines');
    if (list) this.follows = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_PX;
  }

  updated() {
    const list = this.querySelector('.chat-lines');
    if (list && this.follows) list.scrollTop = list.scrollHeight;
  }

  render() {
    const chat = this.chat;
    if (!chat) return nothing;
    return html`<div class="chat" data-testid="chat">
      <h2>${t('chat-title')}</h2>
      <p class="hint" data-testid="chat-who-reads">${t('chat-who-reads')}</p>
      <ol class="chat-lines" role="log" aria-live="polite" aria-label=${t('chat-title')} tabindex="0">
        ${repeat(chat.messages, keyOf, (message) => this.line(message))}
        ${repeat(chat.pending, (one) => one.id, (one) => this.waiting(one))}
        ${chat.messages.length + chat.pending.length === 0 ? html`<li class="hint">${t('chat-empty')}</li>` : nothing}
      </ol>
      <form class="chat-form" @submit=${(/** @type {Event} */ event) => this.send(event)}>
        <label><span class="visually-hidden">${t('chat-write')}</span>
          <textarea rows="2" maxlength=${MAX_CHARS} data-testid="chat-text" placeholder=${t('chat-write')} .value=${chat.draft}
            aria-describedby="chat-keys" @input=${(/** @type {Event} */ event) => this.ask('chat-draft', { text: valueOf(event) })}
            @keydown=${(/** @type {KeyboardEvent} */ event) => this.key(event)}></textarea></label>
        <button class="primary" data-testid="chat-send">${t('chat-send')}</button>
        <p id="chat-keys" class="hint">${t('chat-keys')}</p>
      </form></div>`;
  }

  /** @param {import('../types/asides.js').ChatMessage} message */
  line(message) {
    const author = this.people.find((person) => person.id === message.participant);
    const zone = this.people.find((person) => person.id === this.own)?.time_zone;
    return html`<li class="chat-line" data-testid="chat-line" data-participant=${message.participant} data-id=${message.id} ?data-own=${message.participant === this.own}>
      <p class="chat-author"><strong>${author?.name ?? message.name}</strong> <span>${tValue('role', message.role || 'other')}</span>
        <time class="figures" datetime=${new Date(message.at_ms).toISOString()} title=${timesAt(message.at_ms, this.people)}>${hourMinute(message.at_ms, language(), zone)}</time></p>
      <p class="chat-text" dir="auto">${message.text}</p></li>`;
  }

  /** @param {import('../room/chat.js').Pending} one */
  waiting(one) {
    const failed = one.state === 'failed';
    return html`<li class="chat-line" data-own data-testid="chat-pending" data-state=${one.state}>
      <p class="chat-text" dir="auto">${one.text}</p>
      ${failed
        ? html`<p class="chat-failed" role="alert">${icon('warning')}<span>${one.code === 'timeout' ? t('chat-not-sent') : tError(one.code ?? '')}</span></p>
          <div class="row"><button type="button" class="secondary" data-testid="chat-retry" @click=${() => this.ask('chat-retry', { id: one.id })}>${t('chat-retry')}</button>
            <button type="button" class="quiet" data-testid="chat-drop" @click=${() => this.ask('chat-drop', { id: one.id, text: one.text })}>${t('chat-edit')}</button></div>`
        : html`<p class="hint">${t('chat-sending')}</p>`}</li>`;
  }

  /** Enter sends, with Shift it begins a new line; while a syllable is being composed it does neither. @param {KeyboardEvent} event */
  key(event) {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    this.send(event);
  }

  /** @param {Event} event */
  send(event) {
    event.preventDefault();
    const field = this.querySelector('textarea');
    if (!field) return;
    this.follows = true;
    this.ask('chat-say', { text: field.value });
    field.value = this.chat?.draft ?? '';
    field.focus();
  }
}
customElements.define('hj-chat', ChatPanel);

/** @param {Event} event */
function valueOf(event) {
  return /** @type {HTMLTextAreaElement} */ (event.target).value;
}
