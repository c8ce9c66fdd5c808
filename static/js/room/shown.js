/**
 * Tells the server which pictures this page shows how high, so that nothing larger is sent than is seen.
 * It looks at the tiles as they are laid out; it must not know what is in them.
 *
 * @typedef {import('../types/wire.js').ShownPicture} ShownPicture
 */

const LOOK_EVERY_MS = 1000;
/** Heights are told in steps, so that a scroll bar or a longer name is no news. */
const STEP = 40;

/**
 * @param {Iterable<HTMLElement>} tiles elements with data-participant and perhaps data-kind
 * @param {number} ratio device pixels per CSS pixel
 * @returns {ShownPicture[]} in a fixed order
 */
export function shownIn(tiles, ratio) {
  /** @type {Map<string, ShownPicture>} */
  const found = new Map();
  for (const tile of tiles) {
    const participant = tile.dataset.participant ?? '';
    const kind = /** @type {ShownPicture['kind']} */ (tile.dataset.kind ?? 'camera');
    const frame = tile.querySelector('video') ?? tile;
    const height = Math.min(10_000, Math.ceil((frame.getBoundingClientRect().height * ratio) / STEP) * STEP);
    const key = `${participant} ${kind}`;
    found.set(key, { participant, kind, height: Math.max(height, found.get(key)?.height ?? 0) });
  }
  return [...found.keys()].sort().map((key) => /** @type {ShownPicture} */ (found.get(key)));
}

export class Shown {
  /** @param {(shown: ShownPicture[]) => Promise<boolean>} tell whether the server has it */
  constructor(tell) {
    this.tell = tell;
    this.told = '';
    this.telling = false;
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
  }

  /** The server has forgotten it: a new visit, or a new connection. */
  forget() {
    this.told = '';
  }

  async look() {
    const tiles = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-testid=tile]:not([data-self]), [data-testid=screen-tile]'));
    const shown = shownIn(tiles, devicePixelRatio);
    const now = JSON.stringify(shown);
    if (now === this.told || this.telling || shown.length === 0) return;
    this.telling = true;
    if (await this.tell(shown)) this.told = now;
    this.telling = false;
  }

  close() {
    clearInterval(this.timer);
  }
}
