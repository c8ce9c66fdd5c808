/** What goes over the wire between page and server, as docs/protocol.md describes it. Types only. */
export type Role =
  | 'referring_physician' | 'consulting_physician' | 'interpreter' | 'coordinator' | 'reviewer' | 'site_admin' | 'privacy_officer' | 'patient';
export type Kind = 'audio' | 'camera' | 'screen' | 'exam';
export type Level = 'good' | 'fair' | 'poor';
export type PictureKind = 'camera' | 'screen' | 'exam';
export interface PausedPicture { participant: string; kind: PictureKind; why: 'thin' | 'lossy' }
export interface LineState { mode: 'full' | 'thin' | 'survival'; down_bps: number; paused: PausedPicture[] }
export interface ShownPicture { participant: string; kind: PictureKind; height: number }
export type LightState = 'off' | 'waiting' | 'recording' | 'degraded' | 'paused' | 'sealed';

export interface Participant {
  id: string; role: Role; name: string; site: string; time_zone: string; language: string; verified: boolean;
  present: boolean; away: boolean; mic: boolean; camera: boolean; screen?: boolean;
  consent: 'granted' | 'declined' | 'undecided'; recorded: boolean; recordable: boolean; quality: Level | null; line?: LineState | null;
  speaks?: string[]; interprets?: boolean; direction?: Direction | null; hearing?: Hearing; out?: boolean; waits?: boolean; partner?: boolean | null;
}
export type Hearing = 'original' | 'interpreted' | 'both';
export type HeardLevel = 'front' | 'behind' | 'off';
export type SignalKind = 'repeat' | 'slower' | 'clarify' | 'own_words';
export interface Direction { source: string; target: string }
export interface Interpretation {
  mode: 'consecutive' | 'simultaneous'; active: string | null; direction: Direction | null;
  floor: string | null; floor_by: 'voice' | 'hand'; handover: { by: string; since_ms: number } | null;
  both_open: boolean; muted: string | null; fallback: boolean;
}
export interface Signalled { by: string; kind: SignalKind; at_ms: number }
export interface PartnerSaid { by: string; text: string; at_ms: number }
export interface Turn { floor: string | null; at_ms: number }
export type PauseReason = 'private_talk' | 'examination' | 'patient_asked' | 'other';
export interface Paused { by: string; reason: PauseReason; since_ms: number }
export interface Knock { id: string; seat: string; name: string; since_ms: number }
export interface Snapshot {
  version: number; room: string; state: 'waiting' | 'live' | 'ended';
  you: {
    participant: string; abilities: string[]; connection: string | null;
    levels?: Record<string, HeardLevel>; listening?: string | null;
  };
  chair: string | null; session: string | null; started_at_ms: number | null;
  participants: Participant[]; knocks?: Knock[]; pause?: Paused | null; interpretation?: Interpretation;
}
export interface OfferTrack { mid: string; participant: string; kind: Kind }
export interface IceServer { urls: string[]; username: string; credential: string }
export interface ProbeAnswer { sdps: string[]; ice_servers: IceServer[]; now_ms: number }
export interface Offer { connection: string; offer_id: string; sdp: string; ice_restart: boolean; tracks: OfferTrack[]; ice_servers?: IceServer[] }
export interface Degraded { participant: string; kind: Kind; cause: string }
export interface Recording {
  state: LightState; stored_until_ms: number | null; degraded: Degraded[];
  waits_for?: 'consent' | 'store' | 'company' | null; paused?: Paused | null;
}
export interface Quality { rtt_ms: number | null; loss_up: number; loss_down: number; up_bps: number | null; level: Level }
export interface Ack { ok: boolean; code?: string; snapshot?: Snapshot }

