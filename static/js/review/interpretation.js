/**
 * Lanes of languages and steps from what was said to what rendered it. Pure; times in ms since the recording's start.
 *
 * @typedef {import('../types/interpretation.js').Interpretation} Interpretation
 * @typedef {import('../types/interpretation.js').Pair} Pair
 * @typedef {import('../types/interpretation.js').Spoken} Spoken
 * @typedef {import('../types/interpretation.js').Flag} Flag
 * @typedef {{pair: Pair, part: 'said' | 'rendered', from: number, to: number, people: string[]}} Step
 */

const INTERPRETER = 'interpreter';
/** A voice begins a little before it is loud, and ends a little after. */
const PAD_MS = 250;

/** @param {Interpretation} found @returns {string[]} languages that something was said or rendered in, in alphabetical order */
export function languagesOf(found) {
  const spoken = found.people.filter((one) => one.role !== INTERPRETER).map((one) => one.languages[0]);
  return [...new Set([...spoken, ...found.pairs.map((pair) => pair.target)].filter(Boolean))].sort();
}

/**
 * Who is heard in a language's lane: whoever speaks it themselves, always; an interpreter while they render into it, and
 * while nobody can say what their words are in: rather too much than silence.
 * @param {Interpretation} found
 * @param {string} language
 * @returns {(participant: string, ms: number) => boolean}
 */
export function laneOf(found, language) {
  const roles = new Map(found.people.map((one) => [one.participant, one]));
  const rendered = found.pairs.filter((pair) => pair.target === language).map((pair) => pair.rendered);
  const spans = [...rendered, ...found.own].map((one) => ({ ...one, from: one.from - PAD_MS, to: one.to + PAD_MS }));
  return (participant, ms) => {
    const person = roles.get(participant);
    if (!person) return true;
    if (person.role !== INTERPRETER) return person.languages.includes(language);
    return spans.some((one) => one.participant === participant && one.from <= ms && ms < one.to);
  };
}

/** @param {Interpretation} found @returns {Step[]} said, rendered, said, rendered …, in order of the renderings */
export function stepsOf(found) {
  return found.pairs.flatMap((pair) => [
    { pair, part: /** @type {const} */ ('said'), from: pair.said[0].from, to: Math.max(...pair.said.map((one) => one.to)), people: [...new Set(pair.said.map((one) => one.participant))] },
    { pair, part: /** @type {const} */ ('rendered'), from: pair.rendered.from, to: pair.rendered.to, people: [pair.rendered.participant] },
  ]);
}

/**
 * @param {Step[]} steps
 * @param {number} at index of the step one is at, -1 = none
 * @param {1 | -1} way
 * @param {number} ms where playback is: a first step begins there
 * @returns {number} index, or -1 where there is none
 */
export function nextStep(steps, at, way, ms) {
  if (steps.length === 0) return -1;
  if (at >= 0) return Math.min(steps.length - 1, Math.max(0, at + way));
  const ahead = steps.findIndex((step) => step.part === 'said' && step.to > ms);
  return ahead >= 0 ? ahead : steps.length - 2;
}

/**
 * Pairs with what was set in between, in order of time; what is said twice in a row stands once.
 * @param {Interpretation} found
 * @returns {({pair: Pair, index: number} | {change: Interpretation['changes'][number]})[]}
 */
export function rowsOf(found) {
  /** @type {Map<string, string>} */
  const set = new Map();
  const changes = found.changes.filter((change) => {
    const key = `${change.kind} ${change.participant ?? ''}`;
    const same = set.get(key) === change.value;
    set.set(key, change.value);
    return !same;
  });
  const rows = [
    ...changes.map((change) => ({ at: change.at, row: { change } })),
    ...found.pairs.map((pair, index) => ({ at: pair.rendered.from, row: { pair, index } })),
  ];
  return rows.sort((a, b) => a.at - b.at).map((one) => one.row);
}

/** @param {Flag[]} flags @param {Pair} pair @returns {Flag[]} those on its rendering */
export function flagsOn(flags, pair) {
  const { participant, from, to } = pair.rendered;
  return flags.filter((flag) => flag.participant === participant && flag.from < to && flag.to > from);
}
