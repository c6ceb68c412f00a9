/** The drawing thread: a worker that comes even when the server restarts while its modules load. */

import { sleep } from "./timing.js";

const beside = () => new URL("canvas-worker.js", new URL("static/", document.baseURI));

/** So often the thread is asked for its time. */
const QUESTIONS = 8;
/** Clocks of pages that are not isolated are rounded to this. */
const ROUNDED_MS = 0.2;

/**
 * The shift that the origins say, if the answers allow it, else the middle of what they allow.
 * @param {number} origins @param {number} least @param {number} most ms
 */
export function shiftWithin(origins, least, most) {
  return origins >= least - ROUNDED_MS && origins <= most + ROUNDED_MS ? origins : (least + most) / 2;
}

export class DrawingThread {
  /** @param {Worker} worker */
  constructor(worker) {
    this.worker = worker;
    /** @type {((value: any) => void)|null} */
    this.waiting = null;
    /** @type {((reason: Error) => void)|null} */
    this.failed = null;
    /** Added to the thread's times they are the page's, ms. */
    this.shift = 0;
    /** Told when the first refresh of a run was, on the thread's clock. @type {(time: number) => void} */
    this.onBegan = () => {};
    worker.onmessage = ({ data }) => ("began" in data ? this.onBegan(data.began) : this.waiting?.(data));
    worker.onerror = (event) => this.failed?.(new Error(event.message || "the drawing thread failed"));
  }

  static supported() {
    return typeof Worker === "function" && "transferControlToOffscreen" in HTMLCanvasElement.prototype;
  }

  /**
   * Start a thread, and start it again until it answers.
   * @param {() => string|URL} [address] of its script
   */
  static async open(address = beside) {
    for (let wait = 200; ; wait = Math.min(2 * wait, 5000)) {
      const worker = new Worker(address(), { type: "module" });
      const ready = await new Promise((resolve) => {
        worker.onmessage = () => resolve(true);
        worker.onerror = () => resolve(false);
        setTimeout(() => resolve(false), 10000);
      });
      if (ready) {
        const thread = new DrawingThread(worker);
        await thread.#compareClocks();
        return thread;
      }
      worker.terminate();
      await sleep(wait * (0.5 + Math.random()));
    }
  }

  /**
   * Find the shift between the thread's clock and the page's. The origins of both are wall-clock times in some browsers,
   * so a wall clock that was set between them makes their difference wrong; questions and answers bound it.
   */
  async #compareClocks() {
    let [least, most, origins] = [-Infinity, Infinity, 0];
    for (let i = 0; i < QUESTIONS; i++) {
      const asked = performance.now();
      const { now, timeOrigin } = await this.ask({ what: "clock" });
      const answered = performance.now();
      [least, most] = [Math.max(least, asked - now), Math.min(most, answered - now)];
      origins = timeOrigin - performance.timeOrigin;
    }
    this.shift = shiftWithin(origins, least, most);
  }

  /** @param {any} message @param {Transferable[]} [transfer] */
  tell(message, transfer = []) {
    this.worker.postMessage(message, transfer);
  }

  /**
   * Say something that is answered.
   * @param {any} message
   * @param {Transferable[]} [transfer]
   * @returns {Promise<any>}
   */
  ask(message, transfer = []) {
    return new Promise((resolve, reject) => {
      this.waiting = resolve;
      this.failed = reject;
      this.tell(message, transfer);
    });
  }
}
