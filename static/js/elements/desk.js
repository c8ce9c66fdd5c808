/**
 * <hj-desk>: the interpreter's desk, below the faces: turn, direction and what to render from; each person's level and
 * line; cough key and signals; the fellow interpreter; notes. It shows state and asks. It never shows the patient's files.
 */
import { html, nothing } from '/static/vendor/lit.js';
import { languageName } from '../cldr.js';
import { language, t } from '../i18n.js';
import { span } from '../time.js';
import { icon } from './icons.js';
import { KEYS, keyOf } from '../room/keys.js';
import { directionOf, directionsOf, isHere, turnLight } from '../room/interpreting.js';
import { readNotes, keepNotes } from '../room/wishes.js';
import { LightElement } from './base.js';
import './hold.js';
import './partner.js';
import './sources.js';

const SIGNALS = /** @type {const} */ (['repeat', 'slower', 'clarify', 'own_words']);

class Desk extends LightElement {
  static properties = {
    snapshot: { attribute: false }, seat: { attribute: false }, sources: { attribute: false }, own: { attribute: false }, now: { attribute: false },
    coughing: { type: Boolean }, talking: { attribute: false }, sent: { attribute: false }, keys: { type: Boolean }, guarded: { type: Boolean },
    listed: { state: true },
  };

  constructor() {
    super();
    /** @type {import('../types/wire.js').Snapshot | null} */
    this.snapshot = null;
    /** @type {import('../room/interpreting.js').Seat | null} */
    this.seat = null;
    /** @type {import('../room/sources.js').Sources | null} */
    this.sources = null;
    /** @type {() => number} */
    this.own = () => 0;
    this.now = 0;
    this.coughing = false;
    /** @type {'no' | 'waiting' | 'open'} */
    this.talking = 'no';
    /** @type {string | null} the signal that has just arrived */
    this.sent = null;
    this.keys = true;
    /** Whether everybody is heard through the limiter. */
    this.guarded = false;
    this.listed = false;
  }

  /** Shows or hides the list of keys. */
  list() {
    this.listed = !this.listed;
  }

  /** @param {'notes' | 'text'} what moves the keyboard there */
  write(what) {
    /** @type {HTMLElement | null} */ (this.querySelector(what === 'notes' ? '#desk-notes' : '#partner-text'))?.focus();
  }

  render() {
    const snapshot = this.snapshot;
    const seat = this.seat;
    if (!snapshot?.interpretation || !seat) return nothing;
    const me = snapshot.participants.find((person) => person.id === snapshot.you.participant) ?? null;
    return html`<section class="desk" data-testid="desk" ?data-coughing=${this.coughing} aria-label=${t('desk-title')}>
      <section class="desk-part" aria-label=${t('desk-turn')}>${this.turn(snapshot, seat)}${this.direction(me)}${this.listening(snapshot)}</section>
      <section class="desk-part" aria-label=${t('desk-sources')}>
        <hj-sources .snapshot=${snapshot} .floor=${seat.floor} .sources=${this.sources} .own=${this.own}></hj-sources>
        <p class="hint desk-guard" data-testid="limiter" data-on=${this.guarded}>${icon('shield')}<span>${this.guarded ? t('desk-limiter') : t('desk-limiter-waits')}</span></p></section>
      <section class="desk-part desk-signals" aria-label=${t('desk-signals')}>${this.signals()}</section>
      <section class="desk-part desk-partner" aria-label=${t('desk-partner')}>
        <hj-partner .snapshot=${snapshot} .texts=${seat.texts} .talking=${this.talking} ?keys=${this.keys} .zone=${me?.time_zone}></hj-partner></section>
      <section class="desk-part desk-notes" aria-label=${t('notes-title')}>${this.notes(snapshot.you.participant)}</section>
      ${this.keyList()}
    </section>`;
  }

  /**
   * @param {import('../types/wire.js').Snapshot} snapshot
   * @param {import('../room/interpreting.js').Seat} seat
   */
  turn(snapshot, seat) {
    const own = snapshot.you.participant;
    const light = turnLight(seat, snapshot);
    const active = snapshot.interpretation?.active === own;
    const due = active && light.next === 'interpreter';
    const speaks = light.holder === own;
    const words = !active ? 'desk-turn-passive' : speaks ? 'desk-turn-speaking' : due ? 'desk-turn-yours' : light.kind === 'speaker' ? 'desk-turn-listen' : 'desk-turn-wait';
    return html`<p class="desk-turn" data-testid="desk-turn" data-due=${due} data-speaks=${speaks}><b>${t(words)}</b>
      ${active && seat.sinceMs !== null ? html`<span>${t('desk-since')} <time class="figures" data-testid="desk-since">${span(this.now - seat.sinceMs)}</time></span>` : nothing}</p>`;
  }

