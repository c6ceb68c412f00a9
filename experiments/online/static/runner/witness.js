/**
 * Watches the display's refreshes from a thread of its own. The compositor shows images by itself and does not report
 * when; this thread is called at the same refreshes, however busy the page is, and so knows which of them were missed.
 */

import { DrawingThread } from "./thread.js";

const ANSWER_MS = 500;

export class Witness {
  /** @param {() => string|URL} [address] of the thread's script */
  constructor(address) {
    this.address = address;
    /** @type {DrawingThread|null} */
    this.thread = null;
  }

  /** Be there before the first trial. */
  async ready() {
    this.thread ??= await DrawingThread.open(this.address);
  }

  start() {
    this.thread?.tell({ what: "watch" });
  }

  /** @returns {Promise<number[]>} the refreshes since the start, page clock, ms; none when they were not watched */
  async stop() {
    if (!this.thread) return [];
    const late = new Promise((resolve) => setTimeout(resolve, ANSWER_MS, null));
    const seen = await Promise.race([this.thread.ask({ what: "watched" }), late]).catch(() => null);
    if (!seen) return [];
    const { shift } = this.thread;
    return seen.times.map((/** @type {number} */ time) => time + shift);
  }
}
