/**
 * The compositor presenter: the browser's compositor shows and hides every layer by itself, on time however busy the page
 * is. Each layer's opacity is one animation; the main thread only starts them.
 */

import { presentationLag } from "./lag.js";
import { intervalsOf, keyframes } from "./layers.js";
import { nextFrame } from "./timing.js";

/**
 * @typedef {object} Shown
 * @property {number[]} onsets of the phases that were shown: page clock, ms, of presentation
 * @property {number} end of the last of them
 * @property {(number|null)[]} late refreshes missed in each, where every refresh was seen
 * @property {"observed"|"scheduled"|"presented"} seen
 *
 * @typedef {object} Request
 * @property {import("./timing.js").Phase[]} phases
 * @property {number[]} at the refreshes at which they begin and the last one ends
 * @property {number} periodMs
 * @property {{file: string, hz: number, frames: number[]}|null} [movie] frames of each phase
 * @property {(first: number) => void} [onStart] told the time of the first refresh, page clock, once known
 */

export class CompositorPresenter {
  name = "compositor";

  /**
   * @param {HTMLElement} stage
   * @param {number} imagePx
   * @param {import("./witness.js").Witness|null} [witness] watches the refreshes; without one nothing is observed
   * @param {HTMLElement|null} [options] the grid of options, where there is one
   */
  constructor(stage, imagePx, witness = null, options = null) {
    this.stage = stage;
    this.witness = witness;
    this.imagePx = imagePx;
    this.options = options;
    this.calibrationMs = 0;
    /** @type {Map<string, HTMLElement>} */
    this.layers = new Map();
    /** @type {Animation[]} */
    this.running = [];
    this.cutAt = 0;
    this.kept = false;
    this.stop = () => {};
  }

  static supported() {
    const elementTiming = globalThis.PerformanceObserver?.supportedEntryTypes?.includes("element");
    return Boolean(elementTiming && "animate" in Element.prototype && "startTime" in Animation.prototype);
  }

  /**
   * Decode images and masks and keep them as layers.
   * @param {Map<string, Blob>} blobs
   */
  async load(blobs) {
    this.unload();
    const decoded = [];
    for (const [name, blob] of blobs) {
      const image = new Image(this.imagePx, this.imagePx);
      image.className = "image";
      image.alt = "";
      image.src = URL.createObjectURL(blob);
      this.layers.set(name, image);
      decoded.push(image.decode());
    }
    await Promise.all(decoded);
    const cross = document.createElement("div");
    cross.className = "cross";
    this.layers.set("cross", cross);
    if (this.options) this.layers.set("options", this.options);
    this.stage.replaceChildren(...this.layers.values());
    await this.witness?.ready();
    await nextFrame();
    await nextFrame();
  }

  unload() {
    for (const layer of this.layers.values()) if (layer instanceof HTMLImageElement) URL.revokeObjectURL(layer.src);
    this.layers.clear();
    this.stage.replaceChildren();
  }

