/** The worker presenter: a thread of its own draws every refresh and sees when each one happened. */

import { presentationLag } from "./lag.js";
import { DrawingThread } from "./thread.js";

export class WorkerPresenter {
  name = "worker";

  /**
   * @param {HTMLElement} stage
   * @param {number} imagePx
   * @param {string} background
   * @param {() => string|URL} [address] of the drawing thread's script
   */
  constructor(stage, imagePx, background, address) {
    this.stage = stage;
    this.background = background;
    this.address = address;
    this.canvas = document.createElement("canvas");
    this.canvas.width = this.canvas.height = imagePx;
    this.canvas.className = "picture shown";
    this.calibrationMs = 0;
    /** @type {DrawingThread|null} */
    this.thread = null;
  }

  static supported() {
    return DrawingThread.supported();
  }

  async #ready() {
    if (this.thread) return this.thread;
    const thread = await DrawingThread.open(this.address);
    const canvas = this.canvas.transferControlToOffscreen();
    thread.tell({ what: "canvas", canvas, background: this.background }, [canvas]);
    return (this.thread = thread);
  }

  /** @param {Map<string, Blob>} blobs */
  async load(blobs) {
    const names = [...blobs.keys()];
    const bitmaps = await Promise.all(Array.from(blobs.values(), (blob) => createImageBitmap(blob)));
    await (await this.#ready()).ask({ what: "pictures", names, bitmaps }, bitmaps);
    if (!this.canvas.isConnected) this.stage.replaceChildren(this.canvas);
  }

  unload() {
    this.stage.replaceChildren();
  }

  /**
   * @param {import("./compositor.js").Request} request
   * @returns {Promise<import("./compositor.js").Shown>}
   */
  async run(request) {
    const thread = await this.#ready();
    const shown = await thread.ask({ what: "run", ...request });
    const shift = thread.shift + this.calibrationMs;
    return {
      fixationOn: shown.fixationOn + shift,
      onset: shown.onset + shift,
      offset: shown.offset + shift,
      nRefreshes: Math.round((shown.offset - shown.onset) / request.periodMs),
      lateRefreshes: shown.late,
      seen: "observed",
    };
  }

  takeAway() {
    this.thread?.tell({ what: "takeAway" });
  }

  cancel() {
    this.thread?.tell({ what: "cancel" });
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
