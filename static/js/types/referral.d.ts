/** What the pages of a referral get and send (docs/protocol-http.md, Patients and referrals). */
export type Texts = Record<string, string>;
export type Answer = string | string[] | null;
export type Answers = Record<string, Answer>;
export interface Choice { id: string; label: Texts }
export interface Question {
  id: string; section: string; kind: 'text' | 'long_text' | 'number' | 'date' | 'choice' | 'many'; label: Texts; why: Texts; optional: boolean;
  choices: Choice[]; exclusive: string[]; unit: string; min: number | null; max: number | null; not_known: boolean;
}
export interface Form { id: string; specialty: string; version: number; label: Texts; sections: { id: string; label: Texts }[]; questions: Question[] }
export interface Problem { question: string; code: string; blocks: boolean; least?: number; min?: number; max?: number; days?: number }
export interface Guardian { name: string; relation: string; phone: string }
export interface Person {
  names: Record<string, string>; birth_date: string; sex: string; nationality: string; languages: string[]; contact: Record<string, string>; guardians: Guardian[];
}
export interface Alike { id: string; names: Record<string, string>; birth_date: string; sex: string; nationality: string; sure: boolean; cases: number }
export interface Patient extends Person { id: string; version: number; synthetic: boolean; alike: Alike[] }
export interface Aside { id: string; question: string; answer: Answer; by: string; at_ms: number }
export interface Returned { reason: string; questions: string[]; words: string; at_ms: number }
export interface Draft {
  case: { id: string; label: string; state: string; specialty: string };
  form: string; version: number; based_on: number; answers: Answers; aside: Aside[]; changed: { by: string; at_ms: number };
  asked: string[]; problems: Problem[]; patient: Patient; returned: Returned | null; conflicts?: string[];
}
export interface Version { number: number; form: string; answers: Answers; patient: Person; by: string; at_ms: number; sha256: string }
export interface CaseEvent {
  move: string; before: string; after: string; role: string; by: string; at_ms: number; reason: string; questions: string[]; words: string; number: number | null;
}
export interface ReferralAnswer {
  case: { id: string; label: string; state: string; specialty: string };
  versions: Version[]; answers: { number: number; text: string; by: string; at_ms: number }[]; events: CaseEvent[]; synthetic: boolean; moves: string[];
}
export interface Turn {
  id: string; label: string; specialty: string; state: string; site: string; time_zone: string; why: string; since_ms: number; due_ms: number | null;
  urgency: string; returns: string;
}
/** What needs the reader besides a case's turn (server/domain/task.py). */
export interface Task {
  why: string; since_ms: number | null; due_ms: number | null; case: string; label: string; about: string; name: string; count: number;
  lacking: string[]; reason: string; begins: import('./schedule.js').Shown[];
}
