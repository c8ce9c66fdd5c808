/** <hj-rooms>: the rooms of a site, each with a name; a closed one is not booked. */
import { html } from '/static/vendor/lit.js';
import { post } from '../api.js';
import { t } from '../i18n.js';
import { FormElement, given, word } from './form.js';

class Rooms extends FormElement {
  static properties = { ...FormElement.properties, site: { type: String }, rooms: { attribute: false } };

  constructor() {
    super();
    this.site = '';
    /** @type {import('../types/people.js').CalendarAnswer['rooms']} */
    this.rooms = [];
  }

  /** @param {Record<string, unknown>} room @param {string} message @param {HTMLFormElement} [form] */
  put(room, message, form) {
    if (!String(room.name).trim()) {
      this.wrong = { room: 'empty' };
      [this.problem, this.done] = ['form_refused', null];
      return;
    }
    void this.once(async () => {
      await post(`/api/calendars/${encodeURIComponent(this.site)}/rooms`, room);
      form?.reset();
      this.ask('rooms-changed');
      return message;
    });
  }

  render() {
    return html`<section class="card" data-testid="rooms"><h2>${t('rooms-title')}</h2>${this.notices()}
      ${this.rooms.length ? html`<ul class="kept-list">${this.rooms.map((room) => html`<li class="kept-seat" data-testid="site-room" data-closed=${room.closed}><span>${room.name} ${room.closed ? html`<span class="chip">${t('rooms-closed')}</span>` : ''}</span>
        <button class="quiet" data-testid="room-toggle" ?disabled=${this.busy} @click=${() => this.put({ room: room.id, name: room.name, closed: !room.closed }, 'form-saved')}>${room.closed ? t('rooms-open') : t('rooms-close')}<span class="visually-hidden">: ${room.name}</span></button></li>`)}</ul>` : html`<p class="hint">${t('rooms-none')}</p>`}
      <form novalidate data-testid="room-form" @submit=${(/** @type {SubmitEvent} */ event) => this.put({ name: word(given(event), 'room') }, 'rooms-added', /** @type {HTMLFormElement} */ (event.target))}>
        <div class="fields">${this.text({ name: 'room', label: t('rooms-name'), needed: true })}</div>
        <div><button class="secondary" data-testid="room-add" ?disabled=${this.busy}>${t('rooms-add')}</button></div></form></section>`;
  }
}
customElements.define('hj-rooms', Rooms);
