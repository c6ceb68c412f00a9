/**
 * The compositor presenter: the browser's compositor shows and hides the picture by itself, on time however busy the
 * page is. Fixation cross and picture are two layers whose opacity is animated; the main thread only starts them.
 */

import { presentationLag } from "./lag.js";
import { boundary, nextFrame } from "./timing.js";

/**
 * @typedef {object} Shown
 * @property {number} fixationOn page clock, ms
 * @property {number} onset page clock, ms, of presentation
 * @property {number} offset
 * @property {number} nRefreshes
 * @property {number|null} lateRefreshes where every refresh was seen
 * @property {"observed"|"scheduled"|"presented"} seen
 *
 * @typedef {{stimulus: string, fixationMs: number, stimulusMs: number, tailMs: number, periodMs: number,
 *   movie?: {hz: number, fixation_frames: number}|null}} Request
 */

export class CompositorPresenter {
  name = "compositor";

  /**
   * @param {HTMLElement} stage
   * @param {number} imagePx
   * @param {import("./witness.js").Witness|null} [witness] watches the refreshes; without one nothing is observed
   */
  constructor(stage, imagePx, witness = null) {
    this.stage = stage;
    this.witness = witness;
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
    return Boolean(elementTiming && "animate" in Element.prototype && "startTime" in Animation.prototype);
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
    await this.witness?.ready();
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
    const duration = off + Math.max(tailMs, WATCHED_AFTER * periodMs);
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
    this.witness?.start();
    try {
      await Promise.all([cross.ready, picture.ready]);
      cross.startTime = picture.startTime;
      const start = Number(picture.startTime);
      await picture.finished.catch(() => {});
      const seen = (await this.witness?.stop()) ?? [];
      frames.push(await nextFrame());
      const ends = this.takenAway || start + off;
      const watched = seen.length > 1 && seen[0] < start + on && seen[seen.length - 1] > ends;
      const planned = Math.round((off - on) / periodMs);
      const shown = watched
        ? { onset: firstOf(seen, start + on, periodMs), offset: firstOf(seen, ends, periodMs) }
        : this.#scheduled(frames, start + on, planned, periodMs);
      const n = Math.round((shown.offset - shown.onset) / periodMs);
      return {
        fixationOn: firstFrame(frames, start, periodMs) + this.calibrationMs,
        onset: shown.onset + this.calibrationMs,
        offset: shown.offset + this.calibrationMs,
        nRefreshes: n,
        lateRefreshes: watched ? missed(seen, periodMs) : null,
        seen: watched && (n !== planned || calm(seen, shown, periodMs)) ? "observed" : "scheduled",
      };
    } finally {
      this.cancel();
    }
  }

  /**
   * What the compositor was told, when the refreshes were not watched.
   * @param {number[]} frames @param {number} from @param {number} n refreshes @param {number} periodMs
   */
  #scheduled(frames, from, n, periodMs) {
    const onset = firstFrame(frames, from, periodMs);
    const offset = this.takenAway ? firstFrame(frames, this.takenAway, periodMs) : onset + n * periodMs;
    return { onset, offset };
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
    this.calibrationMs = (await presentationLag(this.stage, n, periodMs)) ?? periodMs;
    return this.calibrationMs;
  }
}

/** So many refreshes after the picture's end are watched, even where nothing else is waited for. */
const WATCHED_AFTER = 5;
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

/**
 * The first watched refresh at or after a time.
 * @param {number[]} seen
 * @param {number} time
 * @param {number} periodMs
 */
export function firstOf(seen, time, periodMs) {
  return /** @type {number} */ (seen.find((each) => each >= time - COARSE * periodMs));
}

/**
 * How many refreshes are missing between the watched ones.
 * @param {number[]} seen
 * @param {number} periodMs
 */
export function missed(seen, periodMs) {
  let n = 0;
  for (let i = 1; i < seen.length; i++) n += Math.max(0, Math.round((seen[i] - seen[i - 1]) / periodMs) - 1);
  return n;
}

/**
 * Whether no refresh was missed near the picture. Where some were, the computer was so busy that the compositor may have
 * drawn late as well, which no record shows: then a duration that came out as planned proves nothing.
 * @param {number[]} seen
 * @param {{onset: number, offset: number}} shown
 * @param {number} periodMs
 */
export function calm(seen, { onset, offset }, periodMs) {
  const near = seen.filter((time) => time > onset - 2.5 * periodMs && time < offset + 2.5 * periodMs);
  return missed(near, periodMs) === 0 && near.length >= Math.round((offset - onset) / periodMs) + 4;
}
