/**
 * What the room page lends to its parts.
 *
 * @typedef {{
 *   seat: string,
 *   state: () => import('../room/reducer.js').State,
 *   send: (name: string, message?: object) => Promise<any> | undefined,
 *   changed: () => void,
 *   speaking: () => Set<string>,
 * }} Beside `send`: on the room's socket, undefined while there is none; `changed`: draw the page again; `speaking`: whose
 *   voice is heard just now
 */
export {};
