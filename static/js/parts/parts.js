/**
 * The room page's parts: each stands by itself (interpreting, chat, glossary …), in a file of its own in this folder,
 * and says here what it answers to and what it shows where. This file only gathers them; it must not know any of them.
 *
 * @typedef {import('../room/reducer.js').State} State
 * @typedef {{
 *   name: string, icon: string, label: () => string, view: (state: State) => unknown,
 *   may?: (state: State) => boolean, badge?: (state: State) => number,
 * }} Panel opened by a tool of its own; `badge` = how many things in it are new
 * @typedef {{
 *   actions?: Record<string, (detail: any) => unknown>,
 *   heard?: Record<string, (detail: any) => void>,
 *   changed?: (state: State, before: State) => void,
 *   closed?: (code: string) => void,
 *   strip?: (state: State) => unknown,
 *   desk?: (state: State) => unknown,
 *   panel?: Panel,
 *   title?: (state: State) => string | null,
 * }} Part `actions`: what elements ask for; `heard`: socket events; `changed`: after every change of the state;
 *   `closed`: the visit is over; `strip`: a template between the head and the faces; `desk`: one below the faces;
 *   `title`: what the tab says while there is something to say
 */
import { on } from '../listen.js';

export class Parts {
  /** @param {Part[]} all in the order in which they are shown */
  constructor(all) {
    this.all = all;
  }

  /** @returns {Record<string, (detail: any) => unknown>} of all parts; none may take another's word */
  actions() {
    /** @type {Record<string, (detail: any) => unknown>} */
    const found = {};
    for (const part of this.all) {
      for (const [type, act] of Object.entries(part.actions ?? {})) {
        if (type in found) throw new Error(`two parts answer to ${type}`);
        found[type] = act;
      }
    }
    return found;
  }

  /** Hands socket events to those who wait for them. @param {EventTarget} link */
  listen(link) {
    for (const part of this.all) {
      for (const [name, act] of Object.entries(part.heard ?? {})) on(link, name, act);
    }
  }

  /** @param {State} state @param {State} before */
  changed(state, before) {
    for (const part of this.all) part.changed?.(state, before);
  }

  /** @param {string} code */
  closed(code) {
    for (const part of this.all) part.closed?.(code);
  }

  /**
   * @param {'strip' | 'desk'} place
   * @param {State} state
   * @returns {unknown[]} templates
   */
  at(place, state) {
    return this.all.flatMap((part) => part[place]?.(state) ?? []);
  }

  /** @param {State} state @returns {string | null} the first part's that has something to say in the tab */
  title(state) {
    for (const part of this.all) {
      const said = part.title?.(state);
      if (said) return said;
    }
    return null;
  }

  /** @param {State} state @returns {Panel[]} those that this seat may open */
  panels(state) {
    return this.all.flatMap(({ panel }) => (panel && (panel.may?.(state) ?? true) ? [panel] : []));
  }
}
