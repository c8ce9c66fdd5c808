/** What a reason's arguments are in the reader's language. It must not touch the DOM. */
import { languageName } from './cldr.js';

/**
 * The message that names a sub-specialty: `orthopaedics/foot_ankle` → `match-place-orthopaedics-foot-ankle`.
 * @param {string} place
 */
export function placeId(place) {
  return `match-place-${place.replaceAll('/', '-').replaceAll('_', '-')}`;
}

/**
 * Codes become words: a place by its message, languages by their names; numbers and the rules' own terms stay.
 * @param {Record<string, string | number>} args
 * @param {string} reader the page's language
 * @param {(id: string) => string} say
 * @returns {Record<string, string | number>}
 */
export function reasonWords(args, reader, say) {
  /** @type {Record<string, string | number>} */
  const made = { ...args };
  if (typeof args.place === 'string') made.place = say(placeId(args.place));
  if (typeof args.languages === 'string') made.languages = args.languages.split(', ').map((code) => languageName(code, reader)).join(', ');
  if (typeof args.pair === 'string') made.pair = args.pair.split(' – ').map((code) => languageName(code, reader)).join(' – ');
  return made;
}
