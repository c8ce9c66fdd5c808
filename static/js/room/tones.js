/** Soft notes that the browser makes, no file. What they say to whom is not known here. */

/** The longest row of them is over by then; a headset that is slow to be aimed at does not count. */
const CLOSE_AFTER_MS = 2500;

/**
 * @param {[number, number][]} notes Hz, and seconds after the first
 * @param {{loudness: number, fades: number}} how 0..1 at its loudest, and after how many seconds a note has died away
 * @param {string} [sink] the loudspeaker chosen
 */
export async function playNotes(notes, { loudness, fades }, sink) {
  const context = new AudioContext();
  const aim = /** @type {AudioContext & {setSinkId?: (id: string) => Promise<void>}} */ (context);
  if (sink) await aim.setSinkId?.(sink).catch(() => undefined);
  setTimeout(() => void context.close().catch(() => undefined), CLOSE_AFTER_MS); // also where it was never allowed to run
  await context.resume().catch(() => undefined);
  for (const [frequency, after] of notes) {
    const note = context.createOscillator();
    const gain = context.createGain();
    const at = context.currentTime + after;
    note.frequency.value = frequency;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(loudness, at + 0.03);
    gain.gain.exponentialRampToValueAtTime(0.001, at + fades);
    note.connect(gain).connect(context.destination);
    note.start(at);
    note.stop(at + fades + 0.05);
  }
}
