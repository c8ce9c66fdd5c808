/** A coordinator's “find an hour” for a case: proposals on both clocks, booking, moving, calling off. It only wires. */
import { html, nothing, render } from '/static/vendor/lit.js';
import { codeOf, get, post, problemOf } from '../api.js';
import { languageEvents, t, tError } from '../i18n.js';
import { reader } from '../reader.js';
import { agreedHour, clocks, obstacles, whyForm } from '../elements/hour.js';
import { icon } from '../elements/icons.js';
import '../elements/chrome.js';

/** @typedef {import('../types/schedule.js').Hour} Hour */
/** @typedef {import('../types/schedule.js').Slot} Slot */
/** @typedef {import('../types/schedule.js').SlotsAnswer} SlotsAnswer */
/** @typedef {import('../types/schedule.js').ScheduleAnswer} ScheduleAnswer */

const DAYS = Object.freeze([7, 14, 31]);
const MINUTES = Object.freeze([30, 45, 60, 90, 120]);
const id = location.pathname.split('/').filter(Boolean).at(1) ?? '';
const base = `/api/cases/${encodeURIComponent(id)}`;
const root = /** @type {HTMLElement} */ (document.querySelector('main'));
/** @type {import('../types/wire.js').Account | null} */
let account = null;
/** @type {ScheduleAnswer | null} */
let shown = null;
/** @type {SlotsAnswer | null} */
let found = null;
/** The search as it was asked. @type {{from: string, days: number, minutes: number, any_field: boolean, urgent: boolean} | null} */
let asked = null;
/** Which hour's form is open. @type {{hour: string, what: string}} */
let open = { hour: '', what: '' };
/** What is being moved. @type {Hour | null} */
let moving = null;
/** A proposal that a move or an urgent booking waits for its reason at. */
let chosen = 0;
/** Whether the next 24 hours are asked for, whatever the working hours. */
let urgent = false;
/** @type {string | null} */
let problem = null;
/** @type {string | null} */
let done = null;
let may = false;
let busy = false;
let skewMs = 0;

async function renew() {
  try {
    shown = /** @type {ScheduleAnswer} */ (await get(`${base}/schedule`));
    skewMs = shown.now_ms - Date.now();
  } catch (error) {
    problem = problemOf(error);
    if (problem === null) return;
  }
  draw();
}

/** Does something once: a second press waits, and a resent request has the same number. @param {() => Promise<string | null>} work */
async function once(work) {
  if (busy) return;
  [busy, problem, done] = [true, null, null];
  draw();
  try {
    done = await work();
  } catch (error) {
    problem = codeOf(error);
  }
  busy = false;
  await renew();
  /** @type {HTMLElement | null} */ (root.querySelector('[data-testid=schedule-done], [role=alert]'))?.focus();
}

/** A wish keeps its number until it is done: pressed again after a lost answer, it is still one. @type {Map<string, string>} */
const numbers = new Map();

/** @param {string} path @param {Record<string, unknown>} wish @returns {Promise<unknown>} */
async function send(path, wish) {
  const key = JSON.stringify([path, wish]);
  const request = numbers.get(key) ?? crypto.randomUUID();
  numbers.set(key, request);
  const answer = await post(path, { request, ...wish });
  numbers.delete(key);
  return answer;
}

/** @param {SubmitEvent} event */
function search(event) {
  event.preventDefault();
  const given = new FormData(/** @type {HTMLFormElement} */ (event.target));
  asked = { from: String(given.get('from') ?? asked?.from ?? today()), days: Number(given.get('days') ?? asked?.days ?? DAYS[1]), minutes: Number(given.get('minutes')), any_field: given.has('any_field'), urgent };
  void once(async () => {
    await look();
    return null;
  }).then(() => {
    if (!problem) /** @type {HTMLElement | null} */ (root.querySelector('[data-testid=schedule-proposals], [data-testid=obstacles]'))?.focus();
  });
}

async function look() {
  if (!asked) return;
  chosen = 0;
  found = await post(`${base}/slots`, moving ? { ...asked, moving: moving.consultation } : asked);
}

/** @param {Slot} slot */
function wished(slot) {
  return { starts_at_ms: slot.starts_at_ms, minutes: asked?.minutes ?? 60, any_field: asked?.any_field ?? false, urgent: asked?.urgent ?? false, interpreter: slot.interpreter, rooms: slot.rooms };
}

