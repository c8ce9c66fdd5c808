/** <hj-sources>: how loud and how whole each person comes in, at the interpreter's desk. It redraws itself while it is shown. */
import { html, nothing, repeat } from '/static/vendor/lit.js';
import { t } from '../i18n.js';
import { bars } from './icons.js';
import { isHere } from '../room/interpreting.js';
import { LightElement } from './base.js';

const EVERY_MS = 100;
const BARS = 14;

class SourceMeters extends LightElement {
  static properties = { snapshot: { attribute: false }, floor: { attribute: false }, sources: { attribute: false }, own: { attribute: false } };

  constructor() {
    super();
    /** @type {import('../types/wire.js').Snapshot | null} */
    this.snapshot = null;
    /** @type {string | null} */
    this.floor = null;
    /** @type {import('../room/sources.js').Sources | null} */
    this.sources = null;
    /** @type {() => number} one's own level, 0..1 */
    this.own = () => 0;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.timer = undefined;
  }

  connectedCallback() {
    super.connectedCallback();
    this.timer = setInterval(() => this.requestUpdate(), EVERY_MS);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
    super.disconnectedCallback();
  }

  render() {
    const snapshot = this.snapshot;
    if (!snapshot) return nothing;
    const now = this.sources?.look() ?? new Map();
    const own = snapshot.you.participant;
    const here = snapshot.participants.filter((person) => isHere(person));
    const order = [...here.filter((person) => person.id !== own), ...here.filter((person) => person.id === own)];
    return html`<ul class="sources">${repeat(order, (person) => person.id, (person) => this.row(person, now.get(person.id), person.id === own))}</ul>`;
  }

  /**
   * @param {import('../types/wire.js').Participant} person
   * @param {import('../room/sources.js').Source | undefined} source
   * @param {boolean} self
   */
  row(person, source, self) {
    const level = self ? this.own() : (source?.level ?? 0);
    const off = !self && this.snapshot?.you.levels?.[person.id] === 'off';
    const loss = source?.loss === null || source?.loss === undefined ? null : Math.round(source.loss * 100);
    const quality = self ? null : (source?.quality ?? null);
    return html`<li class="source" data-testid="source" data-participant=${person.id} data-level=${Math.round(level * 100)} data-quality=${quality ?? ''}
        data-loss=${loss ?? ''} ?data-floor=${person.id === this.floor}>
      <span class="source-name" title=${person.name}>${self ? t('desk-you') : person.name}</span>
      <span class="meter" role="img" aria-label=${t('desk-level', { percent: Math.round(level * 100) })}>${Array.from({ length: BARS }, (_, i) => html`<i ?data-lit=${level * BARS > i + 0.5} ?data-hot=${i >= BARS - 2}></i>`)}</span>
      <span class="source-words">${self ? nothing : this.words(person, quality, loss, off)}</span></li>`;
  }

  /**
   * @param {import('../types/wire.js').Participant} person
   * @param {'good' | 'fair' | 'poor' | null} quality
   * @param {number | null} loss percent
   * @param {boolean} off
   */
  words(person, quality, loss, off) {
    if (!person.mic) return t('desk-source-muted');
    if (person.partner) return t('desk-source-partner');
    if (off) return t('desk-source-off');
    if (quality === null) return nothing;
    return html`<span title=${t(`quality-${quality}`)}>${bars(quality)}<span class="visually-hidden">${t(`quality-${quality}`)}</span> ${t('desk-loss', { percent: loss ?? 0 })}</span>`;
  }
}
customElements.define('hj-sources', SourceMeters);
