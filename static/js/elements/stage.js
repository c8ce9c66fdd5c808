/** <hj-stage>: the room once joined: clocks, light, tiles, who is waited for, who knocks, the toolbar. It shows state and asks. */
import { html, nothing, repeat } from '/static/vendor/lit.js';
import { language, t, tError } from '../i18n.js';
import { hourMinute, span } from '../time.js';
import { pauseShown } from '../room/pause.js';
import { isStill, survivors, survives } from '../room/survival.js';
import { pausedFor, roughKbit, unseenBy } from '../room/line.js';
import { ScreenShare } from '../room/screen-share.js';
import { awaited, connectionWords, light, may, me, present } from '../room/reducer.js';
import { mark } from './chrome.js';
import { holdButton } from '../parts/prebrief.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';
import './tile.js';
import './light.js';
import './pause.js';
import './line-trouble.js';
import './survival.js';
import './plan-b.js';
import './seat-recording.js';
import './device-banner.js';
import './device-check.js';
import './full.js';

class Stage extends LightElement {
  static properties = {
    state: { attribute: false }, devices: { attribute: false }, streams: { attribute: false }, speaking: { attribute: false },
    paths: { attribute: false }, now: { attribute: false }, sharing: { type: Boolean }, endingIn: { attribute: false }, panel: { state: true },
    trouble: { attribute: false }, parts: { attribute: false }, mixer: { attribute: false },
  };

  constructor() {
    super();
    /** @type {import('../room/reducer.js').State | null} */
    this.state = null;
    /** @type {import('../room/devices.js').Devices | null} */
    this.devices = null;
    /** @type {Map<string, MediaStream>} */
    this.streams = new Map();
    /** @type {Set<string>} */
    this.speaking = new Set();
    /** @type {import('../room/path-check.js').PathCheck | null} */
    this.paths = null;
    this.now = 0;
    this.sharing = false;
    /** @type {number | null} seconds until the consultation is ended, while it can still be taken back */
    this.endingIn = null;
    /** @type {string | null} settings, recording, or a part's */
    this.panel = null;
    /** @type {import('../parts/parts.js').Parts | null} */
    this.parts = null;
    /** @type {import('../room/mixer.js').Mixer | null} */
    this.mixer = null;
    /** @type {ReturnType<import('../room/device-watch.js').DeviceWatch['trouble']>} */
    this.trouble = { audio: null, camera: null };
    this.addEventListener('ask', (event) => {
      const { type, name } = /** @type {CustomEvent} */ (event).detail;
      if (type === 'panel') this.panel = name; // a part's own strip may open its panel
    });
  }

  render() {
    const state = this.state;
    if (!state) return nothing;
    const everybody = present(state);
    const own = me(state);
    const others = everybody.filter((person) => person !== own);
    const shown = light(state, this.now);
    const sharers = others.filter((person) => person.screen);
    const names = new Map((state.snapshot?.participants ?? []).map((person) => [person.id, person.name]));
    return html`<div class="room">
      ${this.top(state, shown)}
      <hj-banner .value=${shown} .names=${names}></hj-banner>
      <hj-pause .value=${pauseShown(state, this.now)} .names=${names} ?may=${may(state, 'pause')} .zone=${own?.time_zone}></hj-pause>
      <hj-line-trouble media=${state.media} ?online=${state.link === 'online'} .now=${this.now} .paths=${this.paths}></hj-line-trouble>
      <hj-plan-b .state=${state} .now=${this.now}></hj-plan-b>
      <hj-survival .people=${survivors(state)} .own=${own?.id}></hj-survival>
      ${state.cut ? html`<div class="banner" role="alert" data-testid="withdrawal-banner">${icon('shield')}<strong>${t('consent-stopping')}</strong></div>` : nothing}
      ${this.endingIn === null ? nothing : html`<div class="banner" role="alert"><strong>${t('room-ending', { seconds: this.endingIn })}</strong>
        <button class="secondary" data-testid="end-undo" @click=${() => this.ask('end-undo')}>${t('room-ending-undo')}</button></div>`}
      ${state.problem && this.panel !== 'recording' ? html`<div class="banner" role="alert" data-testid="problem">${icon('warning')}<strong>${tError(state.problem)}</strong></div>` : nothing}
      <hj-device-banner .trouble=${this.trouble} @ask=${(/** @type {CustomEvent} */ event) => event.detail.type === 'settings' && (this.panel = 'settings')}></hj-device-banner>
      ${this.knocks(state)}
      ${this.parts?.at('strip', state)}
      ${this.sharing ? html`<div class="banner banner-plain" data-testid="sharing">${icon('screen')}<strong>${t('screen-sharing')}</strong></div>` : nothing}
      <div class="floor" data-count=${sharers.length ? 'screen' : others.length}>
        <section class="tiles" data-count=${sharers.length || others.length} aria-label=${t('room-participants')}>
          ${repeat(sharers, (person) => person.id, (person) => this.screenTile(person))}
          ${sharers.length ? nothing : repeat(others, (person) => person.id, (person) => this.tile(person, false))}
          ${state.full !== null ? html`<hj-full .at=${state.full} .now=${this.now}></hj-full>` : others.length === 0 ? this.alone(state) : nothing}
        </section>
        <aside class="rail">
          ${sharers.length ? repeat(others, (person) => person.id, (person) => this.tile(person, false)) : nothing}
          ${own ? this.tile(own, true) : nothing}
          ${others.length === 0 ? nothing : this.waiting(state)}
        </aside>
      </div>
      ${this.parts?.at('desk', state)}
      <div class="foot">
        ${this.panel === 'settings' ? html`<section class="panel" aria-label=${t('room-settings')}><hj-device-check compact .devices=${this.devices}></hj-device-check></section>` : nothing}
        ${this.panel === 'recording' ? html`<section class="panel" aria-label=${t('room-consent')}><hj-seat-recording .state=${state}></hj-seat-recording></section>` : nothing}
        ${this.parts?.panels(state).filter((one) => one.name === this.panel).map((one) => html`<section class="panel" data-testid="panel-${one.name}" aria-label=${one.label()}>${one.view(state)}</section>`)}
        ${this.toolbar(state)}</div>
      <div class="visually-hidden" aria-live="polite">${state.notices.slice(-1).map((notice) => t(notice.message, { name: notice.name }))}</div>
    </div>`;
  }

