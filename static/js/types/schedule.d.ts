/** The schedule of a case over the wire (docs/protocol-http.md). Types only. */
import type { Role } from './wire.js';

export interface Shown { site: string; time_zone: string; local: string; weekday: number }
export interface Hour {
  consultation: string; case_id: string; state: string; sequence: number; starts_at_ms: number; ends_at_ms: number;
  begins: Shown[]; ends: Shown[]; languages: [string, string] | null;
  seats: { id: string; role: Role; name: string; account: string | null; language: string; missing: boolean; declined: boolean }[];
  rooms: { id: string; name: string; site: string }[];
  mails: Partial<Record<'waiting' | 'sent' | 'stale' | 'refused', number>>; side: string | null; reason: string | null;
}
export interface ScheduleAnswer { now_ms: number; case_label: string; appointments: Hour[] }
export interface Slot {
  starts_at_ms: number; ends_at_ms: number; begins: Shown[]; ends: Shown[]; interpreter: string | null; rooms: string[]; edges: string[]; outside: string[];
}
export interface Obstacle { how: string; kinds: string[]; who: string[]; causes: Record<string, Record<string, number>> }
export interface SlotsAnswer {
  slots: Slot[]; obstacles: Obstacle[]; who: Record<string, { name: string; kind: string; site: string; time_zone: string }>;
  places: { site: string; time_zone: string; holidays_known: boolean }[]; languages: [string, string] | null;
}
