/** Sites of the programme with what each still lacks, licences that wait to be seen, and the form for a new site. It only wires. */
import { html, nothing, render } from '/static/vendor/lit.js';
import { get, problemOf } from '../api.js';
import { countryName } from '../cldr.js';
import { language, languageEvents, t, tError } from '../i18n.js';
import { hourMinute, weekdayDate, zoneName } from '../time.js';
import { reader } from '../reader.js';
import { icon } from '../elements/icons.js';
import { personLine } from '../elements/person-line.js';
import '../elements/chrome.js';
import '../elements/site-form.js';

/** @typedef {import('../types/people.js').SiteRow} SiteRow */
/** @typedef {import('../types/people.js').PersonRow} PersonRow */

const root = /** @type {HTMLElement} */ (document.querySelector('main'));
/** @type {import('../types/wire.js').Account | null} */
let account = null;
/** @type {SiteRow[] | null} */
let sites = null;
/** @type {PersonRow[]} */
let people = [];
/** @type {string[]} */
let abilities = [];
/** @type {string | null} */
let problem = null;
let sought = '';

async function renew() {
  try {
    sites = (await get('/api/sites')).sites;
    if (abilities.includes('person.list')) people = (await get('/api/people')).people;
    problem = null;
  } catch (error) {
    problem = problemOf(error);
  }
  draw();
}

function draw() {
  document.title = t('page-title', { page: t('page-sites') });
  render(html`<hj-header .account=${account}></hj-header><div class="page people-page"><a class="button quiet back" href="/worklist">${icon('back')}${t('case-back')}</a>
    <div class="page-head"><h1>${t('sites-title')}</h1><p class="lead">${t('sites-lead')}</p></div>
    ${problem ? html`<div class="notice notice-alarm" role="alert">${icon('warning')}<p>${tError(problem)}</p></div>` : nothing}
    ${sites ? body(sites) : problem ? nothing : html`<p class="loading" role="status">${t('loading')}</p>`}</div>`, root);
}

/** @param {SiteRow[]} rows */
function body(rows) {
  const waiting = people.filter((one) => !one.left && one.licence_needed && one.licence_state !== 'verified');
  return html`${waiting.length ? html`<section class="card" data-testid="licences-waiting"><h2>${t('sites-licences', { count: waiting.length })}</h2><ul class="kept-list">${waiting.map(personLine)}</ul></section>` : nothing}
    ${abilities.includes('site.add') ? html`<details class="card" data-testid="new-site"><summary>${t('sites-new')}</summary><hj-site-form></hj-site-form></details>` : nothing}
    <section class="card"><h2>${t('sites-list', { count: rows.length })}</h2>
      ${rows.length ? html`<ul class="kept-list">${rows.map(line)}</ul>` : html`<p class="hint" data-testid="sites-empty">${t('sites-empty')}</p>`}</section>
    ${people.length ? html`<section class="card"><h2>${t('sites-people', { count: people.length })}</h2>
      <label class="field short-field"><span>${t('sites-search')}</span><input type="text" data-testid="people-search" .value=${sought} @input=${(/** @type {Event} */ event) => { sought = /** @type {HTMLInputElement} */ (event.target).value; draw(); }} /></label>
      ${found()}</section>` : nothing}`;
}

function found() {
  const words = sought.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const text = (/** @type {PersonRow} */ one) => `${one.name} ${one.site} ${one.roles.map((role) => t(`role-${role}`)).join(' ')}`.toLocaleLowerCase();
  const rows = people.filter((one) => words.every((word) => text(one).includes(word)));
  return rows.length ? html`<ul class="kept-list" data-testid="people-list">${rows.map(personLine)}</ul>` : html`<p class="hint" role="status">${t('sites-nobody')}</p>`;
}

/** @param {SiteRow} site */
function line(site) {
  const lacks = [site.has_hours ? '' : t('sites-no-hours'), site.rooms ? '' : t('sites-no-rooms'), site.people ? '' : t('sites-no-people')].filter(Boolean);
  const now = Date.now();
  return html`<li class="kept-seat" data-testid="site" data-site=${site.id}><span><a href="/sites/${encodeURIComponent(site.id)}"><strong>${site.name}</strong></a><br>
      <span class="hint">${countryName(site.country, language())} · ${site.time_zone}, ${zoneName(now, language(), site.time_zone)} · <span class="figures">${weekdayDate(now, language(), site.time_zone)}, ${hourMinute(now, language(), site.time_zone)}</span></span></span>
    <span class="row">${lacks.map((one) => html`<span class="chip chip-synthetic">${one}</span>`)}<span class="hint">${t('sites-counts', { people: site.people, rooms: site.rooms, departments: site.departments })}</span></span></li>`;
}

root.addEventListener('ask', (event) => {
  const { type, site } = /** @type {CustomEvent} */ (event).detail;
  if (type === 'site-saved') location.assign(`/sites/${encodeURIComponent(site.id)}`);
});
const me = await reader(root);
if (me) {
  [account, abilities] = [me.account, me.abilities];
  languageEvents.addEventListener('change', draw);
  draw();
  await renew();
}