  /** @param {import('../types/wire.js').Participant | null} me */
  direction(me) {
    const now = directionOf(me);
    if (!now) return html`<p class="hint">${t('desk-direction-none')}</p>`;
    const all = directionsOf(me);
    const words = (/** @type {import('../types/wire.js').Direction} */ one) => t('desk-direction-words', { source: languageName(one.source, language()), target: languageName(one.target, language()) });
    return html`<button class="secondary desk-direction" data-testid="direction" data-source=${now.source} data-target=${now.target} aria-label=${t('desk-direction', { direction: words(now) })}
        @click=${() => this.ask('direction', { source: now.target, target: now.source })}>
        <b>${languageName(now.source, language())}</b>${icon('forwardArrow')}<b>${languageName(now.target, language())}</b>${this.key('direction')}</button>
      ${all.length > 2 ? html`<label class="desk-choice"><span>${t('desk-direction-other')}</span><select data-testid="direction-all" @change=${(/** @type {Event} */ event) => {
        const [source, target] = /** @type {HTMLSelectElement} */ (event.target).value.split(' ');
        this.ask('direction', { source, target });
      }}>${all.map((one) => html`<option value=${[one.source, one.target].join(' ')} ?selected=${one.source === now.source && one.target === now.target}>${words(one)}</option>`)}</select></label>` : nothing}`;
  }

  /** What to render from, where it is not the floor: relay interpreting. @param {import('../types/wire.js').Snapshot} snapshot */
  listening(snapshot) {
    if (snapshot.interpretation?.mode !== 'simultaneous') return nothing;
    const now = snapshot.you.listening ?? '';
    const others = snapshot.participants.filter((person) => isHere(person) && person.id !== snapshot.you.participant);
    return html`<label class="desk-choice"><span>${t('desk-listen')} ${this.key('listen')}</span><select data-testid="listen" @change=${(/** @type {Event} */ event) =>
      this.ask('listen', { participant: /** @type {HTMLSelectElement} */ (event.target).value || null })}>
      <option value="" ?selected=${now === ''}>${t('desk-listen-floor')}</option>
      ${others.map((person) => html`<option value=${person.id} ?selected=${now === person.id}>${person.name}</option>`)}</select></label>`;
  }

  signals() {
    return html`<hj-hold name="cough" what="cough" sign="micOff" label=${this.coughing ? t('desk-coughing') : t('desk-cough')} shows=${this.keys ? keyOf('cough') : ''} ?down=${this.coughing}></hj-hold>
      <div class="keys-row">${SIGNALS.map((kind) => html`<button class="secondary" data-testid="signal-${kind}" ?data-sent=${this.sent === kind} @click=${() => this.ask('signal', { kind })}>
        <span>${this.sent === kind ? t('desk-signal-sent') : t(`signal-${kind.replaceAll('_', '-')}`)}</span>${this.key(kind)}</button>`)}</div>
      <p class="hint">${t('desk-signals-hint')}</p>`;
  }

  /** @param {string} seat */
  notes(seat) {
    return html`<label for="desk-notes"><b>${t('notes-title')}</b> ${this.key('notes')}</label>
      <textarea id="desk-notes" data-testid="notes" rows="3" .value=${readNotes(seat)} @input=${(/** @type {Event} */ event) =>
        keepNotes(seat, /** @type {HTMLTextAreaElement} */ (event.target).value)}></textarea>
      <p class="hint">${t('notes-hint')}</p>`;
  }

  /** @param {import('../room/keys.js').Command} command */
  key(command) {
    return this.keys ? html`<kbd>${keyOf(command)}</kbd>` : nothing;
  }

  keyList() {
    return html`<footer class="desk-keys">
      <button class="quiet" data-testid="key-list-open" aria-expanded=${this.listed} @click=${this.list}>${icon('keyboard')}<span>${t('keys-title')}</span>${this.key('list')}</button>
      <label class="desk-check"><input type="checkbox" data-testid="keys-on" .checked=${this.keys} @change=${(/** @type {Event} */ event) =>
        this.ask('keys', { on: /** @type {HTMLInputElement} */ (event.target).checked })} />${t('keys-on')}</label>
      ${this.listed ? html`<dl class="key-list" data-testid="key-list">${KEYS.map((key) => html`<div><dt><kbd>${key.shows}</kbd></dt><dd>${t(`key-${key.command.replaceAll('_', '-')}`)}${key.held ? html` <em>${t('keys-held')}</em>` : nothing}</dd></div>`)}
        <p class="hint">${t('keys-hint')}</p></dl>` : nothing}
    </footer>`;
  }
}
customElements.define('hj-desk', Desk);