/** @param {Slot} slot @param {FormData} [given] why, of an urgent one */
function book(slot, given) {
  void once(async () => {
    try {
      await send(`${base}/consultations`, given ? { ...wished(slot), side: given.get('side'), reason: given.get('reason') } : wished(slot));
    } finally {
      await look();
    }
    return 'schedule-booked';
  });
}

/** @param {Slot} slot @param {FormData} given */
function move(slot, given) {
  const from = moving;
  if (!from) return;
  void once(async () => {
    await send(`/api/consultations/${encodeURIComponent(from.consultation)}/move`, { ...wished(slot), sequence: from.sequence, side: given.get('side'), reason: given.get('reason') });
    [moving, found, chosen] = [null, null, 0];
    return 'schedule-moved';
  });
}

/** @param {Hour} hour @param {string} what @param {Record<string, unknown>} body @param {string} message */
function end(hour, what, body, message) {
  void once(async () => {
    await send(`/api/consultations/${encodeURIComponent(hour.consultation)}/${what}`, body);
    open = { hour: '', what: '' };
    return message;
  });
}

/** @param {Hour} hour @param {string} what */
function ask(hour, what) {
  open = { hour: hour.consultation, what: what === 'move' ? '' : what };
  if (what === 'move') [moving, found, chosen] = [hour, null, 0];
  draw();
  const target = what === 'move' ? '[data-testid=schedule-from]' : what ? '.why select, .why input' : `[data-consultation="${CSS.escape(hour.consultation)}"] [data-testid=hour-cancel]`;
  /** @type {HTMLElement | null} */ (root.querySelector(target))?.focus();
}

function keep() {
  const before = moving?.consultation ?? '';
  [moving, found, chosen] = [null, null, 0];
  draw();
  /** @type {HTMLElement | null} */ (root.querySelector(`[data-consultation="${CSS.escape(before)}"] [data-testid=hour-move]`))?.focus();
}

function draw() {
  document.title = t('page-title', { page: t('page-schedule') });
  render(html`<hj-header .account=${account}></hj-header><div class="page"><a class="button quiet back" href="/worklist">${icon('back')}${t('case-back')}</a>
    <div class="schedule"><div class="page-head"><h1>${t('schedule-title')}${shown ? html` <span class="figures" data-testid="schedule-case">${shown.case_label}</span>` : nothing}</h1><p class="lead">${t('schedule-lead')}</p></div>
    ${problem ? html`<div class="notice notice-alarm" role="alert" tabindex="-1">${icon('warning')}<p>${tError(problem)}</p></div>` : nothing}
    ${done ? html`<div class="notice notice-good" role="status" tabindex="-1" data-testid="schedule-done">${icon('check')}<p>${t(done)}</p></div>` : nothing}
    ${shown ? body(shown) : problem ? nothing : html`<p class="loading" role="status">${t('loading')}</p>`}</div></div>`, root);
}

/** @param {ScheduleAnswer} answer */
function body(answer) {
  const now = Date.now() + skewMs;
  return html`<section class="card"><h2>${t('schedule-agreed')}</h2>
      ${answer.appointments.length ? answer.appointments.map((hour) => agreedHour(hour, now, {
        open: open.hour === hour.consultation ? open.what : '', may, busy, ask: (what) => ask(hour, what),
        cancel: (given) => end(hour, 'cancel', { side: given.get('side'), reason: given.get('reason') }, 'schedule-cancelled'),
        missed: (seats) => end(hour, 'no-show', { seats }, 'schedule-noted'),
      })) : html`<p class="hint">${t('schedule-none')}</p>`}</section>
    ${may ? html`<section class="card"><h2>${moving ? t('schedule-move-title') : t('schedule-find-title')}</h2>
      ${moving ? html`<div class="notice notice-plain"><div>${clocks(moving.starts_at_ms, moving.ends_at_ms, moving.begins)}<button class="quiet" data-testid="move-keep" @click=${keep}>${t('schedule-keep')}</button></div></div>` : nothing}
      ${form()}${found ? results(found) : nothing}</section>` : nothing}`;
}

function today() {
  return new Intl.DateTimeFormat('en-CA', { timeZone: account?.time_zone ?? 'UTC' }).format(Date.now() + skewMs);
}