  /**
   * @param {import('../room/reducer.js').State} state
   * @param {ReturnType<typeof light>} shown
   */
  top(state, shown) {
    const places = new Map((state.snapshot?.participants ?? []).map((person) => [person.site, person.time_zone]));
    const words = connectionWords(state, this.now);
    const started = state.snapshot?.started_at_ms;
    return html`<header class="top">
      <h1 class="mark">${mark()}<span class="visually-hidden">${t('page-room')}</span></h1>
      <p class="connection" data-tone=${words.tone} role="status" data-testid="connection">${t(words.message)}</p>
      <ul class="clocks">${[...places].map(([site, zone]) => html`<li><span>${site}</span><time class="figures">${hourMinute(this.now, language(), zone)}</time></li>`)}
        ${started ? html`<li class="elapsed"><span>${t('room-elapsed')}</span><time class="figures">${span(this.now - started)}</time></li>` : nothing}</ul>
      <div class="recording-now"><hj-light .value=${shown} .zone=${me(state)?.time_zone}></hj-light>${this.pauseButton(state)}</div>
      <hj-language></hj-language>
    </header>`;
  }

  /**
   * @param {import('../types/wire.js').Participant} person
   * @param {boolean} self
   */
  tile(person, self) {
    const shown = self ? { ...person, mic: (this.state?.mic ?? true) && this.devices?.audio !== null, camera: (this.state?.camera ?? true) && this.devices?.camera !== null } : person;
    const viewer = this.state ? me(this.state) : null;
    const paused = self ? null : pausedFor(viewer, person.id, 'camera');
    return html`<hj-tile data-testid="tile" data-participant=${person.id} data-role=${person.role} ?data-self=${self}
      .paused=${paused && { why: paused.why, kbit: roughKbit(viewer?.line?.down_bps ?? 0) }}
      .unseen=${self ? unseenBy(this.state?.snapshot?.participants ?? [], person.id) : []}
      .mixer=${this.mixer} ?unheard=${this.state?.snapshot?.you.levels?.[person.id] === 'off'} ?steps=${this.state !== null && may(this.state, 'step_out')}
      .person=${shown} ?self=${self} .stream=${this.streams.get(person.id) ?? null} ?speaking=${this.speaking.has(person.id)}
      .now=${Math.floor(this.now / 10_000) * 10_000} .sink=${this.devices?.choice.speaker} .quality=${self ? this.state?.quality : null}
      .still=${this.state && (self ? survives(person) : isStill(this.state, person)) ? this.now : null}></hj-tile>`;
  }

  /** @param {import('../types/wire.js').Participant} person */
  screenTile(person) {
    const viewer = this.state ? me(this.state) : null;
    const paused = pausedFor(viewer, person.id, 'screen');
    return html`<hj-tile data-testid="screen-tile" data-kind="screen" data-participant=${person.id} kind="screen" .person=${person}
      .stream=${this.streams.get(`${person.id} screen`) ?? null} .now=${Math.floor(this.now / 10_000) * 10_000}
      .paused=${paused && { why: paused.why, kbit: roughKbit(viewer?.line?.down_bps ?? 0) }}></hj-tile>`;
  }

  /** @param {import('../room/reducer.js').State} state */
  alone(state) {
    return html`<div class="alone"><h2>${t('room-alone')}</h2><p>${t('room-alone-hint')}</p>${this.waiting(state)}</div>`;
  }

  /** @param {import('../room/reducer.js').State} state */
  waiting(state) {
    const missing = awaited(state);
    if (missing.length === 0) return nothing;
    return html`<section class="waiting" data-testid="awaited"><h2>${t('room-awaited')}</h2><ul>${missing.map((person) => html`<li>
      <strong>${person.name}</strong><span>${t(`role-${person.role}`)} · ${person.site}
      <time class="figures">${hourMinute(this.now, language(), person.time_zone)}</time></span>${holdButton(state, person)}</li>`)}</ul></section>`;
  }

