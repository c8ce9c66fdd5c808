/** Documents of a case: docs/documents.md, The wire. */
export interface Named { names: string[]; birth_date: string; sex: string; number?: string }
export interface May { look: boolean; download: boolean; confirm: boolean; change: boolean; withdraw: boolean; resume: boolean }
export interface CaseDocument {
  id: string; name: string; size: number; kind: string; side: string; visibility: string; patient_copy: boolean; state: string; offset: number;
  by: { name: string; own: boolean }; at_ms: number; ready_ms: number | null; expires_ms: number | null; ended_ms: number | null; closed: boolean;
  sha256: string; media_type: string; form: string; pages: number; scan: string; refused: string | null; submitted: boolean; sent: boolean;
  withdrawn: { reason: string; words: string; by: string; at_ms: number; destroyed: boolean } | null;
  confirm: { found: Named[]; registered: Named; differs: string[] } | null;
  may: May;
  details?: Details;
}
export interface Details {
  width?: number; height?: number; duration_ms?: number;
  studies?: { date: string; description: string; institution: string }[];
  series?: { study: number; modality: string; description: string; images: number; frames: number }[];
}
export interface Limits { file_bytes: number; left_bytes: number; left_uploads: number; piece_bytes: number }
/** `state` as of recordings: running, kept, warned, held, due. */
export interface DocumentsKept {
  until_ms: number | null; zones: string[]; state: string; years: number;
  transfer: { withdrawn_ms: number; destroyed_from_ms: number | null } | null;
}
export interface DocumentsAnswer {
  documents: CaseDocument[]; wanted?: { kind: string; required: boolean; documents: string[] }[]; limits: Limits; may: { add: boolean }; side: string; kept: DocumentsKept;
  kinds: string[]; visibilities: string[]; reasons: { download: string[]; withdraw: string[] };
}
/** What an upload asks of the server; each throws an ApiRefusal. */
export interface Transport {
  begin(wish: { name: string; size: number; kind: string; visibility: string; request: string }): Promise<CaseDocument>;
  where(document: string): Promise<{ state: string; offset: number }>;
  put(document: string, offset: number, piece: Blob, progress: (bytes: number) => void, signal: AbortSignal): Promise<number>;
}
export interface Chosen { file: File; kind: string; request: string }
