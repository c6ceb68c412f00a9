/** Rules about time and responses that every runner shares; tested by the same tables of cases as the lab's. */

const TIE_REFRESHES = 1e-9;

/**
 * The half-frame rule: how many refreshes lie nearest to a duration; an exact tie goes to the earlier one.
 * @param {number} durationMs from the onset, >= 0
 * @param {number} refreshHz > 0
 * @returns {number}
 */
export function refreshes(durationMs, refreshHz) {
  if (!(durationMs >= 0 && refreshHz > 0)) throw new RangeError(`refreshes: got ${durationMs} ms at ${refreshHz} Hz`);
  return Math.max(0, Math.ceil((durationMs * refreshHz) / 1000 - 0.5 - TIE_REFRESHES));
}

/** Longest time that a phase can stand, ms. */
export const MOST_MS = 600000;

/**
 * @typedef {object} Phase
 * @property {string} name
 * @property {"fixation"|"cue"|"blank"|"stimulus"|"mask"|"options"} kind
 * @property {number|null} ms null: until the response
 * @property {string|null} file hash of the image or mask
 * @property {string} text words of a cue
 * @property {"none"|"fixation"|"options"} overlay
 */

/**
 * The refreshes at which phases begin and the last one ends, counted from the first phase's. A boundary's target is the sum
 * of durations since its anchor: the first refresh, the onset of each image, or the end of a phase that stood until the
 * response.
 * @param {Pick<Phase, "name"|"kind"|"ms">[]} phases
 * @param {number} periodMs
 * @param {{opens?: string, limitMs?: number|null, sinceZeroMs?: number|null}} [response] opens: the phase whose onset is
 *   time zero; sinceZeroMs: how long that was before the first refresh, where it was
 * @returns {number[]} one more than phases
 */
export function schedule(phases, periodMs, { opens = "", limitMs = null, sinceZeroMs = null } = {}) {
  const hz = 1000 / periodMs;
  const at = [0];
  let [anchor, since] = [0, 0];
  let zero = sinceZeroMs === null ? null : Math.round(-sinceZeroMs / periodMs);
  for (const [i, phase] of phases.entries()) {
    if (phase.name === opens) zero = at[i];
    if (phase.kind === "stimulus") [anchor, since] = [at[i], 0];
    let end;
    if (phase.ms === null) {
      end = limitMs === null ? at[i] + refreshes(MOST_MS, hz) : (zero ?? at[i]) + refreshes(limitMs, hz);
      [anchor, since] = [Math.max(end, at[i]), 0];
    } else {
      since += phase.ms;
      end = anchor + refreshes(since, hz);
    }
    at.push(Math.max(end, at[i]));
  }
  return at;
}

/**
 * What a response means; the same rule as the lab's.
 * @param {{response: string|null, correctResponse: string|null, responseMs: number|null, limitMs: number|null,
 *          earlyMs: number, withheld?: string|null}} trial response: the option, null for none; correctResponse: null where
 *          nothing is scored; withheld: the option that is given by not responding
 * @returns {{response: string, correct: boolean|null, status: "ok"|"late"|"early"|"none"}}
 */
export function judge({ response, correctResponse, responseMs, limitMs, earlyMs, withheld = null }) {
  const right = (/** @type {string} */ option) => (correctResponse === null ? null : option === correctResponse);
  const late = responseMs !== null && limitMs !== null && responseMs > limitMs;
  if (withheld !== null && (response === null || late)) return { response: withheld, correct: right(withheld), status: "ok" };
  if (response === null) return { response: "none", correct: null, status: "none" };
  const early = responseMs !== null && responseMs < earlyMs;
  return { response, correct: right(response), status: late ? "late" : early ? "early" : "ok" };
}

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @returns {Promise<number>} the time of the next frame */
export function nextFrame() {
  return new Promise((resolve) => requestAnimationFrame(resolve));
}

/** @param {number} ms */
export function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * The refresh period from frame times. Busy pages skip frames, so a skipped one counts as several periods.
 * @param {number[]} times of frames, in order
 * @returns {{periodMs: number, sdMs: number}}
 */
export function periodOf(times) {
  const steps = times.slice(1).map((time, i) => time - times[i]);
  const typical = median(steps);
  let count = 0;
  for (const step of steps) count += Math.max(1, Math.round(step / typical));
  const periodMs = (times[times.length - 1] - times[0]) / count;
  const single = steps.filter((step) => step < 1.5 * typical);
  const sdMs = Math.sqrt(single.reduce((sum, step) => sum + (step - periodMs) ** 2, 0) / Math.max(1, single.length));
  return { periodMs, sdMs };
}

/** @param {number} n frames to watch */
export async function measurePeriod(n) {
  const times = [];
  for (let i = 0; i <= n; i++) times.push(await nextFrame());
  return periodOf(times);
}

/** The smallest step of the page's clock: 0.005 ms when cross-origin isolated, 0.1 ms or more when not. */
export function clockResolution() {
  let smallest = Infinity;
  for (let i = 0; i < 50; i++) {
    const start = performance.now();
    let now = start;
    while (now === start) now = performance.now();
    smallest = Math.min(smallest, now - start);
  }
  return smallest;
}