  /** @param {string} name a layer; words are made when they are first needed */
  #layer(name) {
    let layer = this.layers.get(name);
    if (!layer) {
      layer = document.createElement("div");
      layer.className = "cue";
      layer.textContent = name.slice("cue ".length);
      this.layers.set(name, layer);
      this.stage.append(layer);
    }
    return layer;
  }

  /** @param {Request} request @returns {Promise<Shown>} */
  async run({ phases, at, periodMs, onStart = () => {} }) {
    const intervals = intervalsOf(phases, at, periodMs);
    const layers = Array.from(intervals, ([name, spans]) => ({ layer: this.#layer(name), spans }));
    const duration = Math.max(at[phases.length], lastShown(phases, at) + WATCHED_AFTER) * periodMs;
    const frames = this.kept ? [] : [await nextFrame()];
    this.cancel();
    this.cutAt = 0;
    const stopped = new Promise((resolve) => (this.stop = () => resolve(undefined)));
    const shows = layers.map(({ layer, spans }) => layer.animate(keyframes(spans, duration), { duration }));
    if (!shows.length) shows.push(this.stage.animate([{ opacity: 1 }, { opacity: 1 }], { duration }));
    const points = layers.filter(({ layer }) => layer === this.options);
    const touch = points.map(({ layer, spans }) => layer.animate(keyframes(spans, duration, "pointerEvents", "auto", "none"), { duration }));
    this.running = [...shows, ...touch];
    this.witness?.start();
    try {
      await Promise.all(this.running.map(({ ready }) => ready));
      const start = Number(shows[0].startTime);
      for (const animation of this.running) if (animation.startTime !== start) animation.startTime = start;
      onStart(start);
      await Promise.race([shows[0].finished.catch(() => {}), stopped]);
      if (this.cutAt && !this.kept) for (let i = 0; i < WATCHED_AFTER; i++) await nextFrame();
      const seen = (await this.witness?.stop()) ?? [];
      frames.push(await nextFrame());
      return this.#shown({ phases, at, periodMs, start, seen, frames });
    } finally {
      if (!this.kept) this.cancel();
    }
  }

  /**
   * What was on the screen, by the refreshes that were watched, or else by what the compositor was told.
   * @param {{phases: import("./timing.js").Phase[], at: number[], periodMs: number, start: number, seen: number[],
   *   frames: number[]}} run
   * @returns {Shown}
   */
  #shown({ phases, at, periodMs, start, seen, frames }) {
    const turn = (/** @type {number} */ refresh) => start + (refresh - 0.5) * periodMs;
    const from = Math.max(0, phases.findIndex(({ kind }) => kind === "stimulus"));
    const last = lastShown(phases, at);
    const ends = Math.min(this.cutAt || Infinity, turn(last));
    const watched = seen.length > 1 && seen[0] < turn(at[1]) && seen[seen.length - 1] > ends;
    const base = firstFrame(frames, from ? turn(at[from]) : start, periodMs) - at[from] * periodMs;
    const when = (/** @type {number} */ refresh) =>
      (watched ? firstOf(seen, turn(refresh), periodMs) : undefined) ?? base + refresh * periodMs;
    let onsets = phases.map((_, i) => (at[i] === 0 ? firstFrame(frames, start, periodMs) : when(at[i])));
    let end = when(at[phases.length]);
    if (this.cutAt) {
      end = (watched ? firstOf(seen, this.cutAt, periodMs) : undefined) ?? firstFrame(frames, this.cutAt, periodMs);
      onsets = onsets.filter((onset, i) => i === 0 || onset < end - periodMs / 2);
    }
    const ons = [...onsets, end];
    const late = onsets.map((onset, i) =>
      watched ? missed(seen.filter((time) => time >= onset && time <= ons[i + 1]), periodMs) : null,
    );
    const n = (/** @type {number} */ i) => Math.round((ons[i + 1] - ons[i]) / periodMs);
    const differs = onsets.some((_, i) => i >= from && at[i + 1] <= last && n(i) !== at[i + 1] - at[i]);
    const images = { onset: ons[Math.min(from, onsets.length)], offset: Math.min(when(last), end) };
    const proved = watched && (differs || calm(seen, images, periodMs));
    const shift = this.calibrationMs;
    return { onsets: onsets.map((onset) => onset + shift), end: end + shift, late, seen: proved ? "observed" : "scheduled" };
  }

  /**
   * End what is shown at the next refresh, because there is a response.
   * @param {boolean} [keep] what is shown until the next run takes its place
   */
  cut(keep = false) {
    if (this.cutAt) return;
    this.cutAt = performance.now();
    this.kept = keep;
    if (!keep) for (const animation of this.running) targetOf(animation).style.visibility = "hidden";
    this.stop();
  }

  cancel() {
    for (const animation of this.running) {
      animation.cancel();
      targetOf(animation).style.visibility = "";
    }
    this.running = [];
    this.kept = false;
    this.stop();
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

/** @param {Animation} animation */
const targetOf = (animation) => /** @type {HTMLElement} */ (/** @type {KeyframeEffect} */ (animation.effect).target);

/**
 * The refresh at which the last image or mask goes; the end where there is none.
 * @param {import("./timing.js").Phase[]} phases @param {number[]} at
 */
function lastShown(phases, at) {
  const last = phases.map(({ kind }) => kind === "stimulus" || kind === "mask").lastIndexOf(true);
  return at[last < 0 ? phases.length : last + 1];
}

/** So many refreshes after the image's end are watched, even where nothing else is waited for. */
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
 * Whether no refresh was missed near the image. Where some were, the computer was so busy that the compositor may have
 * drawn late as well, which no record shows: then a duration that came out as planned proves nothing.
 * @param {number[]} seen
 * @param {{onset: number, offset: number}} shown
 * @param {number} periodMs
 */
export function calm(seen, { onset, offset }, periodMs) {
  const near = seen.filter((time) => time > onset - 2.5 * periodMs && time < offset + 2.5 * periodMs);
  return missed(near, periodMs) === 0 && near.length >= Math.round((offset - onset) / periodMs) + 4;
}
