/**
 * <hj-arrival>: at the door, who is on the way; an interpreter says there when they will come. With `for` a coordinator
 * says it for an interpreter. It asks and shows by itself: nothing else of the page depends on it.
 */
import { html, nothing } from '/static/vendor/lit.js';
import { codeOf, get, post } from '../api.js';
import { language, t, tError } from '../i18n.js';
import { hourMinute } from '../time.js';
import { Arrivals } from '../room/arrivals.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

const CHOICES = Object.freeze([3, 5, 10, 15, 30]);
const LOOK_EVERY_MS = 10_000;

/** @param {import('../room/arrivals.js').Coming} one @param {string | undefined} zone */
export function comingWords(one, zone) {
  const words = { name: one.name, minutes: one.minutes, time: hourMinute(one.saidAt, language(), zone) };
  return t(one.ready ? 'arrival-ready' : one.late ? 'arrival-late' : 'arrival-coming', words);
}

class Arrival extends LightElement {
  static properties = { seat: { attribute: false }, for: { attribute: false }, told: { state: true }, problem: { state: true } };

  constructor() {
    super();
    /** @type {import('../types/wire.js').SeatAnswer | null} the visitor's own */
    this.seat = null;
    /** @type {string | null} the seat that a coordinator speaks for */
    this.for = null;
    this.arrivals = new Arrivals();
    /** @type {number | null} */
    this.told = null;
    /** @type {string | null} */
    this.problem = null;
    /** What is shown of who is on the way. */
    this.drawn = '';
    this.timer = 0;
  }

  connectedCallback() {
    super.connectedCallback();
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
    queueMicrotask(() => void this.look());
  }

  disconnectedCallback() {
    clearInterval(this.timer);
    super.disconnectedCallback();
  }

  /** It is drawn anew only when that says something else. */
  async look() {
    if (!this.seat) return;
    const found = await get(`/api/seats/${encodeURIComponent(this.seat.seat.id)}/arrivals`).catch(() => null);
    if (found) this.arrivals.all(found.arrivals, Date.now());
    if (JSON.stringify(this.lines()) !== this.drawn) this.requestUpdate();
  }

  /** @returns {{participant: string, words: string}[]} who is on the way */
  lines() {
    const own = this.seat?.seat;
    const others = this.seat?.seats.filter((one) => one.id !== own?.id) ?? [];
    return this.arrivals.coming(others, Date.now()).map((one) => ({ participant: one.participant, words: comingWords(one, own?.time_zone) }));
  }

  render() {
    const own = this.seat?.seat;
    const lines = this.lines();
    this.drawn = JSON.stringify(lines);
    return html`${lines.map((one) => html`<p class="notice notice-plain" role="status" data-testid="arrival" data-participant=${one.participant}>${icon('clock')}<span>${one.words}</span></p>`)}
      ${this.for !== null || own?.role === 'interpreter' ? this.say() : nothing}`;
  }

  say() {
    return html`<div class="arrival-say" role="group" aria-label=${t('arrival-title')} data-testid="arrival-say">
      <p><strong>${t('arrival-title')}</strong></p>
      <div class="row">${CHOICES.map((minutes) => html`<button type="button" class="secondary" data-testid="arrival-minutes" data-minutes=${minutes} @click=${() => this.tell(minutes)}>${t('arrival-minutes', { minutes })}</button>`)}
        <button type="button" class="secondary" data-testid="arrival-minutes" data-minutes="0" @click=${() => this.tell(0)}>${t('arrival-now')}</button></div>
      ${this.told === null ? nothing : html`<p class="hint" role="status" data-testid="arrival-told">${this.told === 0 ? t('arrival-told-now') : t('arrival-told', { minutes: this.told })}
        <button type="button" class="link" data-testid="arrival-back" @click=${() => this.tell(null)}>${t('arrival-back')}</button></p>`}
      ${this.problem ? html`<p class="notice notice-alarm" role="alert">${tError(this.problem)}</p>` : nothing}</div>`;
  }

  /** @param {number | null} minutes */
  async tell(minutes) {
    const path = this.for === null ? `/api/seats/${encodeURIComponent(this.seat?.seat.id ?? '')}/arrival` : `/api/seats/${encodeURIComponent(this.for)}/arrival-for`;
    try {
      await post(path, { minutes });
      this.told = minutes;
      this.problem = null;
    } catch (error) {
      this.problem = codeOf(error);
    }
  }
}
customElements.define('hj-arrival', Arrival);
