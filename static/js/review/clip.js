/**
 * The seconds around a flag as a little recording of its own. Pure; its times begin at the window's start.
 *
 * @typedef {import('../types/interpretation.js').FlagClip} FlagClip
 * @typedef {import('../types/wire.js').RecordingAnswer} RecordingAnswer
 */

/** @param {FlagClip} clip @returns {RecordingAnswer} what the playback plays */
export function recordingOf(clip) {
  const [begin] = clip.window;
  const end = Math.max(...clip.tracks.map((track) => track.end_ms), begin);
  return {
    id: clip.id, consultation_id: '', case_id: '', state: 'ready', generation: 0, started_at_ms: clip.started_at_ms + begin,
    duration_ms: end - begin, chain: '', gaps: [], declined: [], withdrawn: [], withheld: [],
    tracks: clip.tracks.map((track) => ({
      id: track.id, participant: track.participant, name: track.name, role: track.role, language: track.language, kind: 'audio',
      mime: 'audio/webm', offset_ms: track.offset_ms - begin, duration_ms: track.end_ms - track.offset_ms,
      present: track.present.map(([from, to]) => [from - begin, to - begin]), gaps: [], sync_error_ms: null, across_error_ms: null,
    })),
  };
}
