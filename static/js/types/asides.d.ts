/** What is said beside the room, as docs/protocol.md describes it. Types only. */
import type { Role } from './wire.js';

export interface ChatMessage {
  id: string; participant: string; name: string; role: Role; session?: string | null; at_ms: number; text: string;
}
export interface ReviewedMessage extends ChatMessage { ms: number | null }
export interface Place { site: string; time_zone: string }
export interface ReviewedChat { messages: ReviewedMessage[]; withheld: number; places: Place[] }
export interface ConductStep {
  participant: string; session: string; step: string; outcome: 'done' | 'skipped'; reason: string | null; at_ms: number;
}
export interface ReviewedStep extends ConductStep { name: string; ms: number }
export interface ArrivalTold {
  participant: string; ready_in_ms: number | null; said_ago_ms?: number; ready?: boolean; said_by?: 'seat' | 'coordinator'; name?: string;
}
/** A term that everybody was shown, as it read then; `by` null: by one who is not recorded. */
export interface TermMark { ms: number; texts: Record<string, string>; by: { participant: string; name: string; role: Role } | null }
