/** Talks to the server: retries what the network lost, gives up on what the server refused. */

import { Elsewhere, Outbox, resumeKey } from "./outbox.js";
import { sleep } from "./timing.js";

/** The server refused for good. */
export class Refused extends Error {
  /** @param {number} status @param {{error: string, text: string}} body */
  constructor(status, body) {
    super(body.text);
    this.status = status;
    this.code = body.error;
  }
}

export class ServerBackend {
  constructor() {
    this.token = "";
    this.online = true;
    this.pumping = false;
    /** @type {(online: boolean) => void} */
    this.onConnection = () => {};
    /** @type {(() => void)|null} */
    this.onElsewhere = null;
  }

  study() {
    return this.#ask("GET", "api/study");
  }

  /** @param {string} kind */
  tally(kind) {
    this.#once("POST", "api/tally", { kind }).catch(() => {});
  }

  /** @param {string} hash @param {string} suffix */
  stimulus(hash, suffix) {
    return `stimuli/${hash}${suffix}`;
  }

  /**
   * @param {Record<string, string>} ids
   * @param {string} consent hash of the words that were agreed to
   * @param {object} device
   * @param {boolean} simulated
   */
  async begin(ids, consent, device, simulated) {
    const body = { ids, consent_sha256: consent, resume_key: resumeKey(location.pathname), device, simulated };
    const seat = await this.#ask("POST", "api/sessions", body);
    this.token = seat.token;
    this.outbox = await Outbox.open(seat.session);
    await this.outbox.claim();
    this.channel = new BroadcastChannel(`rapidvision-${seat.session}`);
    this.channel.onmessage = () => this.onElsewhere?.();
    this.channel.postMessage("here");
    const waiting = await this.outbox.waiting();
    for (const { trial, body: kept } of waiting)
      if (!seat.done.some((/** @type {any} */ d) => d.trial === trial))
        seat.done.push({ trial, status: /** @type {any} */ (kept).aborted ? "aborted" : "kept", correct: null, body: kept });
    addEventListener("pagehide", () => this.#lastCall());
    addEventListener("online", () => this.pump());
    this.pump();
    return { ...seat, begun: await this.outbox.begun() };
  }

  /** What a simulated participant does. @returns {Promise<Map<number, any>>} */
  async answers() {
    const rows = await this.#ask("GET", "api/answers");
    return new Map(rows.map((/** @type {any} */ row) => [row.trial, row]));
  }

  /** @param {number} trial */
  noteBegin(trial) {
    return /** @type {Outbox} */ (this.outbox).begin(trial);
  }

  /** Keep a trial on the disk and send it when that can be done. @param {number} trial @param {object} body */
  async keep(trial, body) {
    await /** @type {Outbox} */ (this.outbox).add(trial, body);
    this.pump();
  }

  /** @param {string} kind @param {string} [detail] */
  tell(kind, detail = "") {
    if (this.token) this.#once("POST", "api/events", { kind, detail: detail.slice(0, 300) }).catch(() => {});
  }

  /** Send what waits, in order, until nothing does. */
  async pump() {
    if (this.pumping || !this.outbox) return;
    this.pumping = true;
    try {
      for (let waiting; (waiting = await this.outbox.waiting()).length; )
        for (const { trial, body } of waiting) {
          try {
            await this.#ask("PUT", `api/trials/${trial}`, body);
          } catch (error) {
            if (!(error instanceof Refused)) throw error;
            if (error.code === "elsewhere") return this.onElsewhere?.();
            this.tell("stale_write", `${trial}: ${error.code}`);
          }
          await this.outbox.remove(trial);
        }
    } finally {
      this.pumping = false;
    }
  }

  /** Wait until every trial is stored for good. */
  async saved() {
    while ((await /** @type {Outbox} */ (this.outbox).waiting()).length) {
      await this.pump();
      await sleep(50);
    }
  }

  async finish() {
    await this.saved();
    return this.#ask("POST", "api/finish", {});
  }

  /** The page goes away: send once more without waiting for an answer. */
  async #lastCall() {
    this.tell("left");
    for (const { trial, body } of await /** @type {Outbox} */ (this.outbox).waiting())
      this.#once("PUT", `api/trials/${trial}`, body, true).catch(() => {});
  }

  /**
   * Ask until there is an answer.
   * @param {string} method @param {string} path @param {object} [body]
   * @returns {Promise<any>}
   */
  async #ask(method, path, body) {
    for (let wait = 200; ; wait = Math.min(2 * wait, 5000)) {
      try {
        const answer = await this.#once(method, path, body);
        if (!this.online) this.onConnection((this.online = true));
        return answer;
      } catch (error) {
        if (error instanceof Refused || error instanceof Elsewhere) throw error;
        if (this.online && wait > 400) this.onConnection((this.online = false));
        await sleep(wait * (0.5 + Math.random()));
      }
    }
  }

  /** @param {string} method @param {string} path @param {object} [body] @param {boolean} [keepalive] */
  async #once(method, path, body, keepalive = false) {
    const response = await fetch(path, {
      method,
      keepalive,
      headers: {
        ...(body ? { "Content-Type": "application/json" } : {}),
        ...(this.token ? { Authorization: `Bearer ${this.token}` } : {}),
      },
      body: body && JSON.stringify(body),
      signal: keepalive ? undefined : AbortSignal.timeout(10000),
    });
    if (response.status >= 500 || response.status === 429 || response.status === 408) throw new Error(`HTTP ${response.status}`);
    const answer = await response.json();
    if (!response.ok) throw new Refused(response.status, answer);
    return answer;
  }
}
