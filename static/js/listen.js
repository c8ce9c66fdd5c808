/** Listening to our own CustomEvents: the listener gets their detail. Pure wiring; it must not know what they mean. */

/**
 * @param {EventTarget} target
 * @param {string} name
 * @param {(detail: any) => void} act
 */
export function on(target, name, act) {
  target.addEventListener(name, (event) => act(/** @type {CustomEvent} */ (event).detail));
}
