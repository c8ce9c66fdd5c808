/** Which hospital: GET and POST /api/cases/{case}/match. */
export interface Reason { message: string; points: number; args: Record<string, string | number> }
export interface Ranked {
  department: string; hospital: string; hospital_id: string; specialty: string; place: string;
  physician: { id: string; name: string } | null; points: number; reasons: Reason[];
}
export interface Proposal {
  id: string; made_ms: number; outdated: boolean; decided: boolean;
  places: { place: string; points: number; terms: string[] }[];
  missing: string[]; red_flags: string[]; close: boolean; ranked: Ranked[];
}
export interface MatchAnswer {
  chosen: string; proposal: Proposal | null;
  decided: {
    proposal: string; department: string; hospital: string; name: string; physician: string | null;
    why: string | null; note: string; by: string; at_ms: number;
  } | null;
}
