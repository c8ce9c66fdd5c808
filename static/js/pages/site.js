/** One site: what it is, its week, rooms, departments and people; for who works there its coming hours and patients. It only wires. */
import { html, nothing, render } from '/static/vendor/lit.js';
import { get, problemOf } from '../api.js';
import { countryName, languageName } from '../cldr.js';
import { language, languageEvents, t, tError } from '../i18n.js';
import { hourMinute, weekdayDate, zoneName } from '../time.js';
import { reader } from '../reader.js';
import { icon } from '../elements/icons.js';
import { personLine } from '../elements/person-line.js';
import '../elements/chrome.js';
import '../elements/departments.js';
import '../elements/own-calendar.js';
import '../elements/patients.js';
import '../elements/person-form.js';
import '../elements/rooms.js';
import '../elements/site-form.js';
import '../elements/site-hours.js';

const id = decodeURIComponent(location.pathname.split('/').filter(Boolean).at(1) ?? '');
const root = /** @type {HTMLElement} */ (document.querySelector('main'));
/** @type {import('../types/wire.js').Account | null} */
let account = null;
/** @type {import('../types/people.js').Site | null} */
let site = null;
/** @type {import('../types/people.js').PersonRow[]} */
let people = [];
/** @type {import('../types/people.js').CalendarAnswer | null} */
let calendar = null;
/** @type {{departments: import('../types/people.js').Department[], places: Record<string, string[]>}} */
let units = { departments: [], places: {} };
/** @type {string[]} */
let abilities = [];
/** What the reader may give, as their own page says. @type {string[]} */
let grantable = [];
/** @type {string | null} */
let problem = null;

async function renew() {
  try {
    site = await get(`/api/sites/${encodeURIComponent(id)}`);
    if (abilities.includes('person.list')) people = (await get('/api/people')).people.filter((/** @type {any} */ one) => one.site_id === id);
    if (abilities.includes('department.read')) units = await get('/api/departments');
    if (site?.may.includes('person.add')) grantable = (await get(`/api/people/${encodeURIComponent(account?.id ?? '')}`)).grantable;
    problem = null;
  } catch (error) {
    problem = problemOf(error);
  }
  draw();
}

function draw() {
  document.title = t('page-title', { page: t('page-site') });
  const back = abilities.includes('site.list') && abilities.includes('person.list') ? '/sites' : '/worklist';
  render(html`<hj-header .account=${account}></hj-header><div class="page people-page"><a class="button quiet back" href=${back}>${icon('back')}${back === '/sites' ? t('sites-title') : t('case-back')}</a>
    ${problem ? html`<div class="notice notice-alarm" role="alert">${icon('warning')}<p>${tError(problem)}</p></div>` : nothing}
    ${site ? body(site) : problem ? nothing : html`<p class="loading" role="status">${t('loading')}</p>`}</div>`, root);
}

/** @param {import('../types/people.js').Site} one */
function body(one) {
  const may = one.may.includes('site.write');
  const keeps = abilities.includes('calendar.write');
  const now = Date.now();
  const here = account?.time_zone ?? 'UTC';
  return html`<div class="page-head"><h1 data-testid="site-name">${one.name}</h1>
      <p class="lead">${countryName(one.country, language())} · ${one.time_zone}, ${zoneName(now, language(), one.time_zone)} · <span class="figures">${weekdayDate(now, language(), one.time_zone)}, ${hourMinute(now, language(), one.time_zone)}</span></p>
      <p class="hint">${[one.address, one.languages.map((code) => languageName(code, language())).join(', ')].filter(Boolean).join(' · ')}</p>
      ${one.emergency ? html`<p><strong>${t('site-emergency-is', { number: one.emergency })}</strong></p>` : html`<p class="question-problem">${icon('warning')}${t('site-emergency-none')}</p>`}
      ${one.telephone ? html`<p class="hint">${t('site-telephone')}: ${one.telephone}</p>` : nothing}</div>
    ${abilities.includes('patient.register') ? html`<hj-site-hours .zone=${one.time_zone} .own=${here}></hj-site-hours>
      ${abilities.includes('self_test') ? html`<section class="card" data-testid="devices"><h2>${t('site-devices')}</h2><p class="hint">${t('site-devices-hint')}</p><div><a class="button secondary" href="/self-test">${t('page-self-test')}</a></div></section>` : nothing}
      <hj-patients></hj-patients>` : nothing}
    ${may ? html`<details class="card" data-testid="site-details"><summary>${t('site-change')}</summary><hj-site-form .site=${one}></hj-site-form></details>` : nothing}
    ${keeps ? html`<hj-calendar owner=${id}></hj-calendar>${calendar ? html`<hj-rooms site=${id} .rooms=${calendar.rooms}></hj-rooms>` : nothing}` : nothing}
    ${abilities.includes('department.read') ? html`<hj-departments site=${id} .rows=${units.departments.filter((unit) => unit.hospital_id === id)} .places=${units.places}
      .people=${people.filter((person) => !person.left && person.roles.includes('consulting_physician'))} ?may=${abilities.includes('department.write')}></hj-departments>` : nothing}
    ${abilities.includes('person.list') ? html`<section class="card" data-testid="people"><h2>${t('site-people')}</h2>
      ${people.length ? html`<ul class="kept-list">${people.map((person) => personLine({ ...person, site: undefined }))}</ul>` : html`<p class="hint">${t('site-nobody')}</p>`}
      ${one.may.includes('person.add') ? html`<details data-testid="new-person"><summary>${t('person-new')}</summary><hj-person-form site=${id} .grantable=${grantable} language=${language()}></hj-person-form></details>` : nothing}</section>` : nothing}`;
}

/** What an element asks for. @type {Record<string, (detail: any) => unknown>} */
const ACTIONS = {
  'site-saved': (detail) => { site = detail.site; draw(); },
  'person-saved': renew,
  'departments-changed': renew,
  'calendar-read': (detail) => { calendar = detail.calendar; draw(); },
  'rooms-changed': () => /** @type {any} */ (root.querySelector('hj-calendar'))?.look(),
};
root.addEventListener('ask', (event) => {
  const { type, ...detail } = /** @type {CustomEvent} */ (event).detail;
  void ACTIONS[type]?.(detail);
});
const me = await reader(root);
if (me) {
  [account, abilities] = [me.account, me.abilities];
  languageEvents.addEventListener('change', draw);
  draw();
  await renew();
}
