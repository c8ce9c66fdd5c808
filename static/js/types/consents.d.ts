/** Consents as they come over HTTP (docs/consents.md). */
export interface Text {
  purpose: string; version: number; language: string; reviewed: boolean; title: string; summary: string; body: string[]; items: [string, string][]; sha256: string;
}
export interface Places { clinic: string; recipients: string[]; countries: string[]; years: number }
export interface TextsAnswer { texts: Text[]; places: Places }
export interface TextAnswer { text: Text; places: Places }
export interface Decision {
  id: string; decision: string; version: number; language: string; sha256: string; method: string; by: string; at_ms: number; witnessed_ms: number | null;
  name?: string; relation?: string; drawing?: string; witness?: string; witnessed_by?: string; recorded_by?: string;
}
export interface Purpose { purpose: string; version: number; languages: string[]; state: string; decisions: Decision[] }
export interface SeatConsent { starts_at_ms: number; role: string; decision: string; persons: string[]; read: { purpose: string; version: number; language: string }[]; at_ms: number | null }
export interface ConsentsAnswer {
  case: { id: string; label: string };
  patient: { names: Record<string, string>; languages: string[]; minor: boolean; guardians: { name: string; relation: string }[] } | null;
  places: Places; required: string[]; missing: string[]; purposes: Purpose[]; seats: SeatConsent[];
  policies: { seat_rule: string; legal_basis: string; version: number }[]; time_zone: string; now_ms: number; papers: { id: string; name: string; at_ms: number }[];
}
export interface Look { action: string; name: string; roles: string[]; site: string; count: number; first_ms: number; last_ms: number }
export interface OwnAnswer { clinic: string; time_zone: string; languages: string[]; places: Places; hours: import('./schedule.js').Shown[][]; purposes: Purpose[]; seen: Look[]; expires_ms: number; now_ms: number }
export interface PolicyDecision { version: number; seat_rule: string; legal_basis: string; changed_by: string; changed_ms: number | null }
export interface PoliciesAnswer {
  sites: { id: string; name: string; country: string }[];
  pairs: { referring: string; consulting: string; may_change: boolean; running: number; decisions: PolicyDecision[] }[];
  own_site: string; every_pair: boolean;
}
