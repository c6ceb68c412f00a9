/** The runner on a server that only serves files: plans are files, and the result is one file at the end. */

import { main } from "./main.js";
import { Outbox } from "./outbox.js";
import { sleep } from "./timing.js";

const HEX = (/** @type {number} */ bytes) =>
  Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");

class FilesBackend {
  /** What the link says; JATOS keeps it from the address of its pages. */
  query = new URLSearchParams(globalThis.jatos?.urlQueryParameters ?? location.search);

  async study() {
    this.info = await (await fetch("study.json")).json();
    return this.info;
  }

  tally() {}
  tell() {}
  async saved() {}
  async answers() {
    return new Map();
  }

  /** @param {string} hash @param {string} suffix */
  stimulus(hash, suffix) {
    return `stimuli/${hash}${suffix}`;
  }

  /**
   * Take a plan: the one that this browser has, the one that the link names (?plan=3), or any.
   * @param {Record<string, string>} ids @param {string} consent @param {object} device
   */
  async begin(ids, consent, device) {
    const name = `rapidvision:${location.pathname}:${Object.values(ids)[0] ?? ""}`;
    const given = Number(this.query.get("plan") ?? NaN);
    const number = Number.isInteger(given) ? given : crypto.getRandomValues(new Uint32Array(1))[0] % this.info.n_plans;
    const fresh = { session_id: HEX(16), participant_id: `p${HEX(5)}`, number, ids, consent_sha256: consent, device };
    this.seat = JSON.parse(localStorage.getItem(name) ?? "null") ?? fresh;
    localStorage.setItem(name, JSON.stringify(this.seat));
    this.plan = await (await fetch(`plans/${this.seat.number}.json`)).json();
    this.outbox = await Outbox.open(this.seat.session_id);
    await this.outbox.claim();
    const kept = await this.outbox.waiting();
    const done = kept.map((/** @type {any} */ { trial, body }) => ({ trial, status: body.aborted ? "aborted" : "kept", correct: null }));
    return { plan: this.plan, state: "open", done, begun: await this.outbox.begun(), resumed: done.length > 0 };
  }

  /** @param {number} trial */
  noteBegin(trial) {
    return /** @type {Outbox} */ (this.outbox).begin(trial);
  }

  /** @param {number} trial @param {object} body */
  keep(trial, body) {
    return /** @type {Outbox} */ (this.outbox).add(trial, body);
  }

  async finish() {
    const trials = Object.fromEntries((await /** @type {Outbox} */ (this.outbox).waiting()).map(({ trial, body }) => [trial, body]));
    const { number: _number, ...seat } = this.seat;
    const result = JSON.stringify({ form: 1, study_id: this.info.study_id, plan_digest: this.plan.digest, ...seat, trials });
    const name = `${this.info.study_id}-${seat.session_id}.json`;
    if (this.info.target === "datapipe") await this.#datapipe(name, result);
    if (this.info.target === "jatos") {
      await globalThis.jatos?.submitResultData(result);
      await globalThis.jatos?.endStudyWithoutRedirect?.();
    }
    const url = URL.createObjectURL(new Blob([result], { type: "application/json" }));
    const { completion_code: code, redirect } = this.info;
    return { completion_code: code, redirect, download: { url, name } };
  }

  /** DataPipe sends the file on to the Open Science Framework. @param {string} name @param {string} result */
  async #datapipe(name, result) {
    for (let wait = 500; ; wait = Math.min(2 * wait, 10000)) {
      const response = await fetch("https://pipe.jspsych.org/api/data/", {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "*/*" },
        body: JSON.stringify({ experimentID: this.info.datapipe_id, filename: name, data: result }),
      }).catch(() => null);
      if (response?.ok) return;
      await sleep(wait);
    }
  }
}

if (globalThis.jatos) globalThis.jatos.onLoad(() => main(new FilesBackend()));
else main(new FilesBackend());
