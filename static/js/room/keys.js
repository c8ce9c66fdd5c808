/**
 * The keys of the interpreter's desk: which key does what, and when it is not meant for us. One key each, by its place on
 * the keyboard (`code`), so that it is the same in every layout and input method. They can be switched off
 * (WCAG 2.1.4), and are asleep while somebody types.
 *
 * @typedef {'cough' | 'partner' | 'direction' | 'mode' | 'listen' | 'handover' | 'passive' | 'repeat' | 'slower' | 'clarify'
 *   | 'own_words' | 'text' | 'notes' | 'list'} Command
 * @typedef {{code: string, shows: string, command: Command, held?: boolean}} Key `held`: it acts as long as it is down
 */

/** @type {readonly Key[]} in the order of the visible list */
export const KEYS = Object.freeze([
  { code: 'KeyC', shows: 'C', command: 'cough', held: true },
  { code: 'KeyD', shows: 'D', command: 'direction' },
  { code: 'KeyM', shows: 'M', command: 'mode' },
  { code: 'Digit1', shows: '1', command: 'repeat' },
  { code: 'Digit2', shows: '2', command: 'slower' },
  { code: 'Digit3', shows: '3', command: 'clarify' },
  { code: 'Digit4', shows: '4', command: 'own_words' },
  { code: 'KeyL', shows: 'L', command: 'listen' },
  { code: 'KeyH', shows: 'H', command: 'handover' },
  { code: 'KeyP', shows: 'P', command: 'passive' },
  { code: 'KeyT', shows: 'T', command: 'partner', held: true },
  { code: 'KeyY', shows: 'Y', command: 'text' },
  { code: 'KeyN', shows: 'N', command: 'notes' },
  { code: 'KeyK', shows: 'K', command: 'list' },
]);

/** What takes letters for itself: there a key is a letter. */
const TYPED_IN = 'input:not([type=range], [type=checkbox], [type=radio]), textarea, select, [contenteditable]';

/** @param {Command} command @returns {string} what is written on the key */
export function keyOf(command) {
  return KEYS.find((key) => key.command === command)?.shows ?? '';
}

/**
 * @param {{code: string, ctrlKey?: boolean, altKey?: boolean, metaKey?: boolean, isComposing?: boolean, target?: any}} event
 * @returns {Key | null}
 */
export function keyFor(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return null;
  if (event.target?.closest?.(TYPED_IN)) return null;
  return KEYS.find((key) => key.code === event.code) ?? null;
}

/** Listens to a window's keys. Whatever is held is let go with the key, or when the window loses the keyboard. */
export class Keys {
  /**
   * @param {EventTarget} target
   * @param {{press: (command: Command) => void, release: (command: Command) => void}} act
   */
  constructor(target, act) {
    this.target = target;
    this.act = act;
    this.on = true;
    /** @type {Set<Key>} */
    this.down = new Set();
    /** @type {[string, (event: any) => void][]} */
    this.listeners = [['keydown', (event) => this.pressed(event)], ['keyup', (event) => this.released(event.code)], ['blur', () => this.letGo()]];
    for (const [name, act] of this.listeners) target.addEventListener(name, act);
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const key = this.on ? keyFor(event) : null;
    if (!key) return;
    event.preventDefault();
    if (event.repeat || this.down.has(key)) return;
    if (key.held) this.down.add(key);
    this.act.press(key.command);
  }

  /** @param {string} code */
  released(code) {
    for (const key of this.down) {
      if (key.code !== code) continue;
      this.down.delete(key);
      this.act.release(key.command);
    }
  }

  letGo() {
    for (const key of [...this.down]) this.released(key.code);
  }

  /** @param {boolean} on */
  set(on) {
    this.on = on;
    if (!on) this.letGo();
  }

  close() {
    this.letGo();
    for (const [name, act] of this.listeners) this.target.removeEventListener(name, act);
  }
}
