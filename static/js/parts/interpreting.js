/**
 * Interpreting in the room: hears the server's word, sets everybody's volume, and shows the turn, the notices and, to an
 * interpreter, the desk. Rules are in room/interpreting.js and room/volumes.js; this only wires.
 */
import { html, nothing } from '/static/vendor/lit.js';
import { Keys } from '../room/keys.js';
import { PartnerLine } from '../room/partner-line.js';
import { may, me } from '../room/reducer.js';
import { Sources } from '../room/sources.js';
import { volumesOf } from '../room/volumes.js';
import { keepNotes, keepSince, keepWishes, readSince, readWishes } from '../room/wishes.js';
import { REMIND_EVERY_MS, directionOf, followed, handoverStep, interprets, isHere, nextSource, partners, putAside, reminderDue, said, seatAnew, signalShown, signalled, turnLight, turned } from '../room/interpreting.js';
import '../elements/turn.js';
import '../elements/interpreting-notices.js';
import '../elements/desk.js';

/**
 * @typedef {import('../room/reducer.js').State} State
 * @typedef {import('./beside.js').Beside} Beside
 */

const SENT_SHOWN_MS = 2000;
/** After these the seat may be taken again by the same person, in this very window. */
const MAY_RETURN = new Set(['left', 'replaced']);

export class Interpreting {
  /** @param {Beside} page */
  constructor(page) {
    this.page = page;
    this.seat = seatAnew();
    this.wishes = readWishes();
    /** @type {string | null} */
    this.sent = null;
    this.coughing = false;
    /** Whether the server has been told on this visit what is to be heard. */
    this.told = false;
    /** @type {Keys | null} there while one sits at the desk */
    this.keys = null;
    /** @type {Sources | null} */
    this.sources = null;
    page.devices.addEventListener('change', () => page.mixer.use(page.devices.choice.speaker));
    this.partner = new PartnerLine({
      send: (on) => page.send('partner', { on }),
      hush: (on) => page.devices.hush('partner', on),
      talk: (on) => page.devices.talk(on),
      changed: page.changed,
      refused: page.say,
    });
    this.heard = {
      turn: (/** @type {import('../types/wire.js').Turn} */ turn) => this.become(turned(this.seat, this.snapshot, turn.floor)),
      signal: (/** @type {import('../types/wire.js').Signalled} */ signal) => this.become(signalled(this.seat, signal, Date.now())),
      partner_text: (/** @type {import('../types/wire.js').PartnerSaid} */ text) => this.become(said(this.seat, text)),
      joined: () => {
        this.told = false;
      },
    };
    this.actions = {
      mode: (/** @type {{mode: string}} */ { mode }) => this.ask('mode', { mode }),
      floor: (/** @type {{participant: string | null}} */ { participant }) => this.ask('floor', { participant }),
      hearing: (/** @type {{choice: import('../types/wire.js').Hearing}} */ { choice }) => this.hear(choice),
      behind: (/** @type {{level: number}} */ { level }) => this.wish({ behind: level }),
      step: (/** @type {{participant: string, out: boolean}} */ { participant, out }) => this.ask('step', { participant, out }),
      direction: (/** @type {{source: string, target: string}} */ { source, target }) => this.ask('direction', { source, target }),
      listen: (/** @type {{participant: string | null}} */ { participant }) => this.ask('listen', { participant }),
      signal: (/** @type {{kind: string}} */ { kind }) => this.signal(kind),
      cough: (/** @type {{on: boolean}} */ { on }) => this.cough(on),
      partner: (/** @type {{on: boolean}} */ { on }) => (on ? this.partner.press() : this.partner.release()),
      'partner-text': (/** @type {{text: string, sent: () => void}} */ { text, sent }) => this.write(text, sent),
      handover: () => this.handover(),
      'mute-passive': () => this.ask('mute_passive', {}),
      'change-later': () => this.become(putAside(this.seat, Date.now())),
      keys: (/** @type {{on: boolean}} */ { on }) => this.wish({ keys: on }),
    };
  }

  get snapshot() {
    return this.page.state().snapshot;
  }

  get own() {
    return me(this.page.state());
  }

  /** @param {string} ability */
  may(ability) {
    return may(this.page.state(), ability);
  }

  /** @param {import('../room/interpreting.js').Seat} seat */
  become(seat) {
    this.seat = seat;
    this.mix();
    this.page.changed();
  }

  mix() {
    this.page.mixer.set(volumesOf(this.snapshot, this.seat.floor, this.wishes.behind));
  }

  /** @param {State} state @param {State} before */
  changed(state, before) {
    const snapshot = state.snapshot;
    if (!snapshot || snapshot === before.snapshot) return;
    const own = snapshot.you.participant;
    const seat = followed(this.seat, snapshot, Date.now());
    if (seat.active && seat.sinceMs !== null && seat.active !== this.seat.active) {
      seat.sinceMs = readSince(own, seat.active) ?? seat.sinceMs;
      keepSince(own, seat.active, seat.sinceMs);
    }
    this.seat = seat;
    this.mix();
    if (!this.told && this.own) {
      this.told = true;
      const { hearing } = this.wishes;
      if (hearing && hearing !== this.own.hearing && !interprets(this.own)) void this.page.send('hearing', { choice: hearing });
    }
    if (snapshot.interpretation && this.own && interprets(this.own)) this.sit();
    this.partner.follow(this.own?.partner === true);
  }

  /** Everything that only an interpreter has. */
  sit() {
    this.page.mixer.guard();
    this.sources ??= new Sources(this.page.incoming);
    if (this.keys) return;
    this.keys = new Keys(window, { press: (command) => this.press(command), release: (command) => this.release(command) });
    this.keys.set(this.wishes.keys);
  }

