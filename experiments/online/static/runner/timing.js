/** Rules about time that every runner shares; tested by the same tables of cases as the lab's. */

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

/**
 * When to change the picture so that it happens at a given refresh whatever the frame times jitter:
 * half a period before it.
 * @param {number} durationMs
 * @param {number} periodMs
 */
export function boundary(durationMs, periodMs) {
  return (refreshes(durationMs, 1000 / periodMs) - 0.5) * periodMs;
}

/**
 * What a press means.
 * @param {{target: boolean, pressedTarget: boolean|null, responseMs: number|null, limitMs: number,
 *          anticipationMs: number}} trial
 * @returns {{response: "target"|"distractor"|"none", correct: boolean|null, status: "ok"|"late"|"early"|"none"}}
 */
export function judge({ target, pressedTarget, responseMs, limitMs, anticipationMs }) {
  if (pressedTarget === null) return { response: "none", correct: null, status: "none" };
  let status = /** @type {"ok"|"late"|"early"} */ ("ok");
  if (responseMs !== null) status = responseMs > limitMs ? "late" : responseMs < anticipationMs ? "early" : "ok";
  return { response: pressedTarget ? "target" : "distractor", correct: pressedTarget === target, status };
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
