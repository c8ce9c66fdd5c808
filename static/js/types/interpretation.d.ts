/** What was rendered in a recording, as docs/protocol-http.md describes it. Types only; times in ms since its start. */
import type { Role } from './wire.js';

export interface Spoken { participant: string; from: number; to: number }
export interface Pair { said: Spoken[]; rendered: Spoken; source: string; target: string; mode: 'consecutive' | 'simultaneous' }
export interface Flag {
  id: string; participant: string; from: number; to: number; source: string; target: string; comment: string;
  made_by: string; made_at_ms: number; answer: { text: string; by: string; at_ms: number } | null;
}
export interface Interpretation {
  people: { participant: string; role: Role; languages: string[] }[];
  pairs: Pair[];
  own: (Spoken & { signalled: boolean })[];
  changes: { at: number; kind: 'mode' | 'direction'; participant: string | null; value: string }[];
  flags: Flag[];
}
export interface OwnFlag extends Flag { started_at_ms: number }
export interface FlagClip extends OwnFlag {
  window: [number, number];
  tracks: {
    id: string; participant: string; name: string; role: Role; language: string; offset_ms: number; end_ms: number;
    present: [number, number][];
  }[];
}
