/** Sites and people over the wire (docs/protocol-http.md). Types only. */
import type { Shown } from './schedule.js';

export interface SiteRow { id: string; name: string; country: string; time_zone: string; people: number; rooms: number; departments: number; has_hours: boolean }
export interface Site {
  id: string; name: string; country: string; time_zone: string; address: string; languages: string[]; emergency: string; telephone: string;
  holidays_known: boolean; departments: { id: string; name: string; specialty: string; closed: boolean }[]; may: string[];
}
export interface PersonRow {
  id: string; name: string; email: string; site_id: string; site?: string; roles: string[]; licence_state: 'none' | 'unverified' | 'expired' | 'verified';
  licence_needed: boolean; left: boolean;
}
export interface Licence {
  number: string; country: string; institution: string; expires: string | null;
  entered_by: string | null; entered_ms: number; verified_by: string | null; verified_ms: number | null;
}
export interface Person extends PersonRow {
  language: string; time_zone: string; site: string; telephone: string; has_password: boolean; licence: Licence | null;
  verified_until_ms: number | null; pairs: [string, string][]; fields: string[]; left_ms: number | null; second_step: string[] | null; may: string[]; grantable: string[]; invited?: boolean;
}
export interface CalendarAnswer {
  id: string; kind: 'person' | 'site' | 'room'; site: { id: string; name: string; time_zone: string; country: string; holidays_known: boolean };
  hours: number[][][] | null; site_hours: number[][][] | null; time_zone: string;
  absences: { id: string; from: string; to: string }[]; rooms: { id: string; name: string; closed: boolean }[];
}
export interface AtRisk { consultation: string; case_id: string; case_label: string; begins: Shown[]; role: string; name: string; why: 'left' | 'licence' }
export interface Department {
  id: string; hospital_id: string; hospital: string; name: string; specialty: string; places: string[]; languages: string[]; monthly: number;
  open: number; closed: boolean; synthetic: boolean; physicians: { id: string; name: string; places: string[]; languages: string[]; account_id: string | null }[];
}
export interface Ahead { cases: number; hours: { begins: Shown[]; case_id: string | null; case_label: string | null }[] }