function form() {
  const choose = (/** @type {string} */ name, /** @type {string} */ label, /** @type {readonly number[]} */ values, /** @type {number} */ usual) => html`<label class="field"><span>${label}</span>
    <select name=${name} data-testid="schedule-${name}">${values.map((value) => html`<option value=${value} ?selected=${value === usual}>${t(`schedule-${name}-count`, { count: value })}</option>`)}</select></label>`;
  return html`<form class="schedule-form" @submit=${search}><div class="row">
      ${urgent ? nothing : html`<label class="field"><span>${t('schedule-from')}</span><input type="date" name="from" required .value=${asked?.from ?? today()} data-testid="schedule-from"></label>
      ${choose('days', t('schedule-days'), DAYS, asked?.days ?? 14)}`}${choose('minutes', t('schedule-minutes'), MINUTES, asked?.minutes ?? 60)}</div>
    <label class="check"><input type="checkbox" name="any_field" data-testid="schedule-any-field" .checked=${asked?.any_field ?? false}><span>${t('schedule-any-field')}</span></label>
    <label class="check"><input type="checkbox" data-testid="schedule-urgent" aria-describedby="urgent-hint" .checked=${urgent} @change=${(/** @type {Event} */ event) => {
      urgent = /** @type {HTMLInputElement} */ (event.target).checked;
      [found, chosen] = [null, 0];
      draw();
    }}><span>${t('schedule-urgent')}</span></label>
    ${urgent ? html`<p class="hint" id="urgent-hint">${t('schedule-urgent-hint')}</p>` : nothing}
    <div><button class="primary" data-testid="schedule-find" ?disabled=${busy}>${icon('clock')}${t('schedule-find')}</button></div></form>`;
}

/** @param {SlotsAnswer} answer */
function results(answer) {
  const unknown = answer.places.filter((place) => !place.holidays_known).map((place) => place.site);
  const name = (/** @type {string} */ one) => answer.who[one]?.name ?? '';
  const room = (/** @type {string} */ one) => `${name(one)} (${answer.who[one]?.site ?? ''})`; // every site has a room 1
  return html`${unknown.length ? html`<div class="notice notice-warn">${icon('warning')}<p>${t('schedule-holidays-unknown', { sites: unknown.join(', ') })}</p></div>` : nothing}
    ${answer.slots.length === 0 ? obstacles(answer) : html`<h3 tabindex="-1" data-testid="schedule-proposals">${t('schedule-proposals')}</h3><ol class="slots">${answer.slots.map((slot) => html`<li class="slot" data-testid="slot" data-starts=${slot.starts_at_ms}>
      <div>${clocks(slot.starts_at_ms, slot.ends_at_ms, slot.begins)}
        <p class="hint">${[...(slot.interpreter === null ? [] : [name(slot.interpreter)]), ...slot.rooms.map(room)].join(' · ')}</p>
        ${slot.outside.length ? html`<p class="outside" data-testid="slot-outside">${icon('warning')}<span>${t('schedule-outside', { who: slot.outside.map((one) => (slot.rooms.includes(one) ? room(one) : name(one))).join(', ') })}</span></p>` : nothing}
        ${slot.edges.length ? html`<p class="hint">${t('schedule-edge', { who: slot.edges.map(name).join(', ') })}</p>` : nothing}</div>
      ${chosen === slot.starts_at_ms ? whyForm(moving ? 'move' : 'book', t(moving ? 'schedule-move-here' : 'schedule-book'), (given) => (moving ? move : book)(slot, given), () => unchoose(slot), busy)
        : moving ? html`<button class="primary" data-testid="slot-move" ?disabled=${busy} @click=${() => choose(slot)}>${t('schedule-move-here')}</button>`
        : html`<button class="primary" data-testid="slot-book" ?disabled=${busy} @click=${() => (asked?.urgent ? choose(slot) : book(slot))}>${t('schedule-book')}</button>`}</li>`)}</ol>`}`;
}

/** @param {Slot} slot */
function choose(slot) {
  chosen = slot.starts_at_ms;
  draw();
  /** @type {HTMLElement | null} */ (root.querySelector('.slot .why select'))?.focus();
}

/** @param {Slot} slot */
function unchoose(slot) {
  chosen = 0;
  draw();
  /** @type {HTMLElement | null} */ (root.querySelector(`.slot[data-starts='${slot.starts_at_ms}'] button`))?.focus();
}

const me = await reader(root);
if (me) {
  account = me.account;
  may = me.abilities.includes('schedule.write');
  languageEvents.addEventListener('change', draw);
  draw();
  await renew();
}
