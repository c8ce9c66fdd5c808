/** The review page: fetches the recording, waits while it is being prepared, hands it to the player. It only wires. */
import { html, nothing, render } from '/static/vendor/lit.js';
import { ApiRefusal, get, goToSignIn, problemOf } from '../api.js';
import { language, languageEvents, startLanguage, t, tError } from '../i18n.js';
import { fullDate, hourMinute } from '../time.js';
import { Playback } from '../review/playback.js';
import { icon } from '../elements/icons.js';
import '../elements/chrome.js';
import { ExportList } from '../review/exports.js';
import '../elements/export.js';
import { withdrawnLanes, withheldLanes } from '../elements/lanes.js';
import '../elements/interpretation.js';
import '../elements/player.js';
import '../elements/said.js';
import '../elements/term-marks.js';

/** @typedef {import('../types/wire.js').RecordingAnswer} RecordingAnswer */

const POLL_MS = 2000;
const SYNC_ALARM_MS = 80;
const id = location.pathname.split('/').filter(Boolean).at(-1) ?? '';
const root = /** @type {HTMLElement} */ (document.querySelector('main'));
/** @type {import('../types/wire.js').Account | null} */
let account = null;
/** @type {RecordingAnswer | null} */
let recording = null;
/** @type {Playback | null} */
let playback = null;
const exports = new ExportList(id);
/** @type {string | null} */
let problem = null;

function draw() {
  document.title = t('page-title', { page: t('page-review') });
  render(html`<hj-header .account=${account}></hj-header><div class="page review">${body()}</div>`, root);
}

function body() {
  if (problem) {
    return html`<section class="card narrow" data-testid="review-refused"><h1>${t('review-denied-title')}</h1><p role="alert">${tError(account ? problem : 'sign_in_required')}</p>
      ${account ? html`<a class="button secondary" href="/worklist">${t('over-worklist')}</a>` : html`<a class="button primary" href=${`/signin?next=${encodeURIComponent(location.pathname)}`}>${t('signin-send')}</a>`}</section>`;
  }
  if (!recording) return html`<p class="loading" role="status">${t('loading')}</p>`;
  return html`${heading(recording)}${content(recording)}`;
}

/** @param {RecordingAnswer} shown */
function heading(shown) {
  const at = shown.started_at_ms;
  const errors = shown.tracks.map((track) => track.sync_error_ms).filter((ms) => ms !== null);
  const across = shown.tracks.map((track) => track.across_error_ms).filter((ms) => ms !== null);
  const apart = [...new Set(shown.tracks.filter((track) => (track.sync_error_ms ?? 0) > SYNC_ALARM_MS).map((track) => track.name))];
  // Who declined later on is in it all the same, with gaps that say so.
  const named = new Set([...shown.tracks, ...shown.withdrawn, ...shown.withheld].map((one) => one.participant));
  const declined = shown.declined.filter((one) => !named.has(one.participant));
  const chain = shown.chain === 'intact' ? 'intact' : ['broken', 'cut_after_ack', 'missing'].includes(shown.chain) ? 'broken' : 'other';
  return html`<div class="review-head">
    <div class="row"><a class="button quiet" href="/cases/${encodeURIComponent(shown.case_id)}">${icon('back')}${t('review-back')}</a>
      <a class="button quiet" data-testid="to-glossary" href="/cases/${encodeURIComponent(shown.case_id)}/glossary">${icon('book')}${t('page-glossary')}</a></div>
    <h1>${t('review-title')}</h1>
    <p class="hint figures">${t('review-recorded', { date: `${fullDate(at, language(), account?.time_zone)}, ${hourMinute(at, language(), account?.time_zone)}` })}</p>
    ${shown.state === 'ready' ? html`<p class="review-facts">
      <span class="chip ${chain === 'intact' ? 'chip-live' : chain === 'broken' ? 'chip-alarm' : ''}" data-testid="review-chain" data-chain=${shown.chain}>${t(`review-chain-${chain}`)}</span>
      <span class="chip ${Math.max(0, ...errors) > SYNC_ALARM_MS ? 'chip-alarm' : ''}" data-testid="review-sync">${errors.length ? t('review-sync', { ms: Math.max(...errors) }) : t('review-sync-unknown')}</span>
      ${across.length ? html`<span class="chip" data-testid="review-sync-across">${t('review-sync-across', { ms: Math.max(...across) })}</span>` : nothing}
      ${declined.length ? html`<span class="chip chip-synthetic">${t('review-declined', { names: declined.map((one) => one.name).join(', ') })}</span>` : nothing}
      ${shown.withdrawn.length ? html`<span class="chip chip-synthetic" data-testid="review-withdrawn">${t('review-withdrawn-who', { names: [...new Set(shown.withdrawn.map((one) => one.name))].join(', ') })}</span>` : nothing}
      ${shown.withheld.length ? html`<span class="chip chip-synthetic" data-testid="review-withheld">${t('review-withheld-who', { names: [...new Set(shown.withheld.map((one) => one.name))].join(', ') })}</span>` : nothing}
    </p>
    ${apart.length ? html`<p class="notice notice-warn" role="status" data-testid="review-out-of-step">${t('review-out-of-step', { names: apart.join(', '), ms: SYNC_ALARM_MS })}</p>` : nothing}` : nothing}
  </div>`;
}