export interface SeatAnswer {
  seat: { id: string; role: Role; name: string; language: string; site: string; time_zone: string };
  consultation: { id: string; state: string; starts_at_ms: number; opens_at_ms: number; closes_at_ms: number };
  consent: { decision: 'granted' | 'declined'; persons: string[]; version: string; language: string } | null;
  consent_version: string; destruction_asked?: boolean; missing?: string[];
  asked?: { purposes: string[]; recipients: string[]; accompanied: boolean };
  seats: { id: string; role: Role; name: string; site: string; time_zone: string; telephone: string | null; emergency?: string | null }[];
}
export interface SeatPast {
  granted: boolean; held: boolean; backup_days: number; time_zone: string;
  recordings: {
    started_at_ms: number; ended: boolean; state: 'kept' | 'requested' | 'begun' | 'done'; cause: 'withdrawn' | 'expired' | null;
    destroyed_ms: number | null; receipt: number | null;
  }[];
}
export interface Account { id: string; name: string; roles: Role[]; language: string; time_zone: string; site_id?: string; standing?: 'full' | 'locked' | 'unproven'; lock_after_s?: number | null; break_glass?: { id: string; case_id: string; case: string; until_ms: number } | null }
export interface ConsultationRow {
  id: string; case_id: string; case_label: string; case_readable?: boolean; glossary_readable?: boolean; specialty: string; state: string;
  starts_at_ms: number; opens_at_ms: number; closes_at_ms: number;
  places: { site: string; time_zone: string }[];
  seats?: { id: string; role: Role; name: string; language: string; mine: boolean; present: boolean }[];
  my_seat: string | null; joinable: boolean; declinable?: boolean; declined?: string | null; recordings?: RecordingRow[]; readiness?: import('./self-test.js').Readiness[];
}
/** What keeps a recording from being finished: room on the disk, or the object store. */
export type WaitsFor = 'space' | 'store' | null;
export interface RecordingRow { id: string; started_at_ms: number; duration_ms: number | null; state: string; waits_for?: WaitsFor; watchable?: boolean }
export interface CaseAnswer {
  case: {
    id: string; label: string; specialty: string; question: string;
    patient?: { name: string; birth_date: string; sex: string; synthetic: boolean };
  };
  now_ms?: number; consultations: ConsultationRow[]; recordings?: RecordingRow[];
}
export interface Gap { from: number; to: number; cause: string; by?: string | null; why?: string }
export interface Track {
  id: string; participant: string; name: string; role: Role; language: string; kind: Kind; mime: string;
  offset_ms: number; duration_ms: number; present: [number, number][]; gaps: Gap[]; sync_error_ms: number | null;
  across_error_ms: number | null;
  rid?: string; width?: number; height?: number; rotations?: [number, number][];
}
export interface RecordingAnswer {
  id: string; consultation_id: string; case_id: string; state: 'recording' | 'finalising' | 'ready' | 'failed' | 'expired';
  waits_for?: WaitsFor;
  generation: number; started_at_ms: number; duration_ms: number | null; chain: string;
  tracks: Track[]; gaps: Gap[]; declined: { participant: string; name: string; role: Role }[];
  withdrawn: WithdrawnLane[]; withheld: WithheldLane[]; prebrief?: [number, number | null][]; terms?: import('./asides.js').TermMark[];
}
export interface WithdrawnLane { participant: string; name: string; role: Role; kind: Kind | 'other'; from: number; to: number; destroyed: boolean }
/** There, and not for this reader: the patient's word on follow-up review. */
export interface WithheldLane { participant: string; name: string; role: Role; kind: Kind | 'other'; from: number; to: number; code: string }
export interface KeptRecording {
  id: string; started_at_ms: number; class: string; years: number; kept_until_ms: number | null; zones: string[]; state: string;
  seats: { id: string; name: string; role: Role; mine: boolean; withdrawn: 'requested' | 'begun' | 'done' | null; may_withdraw: boolean }[];
  receipts: { number: number | null; seat: string; cause: string; state: string; requested_ms: number; destroyed_ms: number | null; hash: string | null }[];
}
export interface KeptAnswer { now_ms: number; hold: { since_ms: number; reason: string } | null; recordings: KeptRecording[] }
export interface RetentionAnswer {
  now_ms: number; warn_days: number; last_run_ms: number | null;
  upcoming: { recording: string; case_label: string; class: string; state: string; started_at_ms: number; kept_until_ms: number | null; zones: string[] }[];
  documents: { case_id: string; case_label: string; kept_until_ms: number; zones: string[]; cause: string; state: string }[];
  holds: { id: string; case_id: string; case_label: string; reason: string; set_ms: number }[];
  waiting: { recording: string; case_id: string; requested_ms: number }[]; cases: { id: string; label: string }[];
}
export interface PeriodRow {
  recording: string; started_at_ms: number; class: string; extended_years: number; kept_until_ms: number | null; zones: string[]; state: string;
  classes: { name: string; years: number; kept_until_ms: number | null; agreed: boolean }[]; extensions: { years: number; kept_until_ms: number | null }[];
}
export interface PeriodsAnswer { now_ms: number; recordings: PeriodRow[] }
export interface Export {
  id: string; kind: 'film' | 'clip' | 'still' | 'bundle'; layout: 'grid' | 'speaker'; from_ms: number; to_ms: number;
  state: 'queued' | 'running' | 'ready' | 'failed' | 'cancelled' | 'destroyed'; progress: number | null; seats: string[];
  bytes: number | null; sha256: string | null; error_code: string | null; made_by: string; made_at_ms: number; expires_at_ms: number | null;
  waits_for_rooms: boolean; withheld: string | null; teaching: boolean;
}
