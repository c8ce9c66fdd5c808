/**
 * What the room page lends to its parts.
 *
 * @typedef {{
 *   seat: string,
 *   state: () => import('../room/reducer.js').State,
 *   send: (name: string, message?: object) => Promise<import('../types/wire.js').Ack>,
 *   changed: () => void, say: (code: string) => void,
 *   devices: import('../room/devices.js').Devices, mixer: import('../room/mixer.js').Mixer,
 *   incoming: () => Iterable<import('../room/sources.js').Incoming>, level: () => number, speaking: () => Set<string>,
 * }} Beside `send`: on the room's socket, `timeout` while there is none; `changed`: draw the page again; `say`: a refusal's code
 *   in words; `incoming`: who is received on the present connection; `level`: of one's own microphone, 0..1; `speaking`: whose
 *   voice is heard just now
 */
export {};
