/** The runner on a server that only serves files: plans are files, and the result is one file at the end. */

import { addKept, Refused, sorted } from "./backend.js";
import { main } from "./main.js";
import { Outbox } from "./outbox.js";
import { fill } from "./pages.js";
import { ResumeKey } from "./resume.js";
import { sleep } from "./timing.js";

const HEX = (/** @type {number} */ bytes) =>
  Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** A host that does not answer is asked so often: about half a minute. */
const TRIES = 6;

/** Where a former person's seat lies until its answers are saved. */
const setAside = `rapidvision-former:${location.pathname}:`;

/** The key of a plain link: what lies under it is the seat itself. */
class SeatKey extends ResumeKey {
  /** Somebody else is here: the former person's seat is set aside, or its answers could be found no more. */
  forget() {
    const seat = JSON.parse(localStorage.getItem(this.name) ?? "null");
    if (seat && !seat.handed_over) localStorage.setItem(`${setAside}${seat.session_id}`, JSON.stringify(seat));
    super.forget();
  }
}

class FilesBackend {
  /** What the link says; JATOS keeps it from the address of its pages. */
  query = new URLSearchParams(globalThis.jatos?.urlQueryParameters ?? location.search);

  async study() {
    this.info = await fileOf("study.json");
    return this.info;
  }

  /** Plain links only: an id says who is here. */
  key() {
    return new SeatKey(`${location.pathname}:`, false);
  }

  /** Answers of former persons that no host has taken, each as a file with what to do when it was saved. */
  async former() {
    const found = [];
    for (const name of Object.keys(localStorage).filter((each) => each.startsWith(setAside)).sort()) {
      const seat = JSON.parse(localStorage.getItem(name) ?? "null");
      const outbox = await Outbox.open(seat.session_id);
      const waiting = await outbox.waiting();
      outbox.database.close();
      const saved = () => localStorage.removeItem(name); // the answers themselves stay
      if (waiting.length) found.push({ ...this.#file(seat, await fileOf(`plans/${seat.number}.json`), waiting), saved });
    }
    return found;
  }

  /** The answers that are only in this browser; null without any. */
  async kept() {
    const waiting = (await this.outbox?.waiting()) ?? [];
    return waiting.length ? this.#file(this.seat, this.plan, waiting) : null;
  }

  /**
   * A session's result, as `rapidvision session collect` reads it.
   * @param {any} seat @param {any} plan @param {{trial: number, body: object}[]} finished
   */
  #file(seat, plan, finished) {
    const { number: _number, handed_over: _handed, ...who } = seat;
    const result = JSON.stringify({ form: 2, study_id: this.info.study_id, plan_digest: plan.digest, ...who, ...sorted(finished) });
    const url = URL.createObjectURL(new Blob([result], { type: "application/json" }));
    return { url, name: `${this.info.study_id}-${who.session_id}.json`, n: finished.length, result };
  }

  tally() {}
  tell() {}
  async saved() {}
  async answers() {
    return { trials: new Map(), questions: new Map() };
  }

  /** @returns {Promise<never>} */
  async choice() {
    throw new Error("an adaptive task needs a server"); // such a study is not written as files
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
    this.resume = new ResumeKey(`${location.pathname}:${Object.values(ids)[0] ?? ""}`, false);
    const { name } = this.resume;
    const before = JSON.parse(localStorage.getItem(name) ?? "null");
    const number = before ? before.number : this.#number();
    const observer_kind = this.query.has("pilot") ? "pilot" : "human";
    const fresh = { session_id: HEX(16), participant_id: `p${HEX(5)}`, number, ids, consent_sha256: consent, device, observer_kind };
    this.seat = before ?? fresh;
    this.plan = await fileOf(`plans/${number}.json`);
    localStorage.setItem(name, JSON.stringify(this.seat)); // only a seat whose plan is there
    this.resume.here();
    this.outbox = await Outbox.open(this.seat.session_id);
    await this.outbox.claim();
    const seat = { plan: this.plan, state: "open", done: [], answered: [], begun: await this.outbox.begun() };
    addKept(seat, await this.outbox.waiting());
    return seat;
  }

  /** The plan that the link names, or any. */
  #number() {
    const { n_plans: n, words } = this.info;
    const given = this.query.get("plan");
    if (given === null) return crypto.getRandomValues(new Uint32Array(1))[0] % n;
    if (/^\d+$/.test(given) && Number(given) < n) return Number(given);
    throw new Refused(404, { error: "plan", text: fill(words.no_such_plan, { plan: given, last: n - 1 }) });
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
    const { url, name, result } = this.#file(this.seat, this.plan, await /** @type {Outbox} */ (this.outbox).waiting());
    this.resume?.leave();
    const failed = await this.#handOver(name, result).then(() => "", (error) => String(error.message || error));
    const handed_over = !failed && this.info.target !== "files";
    if (handed_over) localStorage.setItem(/** @type {any} */ (this.resume).name, JSON.stringify({ ...this.seat, handed_over }));
    const { completion_code: code, redirect } = this.info;
    if (this.seat.observer_kind === "pilot") return { observer_kind: "pilot", download: { url, name } };
    return { completion_code: code, redirect: failed ? "" : redirect, failed, download: { url, name } };
  }

  /** Give the result to the host. The answers stay in this browser either way. @param {string} name @param {string} result */
  async #handOver(name, result) {
    if (this.info.target === "datapipe") await this.#datapipe(name, result);
    if (this.info.target === "jatos") {
      await globalThis.jatos?.submitResultData(result);
      await globalThis.jatos?.endStudyWithoutRedirect?.();
    }
  }

  /**
   * DataPipe sends the file on to the Open Science Framework. What it refuses, it refuses for good; a lost connection is
   * waited for, but not for ever: the participant gets the file.
   * @param {string} name @param {string} result
   */
  async #datapipe(name, result) {
    let why = "";
    for (let wait = 500, tries = 0; tries < TRIES; tries++, wait = Math.min(2 * wait, 10000)) {
      const response = await fetch("https://pipe.jspsych.org/api/data/", {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "*/*" },
        body: JSON.stringify({ experimentID: this.info.datapipe_id, filename: name, data: result }),
      }).catch(() => null);
      if (response?.ok) return;
      why = response ? `HTTP ${response.status} ${(await response.text().catch(() => "")).slice(0, 200)}` : "no connection";
      if (response && response.status < 500 && response.status !== 429 && response.status !== 408) break;
      await sleep(wait);
    }
    throw new Error(why);
  }
}

/** Read a JSON file of the bundle, until it comes. @param {string} path */
async function fileOf(path) {
  for (let wait = 500; ; wait = Math.min(2 * wait, 10000)) {
    const response = await fetch(path).catch(() => null);
    if (response?.ok) return response.json();
    if (response && response.status < 500) throw new Error(`${path}: HTTP ${response.status}`);
    await sleep(wait);
  }
}

if (globalThis.jatos) globalThis.jatos.onLoad(() => main(new FilesBackend()));
else main(new FilesBackend());