  /** @param {string} code */
  closed(code) {
    const own = this.own?.id;
    if (own && !MAY_RETURN.has(code)) keepNotes(own, '');
    this.keys?.close();
    this.sources?.close();
    this.cough(false);
    this.keys = null;
    this.sources = null;
    this.page.mixer.close();
  }

  // --- what is asked for --------------------------------------------------------------------------------

  /** @param {string} what @param {object} detail @returns {Promise<boolean>} whether it was done */
  async ask(what, detail) {
    const ack = await this.page.send(what, detail);
    if (!ack.ok) this.page.say(ack.code ?? 'unexpected');
    return ack.ok;
  }

  /** @param {Partial<import('../room/wishes.js').Wishes>} change */
  wish(change) {
    this.wishes = { ...this.wishes, ...change };
    keepWishes(this.wishes);
    this.keys?.set(this.wishes.keys);
    this.become(this.seat);
  }

  /** @param {import('../types/wire.js').Hearing} choice */
  async hear(choice) {
    if (await this.ask('hearing', { choice })) this.wish({ hearing: choice });
    else this.page.changed();
  }

  /** @param {string} kind */
  async signal(kind) {
    if (!(await this.ask('signal', { kind }))) return;
    this.sent = kind;
    this.page.changed();
    setTimeout(() => {
      if (this.sent === kind) this.sent = null;
      this.page.changed();
    }, SENT_SHOWN_MS);
  }

  /** Nothing leaves the microphone while the key is down, and nobody is told: it is not being muted. @param {boolean} on */
  cough(on) {
    this.coughing = on;
    this.page.devices.hush('cough', on);
    this.page.changed();
  }

  /** @param {string} text @param {() => void} sent */
  async write(text, sent) {
    if (await this.ask('partner_text', { text })) sent();
  }

  async handover() {
    const step = handoverStep(this.snapshot);
    if (step) await this.ask('handover', { step });
  }

  // --- the keys -----------------------------------------------------------------------------------------

  /** @param {import('../room/keys.js').Command} command */
  press(command) {
    const desk = /** @type {any} */ (document.querySelector('hj-desk'));
    const mode = this.snapshot?.interpretation?.mode;
    const direction = directionOf(this.own);
    switch (command) {
      case 'cough': return this.cough(true);
      case 'partner': return partners(this.snapshot).length > 0 ? void this.partner.press() : undefined;
      case 'direction': return direction ? void this.ask('direction', { source: direction.target, target: direction.source }) : undefined;
      case 'mode': return void this.ask('mode', { mode: mode === 'simultaneous' ? 'consecutive' : 'simultaneous' });
      case 'listen': return mode === 'simultaneous' ? void this.ask('listen', { participant: nextSource(this.snapshot) }) : undefined;
      case 'handover': return void this.handover();
      case 'passive': return partners(this.snapshot).length > 0 ? void this.ask('mute_passive', {}) : undefined;
      case 'text': case 'notes': return desk?.write(command);
      case 'list': return desk?.list();
      default: return void this.signal(command);
    }
  }

  /** @param {import('../room/keys.js').Command} command */
  release(command) {
    if (command === 'cough') this.cough(false);
    if (command === 'partner') void this.partner.release();
  }

  // --- what is shown ------------------------------------------------------------------------------------

  /** @param {State} state */
  strip(state) {
    const snapshot = state.snapshot;
    if (!snapshot?.interpretation) return null;
    const seated = snapshot.participants.some(interprets);
    return html`${seated ? html`<hj-turn .snapshot=${snapshot} .light=${turnLight(this.seat, snapshot)} .behind=${this.wishes.behind}
        .can=${{ mode: this.may('mode'), floor: this.may('floor') }} ?keys=${this.keys !== null && this.wishes.keys}></hj-turn>` : nothing}
      <hj-interpreting-notices .value=${this.notices(snapshot, seated)}></hj-interpreting-notices>`;
  }

  /**
   * @param {import('../types/wire.js').Snapshot} snapshot
   * @param {boolean} seated whether there is an interpreter's seat at all
   * @returns {import('../elements/interpreting-notices.js').Notices}
   */
  notices(snapshot, seated) {
    const now = Date.now();
    const own = this.own;
    const word = snapshot.interpretation;
    const desk = own !== null && interprets(own);
    const name = (/** @type {string | null | undefined} */ id) => snapshot.participants.find((person) => person.id === id)?.name ?? null;
    const due = desk && this.seat.active === own?.id ? reminderDue(this.seat, now) : 0;
    return {
      signal: desk ? null : signalShown(this.seat, now), own: own?.id ?? '', out: own?.out === true, mayReturn: this.may('step_out'),
      lost: desk || own?.out ? null : name(this.seat.lost), fallback: !desk && seated && word?.fallback === true,
      bothOpen: desk && word?.both_open === true, muted: desk && own?.id === word?.muted,
      minutes: (due * REMIND_EVERY_MS) / 60_000, change: partners(snapshot).some(isHere),
      asked: desk && word?.handover && word.handover.by !== own?.id ? name(word.handover.by) : null,
    };
  }

  /** @param {State} state */
  desk(state) {
    if (!this.own || !interprets(this.own) || !state.snapshot?.interpretation) return null;
    return html`<hj-desk .snapshot=${state.snapshot} .seat=${this.seat} .sources=${this.sources} .own=${this.page.level} .now=${Date.now()} ?coughing=${this.coughing}
      .talking=${this.partner.open && this.partner.wanted ? 'open' : this.partner.wanted ? 'waiting' : 'no'} .sent=${this.sent} ?keys=${this.wishes.keys} ?guarded=${this.page.mixer.guarded}></hj-desk>`;
  }
}
