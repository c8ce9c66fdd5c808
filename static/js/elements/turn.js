/**
 * <hj-turn>: for everybody: whose turn it is, the mode, and what one hears oneself. Chair and interpreter switch the mode
 * here with one button, and may give the floor by hand where voices do not tell.
 */
import { html, live, nothing } from '/static/vendor/lit.js';
import { t } from '../i18n.js';
import { icon } from './icons.js';
import { keyOf } from '../room/keys.js';
import { interprets, isHere } from '../room/interpreting.js';
import { LightElement } from './base.js';

const HEARING = /** @type {const} */ (['interpreted', 'both', 'original']);
const SOFTEST = 0;

class Turn extends LightElement {
  static properties = {
    snapshot: { attribute: false }, light: { attribute: false }, behind: { attribute: false }, can: { attribute: false },
    keys: { type: Boolean }, open: { state: true },
  };

  constructor() {
    super();
    /** @type {import('../types/wire.js').Snapshot | null} */
    this.snapshot = null;
    /** @type {ReturnType<typeof import('../room/interpreting.js').turnLight> | null} */
    this.light = null;
    this.behind = 0;
    /** @type {{mode: boolean, floor: boolean}} */
    this.can = { mode: false, floor: false };
    /** Whether the keys work, so that they are named on what they do. */
    this.keys = false;
    this.open = false;
  }

  render() {
    const snapshot = this.snapshot;
    const light = this.light;
    const mode = snapshot?.interpretation?.mode;
    if (!snapshot || !light || !mode) return nothing;
    return html`<section class="turn" data-testid="turn" data-kind=${light.kind ?? 'none'} data-holder=${light.holder ?? ''} data-next=${light.next ?? ''}
        data-mode=${mode} aria-label=${t('turn-label')}>
      <ol class="lamps">${this.lamp('speaker', light)}${this.lamp('interpreter', light)}</ol>
      <div class="turn-mode">${this.mode(mode)}</div>
      ${this.can.floor || mode === 'simultaneous' ? html`<button class="quiet turn-more" data-testid="turn-more" aria-expanded=${this.open} @click=${() => { this.open = !this.open; }}>
        ${icon('settings')}<span class="visually-hidden">${t('turn-more')}</span></button>` : nothing}
      <div class="turn-wishes" ?data-open=${this.open}>${this.floor(snapshot)}${this.hearing(snapshot, mode)}</div>
      <div class="visually-hidden" role="status">${t(`mode-${mode}`)}</div>
    </section>`;
  }

  /**
   * @param {'speaker' | 'interpreter'} kind
   * @param {NonNullable<Turn['light']>} light
   */
  lamp(kind, light) {
    const lit = light.kind === kind;
    const due = light.next === kind;
    const name = lit ? this.name(light.holder) : kind === 'interpreter' ? this.name(this.snapshot?.interpretation?.active ?? null) : '';
    return html`<li class="lamp" data-testid="lamp-${kind}" ?data-lit=${lit} ?data-due=${due}>
      <span class="lamp-light"></span>
      <span class="lamp-words"><b>${lit ? t(`turn-${kind}-now`) : due ? t(`turn-${kind}-next`) : t(`turn-${kind}`)}</b>
        ${name ? html`<span class="lamp-name">${name}</span>` : nothing}
        ${lit && light.byHand ? html`<span class="lamp-hand">${t('turn-by-hand')}</span>` : nothing}</span></li>`;
  }

  /** @param {string | null} id */
  name(id) {
    return this.snapshot?.participants.find((person) => person.id === id)?.name ?? '';
  }

  /** @param {'consecutive' | 'simultaneous'} mode */
  mode(mode) {
    const words = html`<b data-testid="mode" data-mode=${mode}>${t(`mode-${mode}`)}</b>`;
    if (!this.can.mode) return html`<span class="mode-shown" title=${t(`mode-${mode}-hint`)}>${words}</span>`;
    const other = mode === 'consecutive' ? 'simultaneous' : 'consecutive';
    return html`<button class="secondary mode-switch" data-testid="mode-switch" title=${t(`mode-to-${other}`)} @click=${() => this.ask('mode', { mode: other })}>
      ${words}${icon('handover')}<span class="visually-hidden">${t(`mode-to-${other}`)}</span>${this.keys ? html`<kbd>${keyOf('mode')}</kbd>` : nothing}</button>`;
  }

  /** @param {import('../types/wire.js').Snapshot} snapshot */
  floor(snapshot) {
    if (!this.can.floor) return nothing;
    const byHand = snapshot.interpretation?.floor_by === 'hand';
    const chosen = byHand ? (snapshot.interpretation?.floor ?? '') : '';
    return html`<label class="turn-wish"><span>${t('turn-floor')}</span>
      <select data-testid="floor" .value=${live(chosen)} @change=${(/** @type {Event} */ event) =>
        this.ask('floor', { participant: /** @type {HTMLSelectElement} */ (event.target).value || null })}>
        <option value="" ?selected=${chosen === ''}>${t('turn-floor-voice')}</option>
        ${snapshot.participants.filter(isHere).map((person) => html`<option value=${person.id} ?selected=${chosen === person.id}>${person.name}</option>`)}
      </select></label>`;
  }

  /**
   * An interpreter chooses at the desk what to listen to.
   * @param {import('../types/wire.js').Snapshot} snapshot
   * @param {'consecutive' | 'simultaneous'} mode
   */
  hearing(snapshot, mode) {
    const own = snapshot.participants.find((person) => person.id === snapshot.you.participant);
    if (mode === 'consecutive' || !own || interprets(own)) return nothing;
    const chosen = own.hearing ?? 'interpreted';
    const percent = Math.round(this.behind * 100);
    return html`<label class="turn-wish"><span>${t('hearing-label')}</span>
        <select data-testid="hearing" .value=${live(chosen)} @change=${(/** @type {Event} */ event) =>
          this.ask('hearing', { choice: /** @type {HTMLSelectElement} */ (event.target).value })}>
          ${HEARING.map((one) => html`<option value=${one} ?selected=${one === chosen}>${t(`hearing-${one}`)}</option>`)}
        </select></label>
      ${chosen === 'both' ? html`<label class="turn-wish"><span>${t('hearing-behind')}</span>
        <input type="range" data-testid="behind" min=${SOFTEST} max="100" step="5" .value=${live(String(percent))} aria-valuetext=${t('hearing-percent', { percent })}
          @input=${(/** @type {Event} */ event) => this.ask('behind', { level: Number(/** @type {HTMLInputElement} */ (event.target).value) / 100 })}></label>` : nothing}`;
  }
}
customElements.define('hj-turn', Turn);
