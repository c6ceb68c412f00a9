/** The worker presenter: a thread of its own draws every refresh and sees when each one happened. */

import { presentationLag } from "./compositor.js";

const beside = () => new URL("canvas-worker.js", new URL("static/", document.baseURI));

export class WorkerPresenter {
  name = "worker";

  /**
   * @param {HTMLElement} stage
   * @param {number} imagePx
   * @param {string} background
   * @param {() => string|URL} address of the drawing thread's script
   */
  constructor(stage, imagePx, background, address = beside) {
    this.stage = stage;
    this.canvas = document.createElement("canvas");
    this.canvas.width = this.canvas.height = imagePx;
    this.canvas.className = "picture shown";
    this.worker = new Worker(address(), { type: "module" });
    const offscreen = this.canvas.transferControlToOffscreen();
    this.worker.postMessage({ what: "canvas", canvas: offscreen, background }, [offscreen]);
    this.calibrationMs = 0;
    /** @type {((value: any) => void)|null} */
    this.waiting = null;
    this.worker.onmessage = (event) => this.waiting?.(event.data);
    /** @type {((reason: Error) => void)|null} */
    this.failed = null;
    this.worker.onerror = (event) => this.failed?.(new Error(event.message || "the drawing thread failed"));
  }

  static supported() {
    return typeof Worker === "function" && "transferControlToOffscreen" in HTMLCanvasElement.prototype;
  }

  /** @param {Map<string, Blob>} blobs */
  async load(blobs) {
    const names = [...blobs.keys()];
    const bitmaps = await Promise.all(Array.from(blobs.values(), (blob) => createImageBitmap(blob)));
    await this.#ask({ what: "pictures", names, bitmaps }, bitmaps);
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
    const shown = await this.#ask({ what: "run", ...request });
    const shift = shown.timeOrigin - performance.timeOrigin + this.calibrationMs;
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
    this.worker.postMessage({ what: "takeAway" });
  }

  cancel() {
    this.worker.postMessage({ what: "cancel" });
  }

  /**
   * A worker is not told when its frames are presented. Where marks of the page tell, it is the same for both; where
   * nothing tells (Firefox), frames are one refresh behind, as a photodiode sees.
   * @param {number} n marks
   * @param {number} periodMs
   */
  async calibrate(n, periodMs) {
    this.calibrationMs = (await presentationLag(this.stage, n)) ?? periodMs;
    return this.calibrationMs;
  }

  /**
   * @param {any} message
   * @param {Transferable[]} [transfer]
   * @returns {Promise<any>}
   */
  #ask(message, transfer = []) {
    return new Promise((resolve, reject) => {
      this.waiting = resolve;
      this.failed = reject;
      this.worker.postMessage(message, transfer);
    });
  }
}
