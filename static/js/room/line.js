/**
 * What the lines of a room carry, in words: which pictures somebody is not sent, and why. Pure: no DOM, no clock.
 *
 * @typedef {import('../types/wire.js').Participant} Participant
 * @typedef {import('../types/wire.js').PictureKind} PictureKind
 * @typedef {import('../types/wire.js').PausedPicture} PausedPicture
 */

/**
 * @param {Participant | null} viewer whose page it is
 * @param {string} participant
 * @param {PictureKind} kind
 * @returns {PausedPicture | null} why the viewer is not sent this picture, if they are not
 */
export function pausedFor(viewer, participant, kind) {
  return viewer?.line?.paused.find((one) => one.participant === participant && one.kind === kind) ?? null;
}

/**
 * @param {Participant[]} everybody
 * @param {string} participant
 * @returns {string[]} names of those who are present and are not sent this person's camera
 */
export function unseenBy(everybody, participant) {
  return everybody.filter((one) => one.present && pausedFor(one, participant, 'camera')).map((one) => one.name);
}

/** @param {number} bps @returns {number | null} kbit/s to one significant step of ten; null = not measured */
export function roughKbit(bps) {
  return bps > 0 ? Math.max(10, Math.round(bps / 10_000) * 10) : null;
}

/** @param {Participant | null} viewer @returns {boolean} their line carries less than they should see */
export function isThin(viewer) {
  return viewer?.line?.mode === 'thin';
}
