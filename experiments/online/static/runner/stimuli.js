/** Fetches images a few at a time and keeps only those whose bytes are the planned ones. */

import { sha256 } from "./sha256.js";
import { sleep } from "./timing.js";

const AT_ONCE = 6;

export class Damaged extends Error {}

export class Stimuli {
  /** @param {(hash: string, suffix: string) => string} address of an image @param {Record<string, string>} suffixes by hash */
  constructor(address, suffixes) {
    this.address = address;
    this.suffixes = suffixes;
    /** @type {Map<string, Blob>} */
    this.blobs = new Map();
    /** @type {Map<string, Promise<void>>} */
    this.coming = new Map();
    /** @type {(() => void)[]} */
    this.queue = [];
    this.active = 0;
    this.stopped = false;
  }

  /**
   * Images, masks, icons or movies, verified.
   * @param {string[]} hashes
   * @param {(share: number) => void} [tell] how many of them are here, 0 … 1
   * @returns {Promise<Map<string, Blob>>}
   */
  async get(hashes, tell = () => {}) {
    const wanted = [...new Set(hashes)];
    let here = 0;
    await Promise.all(wanted.map((hash) => this.#start(hash, this.suffixes[hash] ?? "").then(() => tell(++here / wanted.length))));
    return new Map(wanted.map((hash) => [hash, /** @type {Blob} */ (this.blobs.get(hash))]));
  }

  /** @param {string} hash @param {string} suffix */
  #start(hash, suffix) {
    let promise = this.coming.get(hash);
    if (!promise) {
      promise = this.#fetch(hash, suffix);
      this.coming.set(hash, promise);
      promise.catch(() => this.coming.delete(hash));
    }
    return promise;
  }

  /** @param {string} hash @param {string} suffix */
  async #fetch(hash, suffix) {
    if (this.active >= AT_ONCE) await new Promise((resolve) => this.queue.push(() => resolve(undefined)));
    this.active++;
    try {
      let wait = 200;
      for (let damaged = 0; ; ) {
        try {
          const cache = damaged ? "reload" : "default";
          const response = await fetch(this.address(hash, suffix), { cache, signal: AbortSignal.timeout(15000) });
          if (!response.ok) throw new Error(`HTTP ${response.status}`);
          const data = await response.arrayBuffer();
          if ((await sha256(data)) === hash) {
            this.blobs.set(hash, new Blob([data], { type: response.headers.get("content-type") ?? "image/png" }));
            return;
          }
          if (++damaged >= 3) throw new Damaged(hash);
        } catch (error) {
          if (error instanceof Damaged || this.stopped) throw error;
          await sleep(wait * (0.5 + Math.random()));
          wait = Math.min(2 * wait, 5000);
        }
      }
    } finally {
      this.active--;
      this.queue.shift()?.();
    }
  }
}
