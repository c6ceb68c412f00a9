/** The drawing thread: a worker that comes even when the server restarts while its modules load. */

import { sleep } from "./timing.js";

const beside = () => new URL("canvas-worker.js", new URL("static/", document.baseURI));

export class DrawingThread {
  /** @param {Worker} worker */
  constructor(worker) {
    this.worker = worker;
    /** @type {((value: any) => void)|null} */
    this.waiting = null;
    /** @type {((reason: Error) => void)|null} */
    this.failed = null;
    worker.onmessage = (event) => this.waiting?.(event.data);
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
      if (ready) return new DrawingThread(worker);
      worker.terminate();
      await sleep(wait * (0.5 + Math.random()));
    }
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