  /** @param {import('../room/reducer.js').State} state */
  knocks(state) {
    const asking = may(state, 'admit') ? (state.snapshot?.knocks ?? []) : [];
    const seats = new Map((state.snapshot?.participants ?? []).map((person) => [person.id, person]));
    return repeat(asking, (knock) => knock.id, (knock) => html`<section class="knock" role="alert" data-testid="knocking">
      <div class="knock-words"><p><strong>${knock.name}</strong> <span>${t('knock-asks', { seat: seats.get(knock.seat)?.name ?? '' })}</span></p>
        <p class="hint">${t('knock-check')}</p></div>
      <div class="row"><button class="primary" data-testid="admit" @click=${() => this.ask('admit', { knock: knock.id, accept: true })}>${t('knock-admit')}</button>
        <button class="secondary" data-testid="refuse" @click=${() => this.ask('admit', { knock: knock.id, accept: false })}>${t('knock-refuse')}</button></div>
    </section>`);
  }

  /** Pausing is one touch; why can be said afterwards. @param {import('../room/reducer.js').State} state */
  pauseButton(state) {
    if (!may(state, 'pause') || !state.snapshot?.session || state.snapshot.pause) return nothing;
    return html`<button class="secondary pause-button" data-testid="pause-recording" title=${t('pause-recording')}
      @click=${() => this.ask('pause', { reason: 'other' })}>${icon('pause')}<span>${t('pause-recording')}</span></button>`;
  }

  /** @param {string} which */
  toggle(which) {
    this.panel = this.panel === which ? null : which;
  }

  /**
   * @param {import('../parts/parts.js').Panel} panel
   * @param {import('../room/reducer.js').State} state
   */
  opener(panel, state) {
    const news = this.panel === panel.name ? 0 : (panel.badge?.(state) ?? 0);
    return html`<button class="tool" data-testid="open-${panel.name}" aria-expanded=${this.panel === panel.name} @click=${() => this.toggle(panel.name)}>
      ${icon(panel.icon)}${news > 0 ? html`<b class="badge" data-testid="news-${panel.name}">${news}</b>` : nothing}<span>${panel.label()}</span></button>`;
  }

  /**
   * Turning on what this computer does not have opens the devices, where it is said what to do.
   * @param {'mic' | 'camera'} what
   * @param {boolean} on
   * @param {MediaStreamTrack | null | undefined} device null = there is none
   */
  turn(what, on, device) {
    this.ask(what, { on });
    if (on && device === null) this.panel = 'settings';
  }

  /** @param {import('../room/reducer.js').State} state */
  toolbar(state) {
    const mic = state.mic && this.devices?.audio !== null;
    const camera = state.camera && this.devices?.camera !== null;
    return html`<nav class="toolbar" aria-label=${t('room-controls')}>
      <button class="tool" data-testid="toggle-mic" aria-pressed=${mic} @click=${() => this.turn('mic', !mic, this.devices?.audio)}>
        ${icon(mic ? 'mic' : 'micOff')}<span>${mic ? t('mic-turn-off') : t('mic-turn-on')}</span></button>
      <button class="tool" data-testid="toggle-camera" aria-pressed=${camera} @click=${() => this.turn('camera', !camera, this.devices?.problem.camera ? null : undefined)}>
        ${icon(camera ? 'camera' : 'cameraOff')}<span>${camera ? t('camera-turn-off') : t('camera-turn-on')}</span></button>
      ${ScreenShare.possible || this.sharing ? html`<button class="tool tool-screen" data-testid="toggle-screen" aria-pressed=${this.sharing} @click=${() => this.ask('screen', { on: !this.sharing })}>
        ${icon(this.sharing ? 'screenOff' : 'screen')}<span>${this.sharing ? t('screen-stop') : t('screen-share')}</span></button>` : nothing}
      ${this.parts?.panels(state).map((one) => this.opener(one, state))}
      <button class="tool" data-testid="settings" aria-expanded=${this.panel === 'settings'} @click=${() => this.toggle('settings')}>
        ${icon('settings')}<span>${t('room-settings')}</span></button>
      <button class="tool" data-testid="seat-recording" aria-expanded=${this.panel === 'recording'} @click=${() => this.toggle('recording')}>
        ${icon('shield')}<span>${t('room-recording')}</span></button>
      <button class="tool tool-leave" data-testid="leave" @click=${() => this.ask('leave')}>${icon('leave')}<span>${t('room-leave')}</span></button>
      ${may(state, 'end')
        ? html`<button class="tool tool-end" data-testid="end-consultation" ?disabled=${this.endingIn !== null} @click=${() => this.ask('end')}>${icon('end')}<span>${t('room-end')}</span></button>`
        : nothing}
    </nav>`;
  }
}
customElements.define('hj-stage', Stage);
