/**
 * A limiter against acoustic shock for whoever wears a headset: a compressor that turns down what is suddenly loud, and
 * behind it a ceiling that no sample passes, whatever comes. It plays nothing by itself.
 *
 * What a headset makes of a digital level nobody knows here: the ceiling bounds what this page adds to what is set on
 * the computer, it is no calibrated protection in the sense of ISO 20109 or of rules for noise at work.
 */

/** Speech lies 10 dB and more below; whistles, feedback and a dropped microphone do not. */
const THRESHOLD_DB = -16;
const RATIO = 20;
/** No sample is louder than this: −6 dB of full scale. */
export const CEILING = 0.5;

/**
 * The Web Audio compressor makes up for what it takes, by (1 / gain at full scale) ^ 0.6 (Web Audio API, 1.19.5), quiet
 * sounds included. Nothing is to be louder than it was: this is taken back.
 */
export const MAKE_UP = (10 ** (-(THRESHOLD_DB - THRESHOLD_DB / RATIO) / 20)) ** 0.6;

/**
 * @param {BaseAudioContext} context
 * @returns {{input: AudioNode, output: AudioNode}}
 */
export function limiter(context) {
  const compressor = context.createDynamicsCompressor();
  compressor.threshold.value = THRESHOLD_DB;
  compressor.knee.value = 0;
  compressor.ratio.value = RATIO;
  compressor.attack.value = 0.001;
  compressor.release.value = 0.15;
  const back = context.createGain();
  back.gain.value = 1 / MAKE_UP;
  const ceiling = context.createWaveShaper();
  ceiling.curve = curve();
  compressor.connect(back).connect(ceiling);
  return { input: compressor, output: ceiling };
}

/** A straight line up to the ceiling and level from there; beyond ±1 a shaper goes on with its last value. */
export function curve() {
  const points = new Float32Array(1025);
  for (let i = 0; i < points.length; i += 1) points[i] = Math.max(-CEILING, Math.min(CEILING, (i - 512) / 512));
  return points;
}
