/** The worker presenter: a thread of its own draws every refresh and sees when each one happened. */

import { presentationLag } from "./lag.js";
import { inkOn, intervalsOf, keyframes } from "./layers.js";
import { DrawingThread } from "./thread.js";

export class WorkerPresenter {
  name = "worker";

  /**
   * @param {HTMLElement} stage
   * @param {number} imagePx
   * @param {string} background
   * @param {() => string|URL} [address] of the drawing thread's script
   * @param {HTMLElement|null} [options] the grid of options, where there is one; the page shows it
   */
  constructor(stage, imagePx, background, address, options = null) {
    this.stage = stage;
    this.background = background;
    this.address = address;
    this.options = options;
    this.canvas = document.createElement("canvas");
    this.canvas.width = this.canvas.height = imagePx;
    this.canvas.className = "image shown";
    this.calibrationMs = 0;
    /** @type {DrawingThread|null} */
    this.thread = null;
    /** @type {Animation[]} */
    this.running = [];
  }

  static supported() {
    return DrawingThread.supported();
  }

  async #ready() {
    if (this.thread) return this.thread;
    const thread = await DrawingThread.open(this.address);
    const canvas = this.canvas.transferControlToOffscreen();
    thread.tell({ what: "canvas", canvas, background: this.background, ink: inkOn(this.background) }, [canvas]);
    return (this.thread = thread);
  }

  /** @param {Map<string, Blob>} blobs */
  async load(blobs) {
    const names = [...blobs.keys()];
    const bitmaps = await Promise.all(Array.from(blobs.values(), (blob) => createImageBitmap(blob)));
    await (await this.#ready()).ask({ what: "images", names, bitmaps }, bitmaps);
    if (!this.canvas.isConnected) this.stage.replaceChildren(this.canvas, ...(this.options ? [this.options] : []));
  }

  unload() {
    this.stage.replaceChildren();
  }

  /**
   * @param {import("./compositor.js").Request} request
   * @returns {Promise<import("./compositor.js").Shown>}
   */
  async run({ phases, at, periodMs, onStart = () => {} }) {
    const thread = await this.#ready();
    thread.onBegan = (time) => {
      this.#showOptions(phases, at, periodMs, time + thread.shift);
      onStart(time + thread.shift);
    };
    const shown = await thread.ask({ what: "run", phases, at, periodMs });
    const shift = thread.shift + this.calibrationMs;
    if (!shown.kept) this.#hideOptions();
    const onsets = shown.onsets.map((/** @type {number} */ onset) => onset + shift);
    return { onsets, end: shown.end + shift, late: shown.late, seen: "observed" };
  }

  /**
   * Show the grid of options in its phases.
   * @param {import("./timing.js").Phase[]} phases @param {number[]} at @param {number} periodMs
   * @param {number} start page clock, ms
   */
  #showOptions(phases, at, periodMs, start) {
    this.#hideOptions();
    const spans = intervalsOf(phases, at, periodMs).get("options");
    if (!this.options || !spans) return;
    const duration = (at[phases.length] + 1) * periodMs;
    const steps = [keyframes(spans, duration), keyframes(spans, duration, "pointerEvents", "auto", "none")];
    this.running = steps.map((step) => /** @type {HTMLElement} */ (this.options).animate(step, { duration }));
    for (const animation of this.running) animation.startTime = start;
  }

  #hideOptions() {
    for (const animation of this.running) animation.cancel();
    this.running = [];
  }

  /**
   * End what is shown at the next refresh, because there is a response.
   * @param {boolean} [keep] what is shown until the next run takes its place
   */
  cut(keep = false) {
    this.thread?.tell({ what: "cut", keep });
    if (!keep) this.#hideOptions();
  }

  cancel() {
    this.thread?.tell({ what: "cut", keep: false });
    this.#hideOptions();
  }

  /**
   * A worker is not told when its frames are presented. Where marks of the page tell, it is the same for both; where
   * nothing tells (Firefox), frames are one refresh behind, as a photodiode sees.
   * @param {number} n marks
   * @param {number} periodMs
   */
  async calibrate(n, periodMs) {
    this.calibrationMs = (await presentationLag(this.stage, n, periodMs)) ?? periodMs;
    return this.calibrationMs;
  }
}
