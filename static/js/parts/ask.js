/** What a part's own strip asks for: the same event that elements send, from whatever was touched. */

/**
 * @param {string} type
 * @param {object} [detail]
 * @returns {(event: Event) => void} a listener
 */
export function ask(type, detail = {}) {
  return (event) => void event.target?.dispatchEvent(new CustomEvent('ask', { bubbles: true, detail: { type, ...detail } }));
}
