/**
 * The compositor presenter: the browser's compositor shows and hides the picture by itself, on time however busy the
 * page is. Fixation cross and picture are two layers whose opacity is animated; the main thread only starts them.
 */

import { boundary, nextFrame, median } from "./timing.js";

/**
 * @typedef {object} Shown
 * @property {number} fixationOn page clock, ms
 * @property {number} onset page clock, ms, of presentation
 * @property {number} offset
 * @property {number} nRefreshes
 * @property {number|null} lateRefreshes where every refresh was seen
 * @property {"observed"|"scheduled"|"presented"} seen
 *
 * @typedef {{stimulus: string, fixationMs: number, stimulusMs: number, tailMs: number, periodMs: number}} Request
 */

export class CompositorPresenter {
  name = "compositor";

  /** @param {HTMLElement} stage @param {number} imagePx */
  constructor(stage, imagePx) {
    this.stage = stage;
    this.imagePx = imagePx;
    this.calibrationMs = 0;
    /** @type {Map<string, HTMLImageElement>} */
    this.images = new Map();
    this.cross = document.createElement("div");
    this.cross.className = "cross";
    /** @type {Animation[]} */
    this.running = [];
    this.takenAway = 0;
  }

  static supported() {
    const elementTiming = globalThis.PerformanceObserver?.supportedEntryTypes?.includes("element");
    return Boolean(elementTiming && Element.prototype.animate && "startTime" in Animation.prototype);
  }

  /**
   * Decode pictures and keep them as layers.
   * @param {Map<string, Blob>} blobs
   */
  async load(blobs) {
    this.unload();
    const layers = [];
    for (const [name, blob] of blobs) {
      const image = new Image(this.imagePx, this.imagePx);
      image.className = "picture";
      image.alt = "";
      image.src = URL.createObjectURL(blob);
      this.images.set(name, image);
      layers.push(image.decode());
    }
    await Promise.all(layers);
    this.stage.replaceChildren(this.cross, ...this.images.values());
    await nextFrame();
    await nextFrame();
  }

  unload() {
    for (const image of this.images.values()) URL.revokeObjectURL(image.src);
    this.images.clear();
    this.stage.replaceChildren();
  }

  /** @param {Request} request @returns {Promise<Shown>} */
  async run({ stimulus, fixationMs, stimulusMs, tailMs, periodMs }) {
    const image = /** @type {HTMLImageElement} */ (this.images.get(stimulus));
    const on = boundary(fixationMs, periodMs);
    const off = on + periodMs / 2 + boundary(stimulusMs, periodMs);
    const duration = off + tailMs;
    this.takenAway = 0;
    const frames = [await nextFrame()];
    const visible = (/** @type {number} */ from, /** @type {number} */ to) => [
      { opacity: from === 0 ? 1 : 0, offset: 0 },
      { opacity: from === 0 ? 1 : 0, offset: from / duration },
      { opacity: 1, offset: from / duration },
      { opacity: 1, offset: to / duration },
      { opacity: 0, offset: to / duration },
      { opacity: 0, offset: 1 },
    ];
    const cross = this.cross.animate(visible(0, on), { duration });
    const picture = image.animate(visible(on, off), { duration });
    this.running = [cross, picture];
    try {
      await Promise.all([cross.ready, picture.ready]);
      cross.startTime = picture.startTime;
      const start = Number(picture.startTime);
      await picture.finished.catch(() => {});
      frames.push(await nextFrame());
      const first = firstFrame(frames, start + on, periodMs) + this.calibrationMs;
      const planned = Math.round((off - on) / periodMs);
      let offset = first + planned * periodMs;
      if (this.takenAway) offset = firstFrame(frames, this.takenAway, periodMs) + this.calibrationMs;
      return {
        fixationOn: firstFrame(frames, start, periodMs) + this.calibrationMs,
        onset: first,
        offset,
        nRefreshes: Math.round((offset - first) / periodMs),
        lateRefreshes: null,
        seen: "scheduled",
      };
    } finally {
      this.cancel();
    }
  }

  /** Take the picture away at the next refresh, because a response ends the trial. */
  takeAway() {
    if (!this.takenAway) {
      this.takenAway = performance.now();
      for (const animation of this.running) /** @type {HTMLElement} */ (
        /** @type {KeyframeEffect} */ (animation.effect).target
      ).style.visibility = "hidden";
    }
  }

  cancel() {
    for (const animation of this.running) {
      animation.cancel();
      /** @type {HTMLElement} */ (/** @type {KeyframeEffect} */ (animation.effect).target).style.visibility = "";
    }
    this.running = [];
  }

  /**
   * @param {number} n marks
   * @param {number} periodMs
   * @returns {Promise<number>} ms from a frame's time to its presentation
   */
  async calibrate(n, periodMs) {
    this.calibrationMs = (await presentationLag(this.stage, n)) ?? periodMs;
    return this.calibrationMs;
  }
}

/**
 * How long after its frame time a change is presented, by Element Timing of small marks.
 * @param {HTMLElement} stage visible
 * @param {number} n marks
 * @returns {Promise<number|null>} median in ms; null where the browser does not tell
 */
export async function presentationLag(stage, n) {
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
  return lags.length >= n / 2 ? median(lags) : null;
}

/** A time this share of a period after a refresh is that refresh's: pages that are not isolated have coarse clocks. */
const COARSE = 0.2;

/**
 * The first refresh at or after a time, on the grid that the nearest watched frame gives.
 * @param {number[]} frames
 * @param {number} time
 * @param {number} periodMs
 */
export function firstFrame(frames, time, periodMs) {
  let nearest = frames[0] ?? time;
  for (const frame of frames) if (Math.abs(frame - time) < Math.abs(nearest - time)) nearest = frame;
  return nearest + Math.ceil((time - nearest) / periodMs - COARSE) * periodMs;
}
