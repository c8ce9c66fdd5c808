/** What the audit's routes tell. */
import type { Role } from './wire.js';

export interface AuditEntry {
  id: number; at_ms: number; action: string; address: string; hash: string;
  account: { id: string; name: string; roles: Role[]; site: string } | null; seat_role: Role | null;
  patient_id: string | null; case: string | null; subject_type: string; subject_id: string;
  reason: string | null; detail: Record<string, string | number>;
}
export interface Section { id: string; review: boolean; columns: string[]; rows: (string | number | null)[][] }
export interface Review {
  id: string; month: string; made_ms: number; so_far: boolean; to_review: number;
  signed_ms: number | null; signed_by: string; remarks: string;
  report?: { month: string; from_ms: number; to_ms: number; so_far: boolean; sections: Section[] }; sha256?: string;
}
export interface Glass { id: string; name: string; roles: Role[]; case: string; reason: string; opened_ms: number; over_ms: number; open: boolean }
export interface Gap { id: string; name: string; made_ms: number; reason: string; kept_to: number; lost_to: number; from_ms: number; to_ms: number }
export interface Chain {
  entries: number; broken: number | null; missing_after: number | null; checkpoint_ms: number | null; checkpoints: number;
  newest_ms: number | null; unsigned: string[]; guarded: boolean; gaps: Gap[]; lost: string;
}
