/** Talks to the server: retries what the network lost, keeps what the server refused. */

import { sendLeftovers } from "./leftovers.js";
import { Elsewhere, Outbox } from "./outbox.js";
import { ResumeKey } from "./resume.js";
import { sleep } from "./timing.js";

/** Whether what is kept under a number is the answer to a question. @param {any} body */
const isAnswer = (body) => "question" in body;

/** @param {number} number @param {object} body */
const addressOf = (number, body) => `api/${isAnswer(body) ? "answers" : "trials"}/${number}`;

/**
 * Trials and answers by number, as a result file has them.
 * @param {{trial: number, body: object}[]} kept
 */
export function sorted(kept) {
  const named = (/** @type {boolean} */ answers) =>
    Object.fromEntries(kept.filter(({ body }) => isAnswer(body) === answers).map(({ trial, body }) => [trial, body]));
  return { trials: named(false), answers: named(true) };
}

/**
 * Count what is kept in this browser as done and answered.
 * @param {{done: any[], answered: number[]}} seat @param {{trial: number, body: any}[]} kept
 */
export function addKept(seat, kept) {
  for (const { trial, body } of kept) {
    if (isAnswer(body)) seat.answered.push(trial);
    else if (!seat.done.some((each) => each.trial === trial))
      seat.done.push({ trial, status: body.aborted ? "aborted" : "kept", correct: null, body });
  }
}

/** The server refused for good. */
export class Refused extends Error {
  /** @param {number} status @param {any} body */
  constructor(status, body) {
    super(body.text);
    this.status = status;
    this.code = body.error;
    this.body = body;
  }
}

export class ServerBackend {
  constructor() {
    this.token = "";
    this.online = true;
    /** @type {Promise<void>|null} */
    this.pumping = null;
    this.wanted = false;
    /** What happened around the trials and waits to be told. @type {{kind: string, detail: string}[]} */
    this.events = [];
    /** @type {(online: boolean) => void} */
    this.onConnection = () => {};
    /** @type {(() => void)|null} */
    this.onElsewhere = null;
    /** The server refused a trial; it is kept. @type {((error: Refused) => void)|null} */
    this.onRefused = null;
    /** Sending failed by no fault of the network. @type {(error: unknown) => void} */
    this.onFailure = console.error;
    addEventListener("offline", () => this.#once("GET", "alive").catch(() => this.#connected(false)));
    addEventListener("online", () => this.#ask("GET", "alive").then(() => this.#send(), this.onFailure));
  }

  /** @param {boolean} simulated */
  key(simulated) {
    return new ResumeKey(location.pathname, simulated);
  }

  study() {
    return this.#ask("GET", "api/study");
  }

  /** @param {string} kind @param {boolean} simulated */
  tally(kind, simulated) {
    this.#ask("POST", "api/tally", { kind, simulated }).catch(console.error); // a count, no answer
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
    this.resume = this.key(simulated);
    this.facts = { ids: {}, consent_sha256: consent, device };
    const body = { ids, consent_sha256: consent, resume_key: this.resume.get(), device, simulated };
    const seat = await this.#ask("POST", "api/sessions", body).catch((error) => {
      if (error.code === "lapsed" && error.body.token) return { ...error.body, state: "lapsed", done: [], answered: [] };
      throw error;
    });
    this.resume.here();
    this.access = seat;
    this.token = seat.token;
    this.outbox = await Outbox.open(seat.session);
    await this.outbox.claim(seat.token);
    this.channel = new BroadcastChannel(`rapidvision-${seat.session}`);
    this.channel.onmessage = () => this.onElsewhere?.();
    this.channel.postMessage("here");
    const waiting = await this.outbox.waiting();
    addKept(seat, waiting);
    addEventListener("pagehide", () => this.#lastCall());
    this.#send();
    sendLeftovers(seat.session, (token, number, body) => this.#once("PUT", addressOf(number, body), body, { token })).catch(
      console.error,
    );
    return { ...seat, begun: await this.outbox.begun() };
  }

  /** What a simulated participant does. @returns {Promise<{trials: Map<number, any>, questions: Map<number, any>}>} */
  async answers() {
    const { trials, questions } = await this.#ask("GET", "api/simulated");
    const numbered = Object.entries(questions).map(([number, value]) => /** @type {const} */ ([Number(number), value]));
    return { trials: new Map(trials.map((/** @type {any} */ row) => [row.trial, row])), questions: new Map(numbered) };
  }

  /** What the server chooses in an adaptive trial, which follows from every trial before it. @param {number} trial */
  async choice(trial) {
    await this.saved();
    return this.#ask("GET", `api/choices/${trial}`);
  }

  /** @param {number} trial */
  noteBegin(trial) {
    return /** @type {Outbox} */ (this.outbox).begin(trial);
  }

  /** Keep a trial on the disk and send it when that can be done. @param {number} trial @param {object} body */
  async keep(trial, body) {
    await /** @type {Outbox} */ (this.outbox).add(trial, body);
    this.#send();
  }

  /** @param {string} kind @param {string} [detail] */
  tell(kind, detail = "") {
    if (!this.token) return;
    this.events.push({ kind, detail: detail.slice(0, 300) });
    this.#send();
  }

  /** Send in the background; what goes wrong is told. */
  #send() {
    this.pump().catch((error) => this.onFailure(error));
  }

