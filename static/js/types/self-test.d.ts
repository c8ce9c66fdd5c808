import type { Step, Told } from '../self-test/course.js';

export interface Standing { verdict: 'green' | 'amber' | 'red'; why: 'never' | 'elsewhere' | 'unfinished' | 'old' | 'stale' | 'tested'; tested_ms: number | null; wants_test: boolean }
export interface Readiness extends Standing { site: string; own: boolean }
export interface OtherPlace { device: string; who: string; tested_ms: number; verdict: Standing['verdict']; why: Standing['why'] }
export interface KeptTest {
  id: string; device: string; away: boolean; who: string; begun_ms: number; done_ms: number | null; verdict: 'green' | 'amber' | 'red' | null;
  steps: Partial<Record<Step, Told>>;
}
export interface TestedSite { now_ms: number; site: { id: string; name: string; time_zone: string }; rooms: string[]; tests: KeptTest[] }
export interface BoardRow extends Standing { site: { id: string; name: string; time_zone: string }; upcoming: number[]; device: string | null; who: string | null; others: OtherPlace[] }
