/**
 * The page's language: loads the Fluent catalogue, translates, remembers the choice.
 * It must not contain a sentence itself; every string lives in i18n/*.ftl.
 */
import { FluentBundle, FluentResource, negotiateLanguages } from '/static/vendor/fluent.js';
import { lacks, learn, numberIn, OWN_DATA } from './cldr.js';
import { FALLBACK, fallbacks, LANGUAGES } from './languages.js';

export { LANGUAGES, UNREVIEWED } from './languages.js';
const STORE = 'hyeopjin.language.';

/** @type {FluentBundle[]} */
let bundles = [];
let current = FALLBACK;
/** Whose choice is remembered: a seat, or the account; three seats in one browser keep three languages. */
let scope = 'page';
/** Dispatches `change` when another language is shown. */
export const languageEvents = new EventTarget();

/** @returns {string} one of LANGUAGES */
export function language() {
  return current;
}

/**
 * @param {string} code
 * @param {string} [file] under i18n/, without its ending
 * @returns {Promise<FluentBundle | null>} null where it did not come
 */
async function load(code, file = code) {
  // Chromium knows little of Kazakh and Uzbek and nothing of Mongolian; their plurals are English ones (CLDR).
  const bundle = new FluentBundle(OWN_DATA.includes(code) ? FALLBACK : code, { useIsolating: false });
  const answer = await fetch(`/static/i18n/${file}.ftl`).catch(() => null);
  if (!answer?.ok) return null;
  bundle.addResource(new FluentResource(await answer.text()));
  return bundle;
}

/** @param {string} code */
async function loadCldr(code) {
  const answer = await fetch(`/static/i18n/cldr/${code}.json`);
  if (answer.ok) learn(code, await answer.json());
}

/** @param {string} code */
async function show(code) {
  const [own] = await Promise.all([load(code), lacks(code) ? loadCldr(code) : undefined]);
  // Each catalogue says everything (the tests see to it), so that no thin line carries two: others only where this one did not come.
  const found = own ? [own] : await Promise.all(fallbacks(code).slice(1).map((one) => load(one)));
  const came = found.filter((one) => one !== null);
  if (came.length === 0 && bundles.length > 0) return; // no line: the words that are there stay
  bundles = came;
  current = code;
  document.documentElement.lang = code;
  languageEvents.dispatchEvent(new Event('change'));
}

/**
 * Messages in a language that may not be the page's: what is read out to somebody else.
 * @param {string} code
 * @param {string} file under i18n/, without its ending
 * @param {readonly string[]} ids
 * @param {Record<string, string | number>} [args]
 * @returns {Promise<string[]>} one for each id; '' where there is none. Rejected when they did not come.
 */
export async function readOut(code, file, ids, args) {
  const [bundle] = await Promise.all([load(code, file), lacks(code) ? loadCldr(code) : undefined]);
  if (!bundle) throw new Error(`no words in ${code}`);
  return ids.map((id) => {
    const value = bundle.getMessage(id)?.value;
    return value ? bundle.formatPattern(value, args, []) : '';
  });
}

/** @param {string} key */
function remembered(key) {
  try {
    return localStorage.getItem(STORE + key);
  } catch {
    return null; // storage forbidden: the choice lives as long as the page
  }
}

/**
 * Shows the language for a scope: what was chosen there, else `preferred` (the seat's or account's), else the browser's.
 * @param {string} newScope seat id or 'account'
 * @param {string | null} [preferred]
 */
export async function startLanguage(newScope, preferred = null) {
  scope = newScope;
  // An interpreter's seat has two, as "ru/ko": the first one is theirs to read.
  const asked = [remembered(scope), ...(preferred ?? '').split('/'), ...navigator.languages].filter((code) => typeof code === 'string' && code !== '');
  const [best] = negotiateLanguages(/** @type {string[]} */ (asked), LANGUAGES, {
    strategy: 'lookup',
    defaultLocale: FALLBACK,
  });
  if (best !== current || bundles.length === 0) await show(best);
}

/** @param {string} code one of LANGUAGES, chosen by the person */
export async function chooseLanguage(code) {
  if (!LANGUAGES.includes(code)) return;
  try {
    localStorage.setItem(STORE + scope, code);
  } catch {
    /* storage forbidden */
  }
  await show(code);
}

/**
 * Numbers with separators as the language writes them; small whole ones stay, since plurals go by them.
 * @param {Record<string, string | number>} [args]
 */
function readable(args) {
  if (!args || !OWN_DATA.includes(current)) return args;
  const written = (/** @type {string | number} */ value) =>
    typeof value === 'number' && !(Number.isInteger(value) && Math.abs(value) < 1000) ? numberIn(value, current) : value;
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [name, written(value)]));
}

/** @param {string} id */
export function has(id) {
  return bundles.some((bundle) => bundle.hasMessage(id));
}

/**
 * @param {string} id message of the catalogue
 * @param {Record<string, string | number>} [args]
 * @returns {string} the id itself when no catalogue has it, so that a hole is seen and not hidden
 */
export function t(id, args) {
  for (const bundle of bundles) {
    const value = bundle.getMessage(id)?.value;
    if (value) return bundle.formatPattern(value, readable(args), []);
  }
  return id;
}

/**
 * @param {string} code a refusal's stable code
 * @param {Record<string, string | number>} [facts] numbers that came with it
 * @returns {string} what to do now
 */
export function tError(code, facts) {
  const id = `error-${code.replaceAll('_', '-')}`;
  return has(id) ? t(id, facts) : t('error-unexpected', { code });
}

/**
 * @param {string} prefix e.g. 'gap', 'state'
 * @param {string} value a value off the wire
 */
export function tValue(prefix, value) {
  const found = [`${prefix}-${value}`, `${prefix}-${value.replaceAll('_', '-')}`].find(has);
  return t(found ?? `${prefix}-other`);
}
