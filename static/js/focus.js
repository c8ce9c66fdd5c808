/** Keeps the keyboard's place: when what had it is taken away or switched off, what stands around it gets it, and it gets it back. */

const AROUND = 'form, fieldset, li, section, details, dialog, main';
/** So long a page may take to put the place somewhere itself, or to switch a button on again. */
const PATIENCE_MS = 150;

/** Who had it last. @type {Element | null} */
let last = null;
/** What stood around that, the nearest first. @type {Element[]} */
let around = [];
/** Where it was put meanwhile. @type {HTMLElement | null} */
let stand = null;
let waiting = false;

/** @param {Element} one */
const isShown = (one) => one.isConnected && one.getClientRects().length > 0;

/** @param {Element} one */
const takesIt = (one) => isShown(one) && !one.matches(':disabled');

function settle() {
  waiting = false;
  if (!last) return;
  const active = document.activeElement;
  const nobody = !active || active === document.body;
  if (takesIt(last)) {
    // Also when it was switched off and on again within that patience: the browser has taken its place away.
    if ((nobody || active === stand) && last instanceof HTMLElement) last.focus({ preventScroll: true });
    return;
  }
  if (!nobody && active !== last) return; // somebody has it
  const place = around.find(isShown);
  if (!(place instanceof HTMLElement)) return;
  stand = place;
  if (!place.hasAttribute('tabindex')) {
    place.tabIndex = -1;
    place.addEventListener('blur', () => place.removeAttribute('tabindex'), { once: true });
  }
  place.focus({ preventScroll: true });
}

/** @param {FocusEvent} event */
function moved(event) {
  const target = /** @type {Element} */ (event.target);
  if (target === stand) return;
  [last, around, stand] = [target, [], null];
  for (let one = target.parentElement?.closest(AROUND); one; one = one.parentElement?.closest(AROUND)) around.push(one);
}

export function keepPlace() {
  document.addEventListener('focusin', moved);
  document.addEventListener('pointerdown', (event) => {
    const on = /** @type {Element} */ (event.target);
    if (!on.closest('a, button, input, select, textarea, summary, label, [tabindex]')) last = null; // let go on purpose
  });
  new MutationObserver(() => {
    if (!last || waiting) return;
    waiting = true;
    setTimeout(settle, PATIENCE_MS);
  }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ['disabled', 'hidden', 'open'] });
}