/** @param {RecordingAnswer} shown */
function content(shown) {
  if (shown.state === 'expired') return message('expired', t('review-expired'));
  if (shown.state === 'failed') return message('failed', t('review-failed', { id: shown.id }));
  if (shown.state === 'recording') return message('recording', t('review-recording'));
  if (!playback) return message('preparing', t(shown.waits_for ? `recording-waits-${shown.waits_for}` : 'review-preparing'));
  if (shown.tracks.length === 0) return html`${shown.withheld.length ? nothing : html`<p class="notice notice-plain">${t('review-empty')}</p>`}${withdrawnLanes(shown.withdrawn)}${withheldLanes(shown.withheld)}`;
  return html`<hj-player .playback=${playback} .zone=${account?.time_zone}></hj-player><p class="hint keys">${t('review-keys')}</p>
    <hj-interpretation .playback=${playback}></hj-interpretation>
    <hj-term-marks .playback=${playback}></hj-term-marks>
    <hj-said .playback=${playback} .zone=${account?.time_zone}></hj-said>
    <hj-export .playback=${playback} .list=${exports} .zone=${account?.time_zone}></hj-export>`;
}

/**
 * @param {string} kind
 * @param {string} words
 */
function message(kind, words) {
  return html`<section class="card narrow" data-testid="review-state" data-state=${kind}><h2>${t(`review-${kind}-title`)}</h2><p role="status">${words}</p></section>`;
}

/** @param {RecordingAnswer} found */
function open(found) {
  const opened = new Playback(found);
  // A track that breaks off: the right may have been withdrawn, or a newer generation took its place.
  opened.addEventListener('denied', () => void fetchRecording());
  returnToPlace(opened);
  return opened;
}

const PLACE = `hyeopjin.review.${id}`;

/** @param {Playback} left */
function goOnAfterReload(left) {
  try {
    sessionStorage.setItem(PLACE, JSON.stringify({ ms: left.now(), speed: left.speed }));
  } catch {
    /* storage forbidden: the new one begins at its start */
  }
  location.reload();
}

/** Where the older generation was being watched, once. @param {Playback} opened */
function returnToPlace(opened) {
  try {
    const place = JSON.parse(sessionStorage.getItem(PLACE) ?? 'null');
    sessionStorage.removeItem(PLACE);
    if (!place) return;
    opened.setSpeed(Number(place.speed) || 1);
    opened.seek(Number(place.ms) || 0);
  } catch {
    /* storage forbidden */
  }
}

/** @param {RecordingAnswer} found */
function keptBack(found) {
  return JSON.stringify(found.withheld);
}

async function fetchRecording() {
  try {
    const found = /** @type {RecordingAnswer} */ (await get(`/api/recordings/${encodeURIComponent(id)}`));
    problem = null;
    if (playback && recording && (found.generation !== recording.generation || keptBack(found) !== keptBack(recording))) {
      goOnAfterReload(playback); // more was recorded meanwhile, or the patient decided otherwise: the tracks we had are gone
      return;
    }
    recording = found;
    if (found.state === 'ready') playback ??= open(found);
    else if (found.state !== 'failed' && found.state !== 'expired') setTimeout(() => void fetchRecording(), POLL_MS);
  } catch (error) {
    problem = problemOf(error);
    if (problem === null) return;
    if (error instanceof ApiRefusal && (error.status === 0 || error.status >= 500)) setTimeout(() => void fetchRecording(), POLL_MS);
    if (problem === 'forbidden' && !(await get('/api/me').catch(() => null))) account = null; // signed out meanwhile
    if (error instanceof ApiRefusal && (error.status === 403 || error.status === 404)) {
      playback?.close();
      playback = null;
    }
  }
  draw();
}

async function start() {
  const me = await get('/api/me').catch(() => null);
  account = me?.account ?? null;
  await startLanguage('account', account?.language);
  draw();
  await fetchRecording();
}

languageEvents.addEventListener('change', draw);
void start();