  /** Send what waits, in order, until nothing does; one pump at a time. @returns {Promise<void>} */
  pump() {
    this.wanted = true;
    this.pumping ??= this.#pump().finally(() => (this.pumping = null));
    return this.pumping;
  }

  async #pump() {
    while (this.wanted) {
      this.wanted = false;
      for (let waiting; (waiting = await this.#sendable()).length; )
        for (const { trial, body } of waiting) if (!(await this.#sent(trial, body))) return;
      while (this.events.length) {
        await this.#ask("POST", "api/events", this.events[0]).catch((error) => {
          if (!(error instanceof Refused)) throw error; // a note that the server does not want is no answer
        });
        this.events.shift();
      }
    }
  }

  /**
   * Send one trial. It leaves this browser only when the server has it.
   * @param {number} trial @param {object} body
   * @returns {Promise<boolean>} whether others may follow
   */
  async #sent(trial, body) {
    const outbox = /** @type {Outbox} */ (this.outbox);
    try {
      await this.#ask("PUT", addressOf(trial, body), body);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.code === "elsewhere") {
        this.onElsewhere?.();
        return false;
      }
      await outbox.setAside(trial, { code: error.code, text: error.message });
      this.events.push({ kind: "stale_write", detail: `${trial}: ${error.code}` });
      if (error.code !== "differs") this.onRefused?.(error); // else the server has this trial already
      return true;
    }
    await outbox.remove(trial);
    return true;
  }

  async #sendable() {
    return (await this.outbox?.waiting())?.filter(({ refused }) => !refused) ?? [];
  }

  /** Wait until every trial is stored for good, or refused for good. */
  async saved() {
    while ((await this.#sendable()).length) {
      await this.pump();
      await sleep(50);
    }
  }

  async finish() {
    await this.saved();
    const end = await this.#ask("POST", "api/finish", {});
    this.resume?.leave();
    return end;
  }

  /** The answers that are only in this browser, as a file that `rapidvision session export --results` reads; null without any. */
  async kept() {
    const waiting = (await this.outbox?.waiting()) ?? [];
    if (!waiting.length) return null;
    const [session_id, participant_id] = this.token.split(".");
    const { study_name: study_id, plan_digest, observer_kind } = this.access;
    const result = { form: 2, study_id, plan_digest, session_id, participant_id, observer_kind, ...this.facts, ...sorted(waiting) };
    const url = URL.createObjectURL(new Blob([JSON.stringify(result)], { type: "application/json" }));
    return { url, name: `${study_id}-${session_id}.json`, n: waiting.length };
  }

  /** The page goes away: send once more without waiting for an answer; what does not arrive waits on the disk. */
  async #lastCall() {
    const left = { kind: "left", detail: "" };
    this.#once("POST", "api/events", left, { keepalive: true }).catch(console.error);
    for (const { trial, body } of await this.#sendable())
      this.#once("PUT", addressOf(trial, body), body, { keepalive: true }).catch(console.error);
  }

  /** @param {boolean} online */
  #connected(online) {
    this.online = online;
    this.onConnection(online);
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
        if (!this.online) this.#connected(true);
        return answer;
      } catch (error) {
        if (error instanceof Refused || error instanceof Elsewhere) throw error;
        if (this.online && wait > 400) this.#connected(false);
        await sleep(wait * (0.5 + Math.random()));
      }
    }
  }

  /**
   * @param {string} method @param {string} path @param {object} [body]
   * @param {{keepalive?: boolean, token?: string}} [options] token: of another session than this page's
   */
  async #once(method, path, body, { keepalive = false, token = this.token } = {}) {
    const response = await fetch(path, {
      method,
      keepalive,
      headers: {
        ...(body ? { "Content-Type": "application/json" } : {}),
        ...(token ? { Authorization: `Bearer ${token}` } : {}),
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
