/** The pages' icons: our own strokes on a 24-unit grid. Decoration only; the words stand beside them. */
import { html, svg } from '/static/vendor/lit.js';

/** @type {Record<string, ReturnType<typeof svg>>} */
const SHAPES = {
  mic: svg`<rect x="9" y="3" width="6" height="11" rx="3"/><path d="M5 11a7 7 0 0 0 14 0M12 18v3"/>`,
  micOff: svg`<path d="M9 9v2a3 3 0 0 0 4.6 2.5M15 11V6a3 3 0 0 0-5.7-1.3M5 11a7 7 0 0 0 11.2 5.6M19 11a7 7 0 0 1-.5 2.6M12 18v3M4 4l16 16"/>`,
  camera: svg`<rect x="3" y="6" width="12" height="12" rx="2"/><path d="m15 11 6-4v10l-6-4"/>`,
  cameraOff: svg`<path d="M15 12V8a2 2 0 0 0-2-2h-3M4.6 6.4A2 2 0 0 0 3 8v8a2 2 0 0 0 2 2h8a2 2 0 0 0 1.7-.9M15 11l6-4v10M4 4l16 16"/>`,
  screen: svg`<rect x="3" y="4" width="18" height="13" rx="2"/><path d="M8 21h8M12 17v4M12 14V8M9.5 10 12 7.5l2.5 2.5"/>`,
  screenOff: svg`<rect x="3" y="4" width="18" height="13" rx="2"/><path d="M8 21h8M12 17v4M9 8l6 5M15 8l-6 5"/>`,
  leave: svg`<path d="M10 4H6a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h4M15 8l4 4-4 4M19 12H9"/>`,
  end: svg`<path d="M3.5 15.5c-.6-4 3-7 8.5-7s9.1 3 8.5 7l-4.5-.8v-3c-2.5-1-5.5-1-8 0v3z"/>`,
  settings: svg`<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>`,
  speaker: svg`<path d="M4 10v4h4l5 4V6L8 10zM16.5 9a4 4 0 0 1 0 6M19 6.5a8 8 0 0 1 0 11"/>`,
  speakerOff: svg`<path d="M4 10v4h4l5 4V6L8 10zM17 9.5l5 5M22 9.5l-5 5"/>`,
  back: svg`<path d="M11 6 5 12l6 6M5 12h14"/>`,
  rewind: svg`<path d="M4 5v5h5M4.6 10a8 8 0 1 1-.6 3"/>`,
  forward: svg`<path d="M20 5v5h-5M19.4 10a8 8 0 1 0 .6 3"/>`,
  person: svg`<circle cx="12" cy="8" r="4"/><path d="M4 21c.8-4 4-6 8-6s7.2 2 8 6"/>`,
  plus: svg`<path d="M12 5v14M5 12h14"/>`,
  minus: svg`<path d="M6 6l12 12M18 6 6 18"/>`,
  enlarge: svg`<path d="M14 4h6v6M20 4l-7 7M10 20H4v-6M4 20l7-7"/>`,
  shrink: svg`<path d="M20 10h-6V4M14 10l7-7M4 14h6v6M10 14l-7 7"/>`,
  phone: svg`<path d="M6 3.5h3.5l1.5 4.5-2.2 1.6a11 11 0 0 0 5.6 5.6L16 13l4.5 1.5V18a2.5 2.5 0 0 1-2.5 2.5C10.500 20.500 3.500 13.500 3.500 6A2.500 2.500 0 0 1 6 3.500z"/>`,
  chat: svg`<path d="M4 5h16v11H11l-5 4v-4H4zM8 9h8M8 12.500h5"/>`,
  book: svg`<path d="M5 4h11a3 3 0 0 1 3 3v13H8a3 3 0 0 1-3-3zM5 17a3 3 0 0 1 3-3h11M9 8.500h6"/>`,
  check: svg`<path d="m5 13 4 4L19 7"/>`,
  record: svg`<circle cx="12" cy="12" r="8.5"/><circle cx="12" cy="12" r="3.5" fill="currentColor"/>`,
  play: svg`<path d="M7 4.5v15l12-7.5z" fill="currentColor"/>`,
  pause: svg`<path d="M8 5v14M16 5v14" stroke-width="3"/>`,
  key: svg`<circle cx="8" cy="14" r="4"/><path d="m11 11 8-8M16 6l3 3M14 8l2 2"/>`,
  warning: svg`<path d="M12 4 2.5 20h19zM12 10v4M12 17v.5"/>`,
  shield: svg`<path d="M12 3 5 6v5c0 5 3 8 7 10 4-2 7-5 7-10V6zM9 12l2 2 4-4"/>`,
  clock: svg`<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5l3 2"/>`,
  globe: svg`<circle cx="12" cy="12" r="8.5"/><path d="M3.5 12h17M12 3.5c5 5 5 12 0 17c-5-5-5-12 0-17"/>`,
  download: svg`<path d="M12 4v11M7 11l5 5 5-5M5 20h14"/>`,
  hand: svg`<path d="M8 12V5.500a1.500 1.500 0 0 1 3 0V11M11 10.500V4a1.500 1.500 0 0 1 3 0v6.500M14 11V5.500a1.500 1.500 0 0 1 3 0V14c0 4-2.500 7-6 7-3 0-4.500-1.500-6-4.500L3.500 13a1.600 1.600 0 0 1 2.700-1.600L8 13.500"/>`,
  handover: svg`<path d="M4 8h13M13 4l4 4-4 4M20 16H7M11 12l-4 4 4 4"/>`,
  forwardArrow: svg`<path d="M4 12h15M13 6l6 6-6 6"/>`,
  keyboard: svg`<rect x="2.500" y="6" width="19" height="12" rx="2"/><path d="M6 10h.5M10 10h.5M14 10h.5M18 10h.5M7 14h10"/>`,
  file: svg`<path d="M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6"/>`,
  door: svg`<path d="M6 21V4l9-1v18M15 5h3v16M4 21h16M11.5 12v1"/>`,
};

/** @param {keyof typeof SHAPES} name */
export function icon(name) {
  return html`<svg class="icon" viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor"
    stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${SHAPES[name]}</svg>`;
}

/** @param {'good' | 'fair' | 'poor' | null} level */
export function bars(level) {
  const lit = level === 'good' ? 3 : level === 'fair' ? 2 : level === 'poor' ? 1 : 0;
  return html`<svg class="bars" data-level=${level ?? 'none'} viewBox="0 0 14 12" width="14" height="12" aria-hidden="true">
    ${[0, 1, 2].map((i) => svg`<rect x=${i * 5} y=${8 - i * 4} width="4" height=${4 + i * 4} rx="1" opacity=${i < lit ? 1 : 0.3}/>`)}
  </svg>`;
}
