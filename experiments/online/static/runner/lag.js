/** How long after its frame time a change is on the screen, where the browser tells (Element Timing). */

import { median, nextFrame } from "./timing.js";

/** Lags within this share of a period belong together: the page missed the same number of refreshes. */
const TOGETHER = 0.25;

/**
 * The lag of a change that nothing delayed. A busy page presents late by whole refreshes, which the presenters, being
 * no part of the page, are not: the median of all marks would be too large. So it is the median of the earliest lags
 * that agree with each other.
 * @param {number[]} lags ms
 * @param {number} periodMs
 * @returns {number|null} null when no eighth of them (three at least) agree
 */
export function undelayedLag(lags, periodMs) {
  const sorted = [...lags].sort((a, b) => a - b);
  const enough = Math.max(3, lags.length / 8);
  for (const first of sorted) {
    const together = sorted.filter((lag) => lag >= first && lag - first <= TOGETHER * periodMs);
    if (together.length >= enough) return median(together);
  }
  return null;
}

/**
 * Measure the lag with small marks.
 * @param {HTMLElement} stage visible
 * @param {number} n marks
 * @param {number} periodMs
 * @returns {Promise<number|null>} ms; null where the browser does not tell
 */
export async function presentationLag(stage, n, periodMs) {
  if (!PerformanceObserver.supportedEntryTypes?.includes("element")) return null;
  /** @type {Map<string, number>} */
  const presented = new Map();
  const observer = new PerformanceObserver((list) => {
    for (const entry of /** @type {any[]} */ (list.getEntries()))
      presented.set(entry.identifier, entry.presentationTime ?? entry.renderTime);
  });
  observer.observe({ type: "element" });
  const lags = [];
  for (let i = 0; i < n; i++) {
    const mark = document.createElement("p");
    mark.className = "mark";
    mark.textContent = "+";
    mark.setAttribute("elementtiming", `mark-${i}`);
    const frame = await nextFrame();
    stage.append(mark);
    for (let wait = 0; wait < 4; wait++) await nextFrame();
    mark.remove();
    const seen = presented.get(`mark-${i}`);
    if (seen) lags.push(seen - frame);
  }
  observer.disconnect();
  return undelayedLag(lags, periodMs);
}
