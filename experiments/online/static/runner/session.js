/** Executes what is left of the plan's flat list of steps, from wherever the participant is. */

import { optionGrid } from "./options.js";
import { choose, clear, element, fill, say, show } from "./pages.js";
import { ask } from "./questions.js";
import { accuracy, remaining } from "./steps.js";
import { measurePeriod, sleep } from "./timing.js";
import { abortedMeasurement, filesOf, givenIn, measurementOf, outcomeOf, runTrial } from "./trial.js";

/** How long the notice of a lost connection stands between two trials. */
const OFFLINE_MS = 1500;
/** Between blocks so long is waited until every answer is stored; without a connection they are kept on this disk. */
const SAVE_MS = 4000;

export class Session {
  /**
   * @param {import("./trial.js").Rig} rig
   * @param {any} backend
   * @param {import("./stimuli.js").Stimuli} stimuli
   * @param {any} seat what the server gave
   * @param {Record<string, string>} words
   * @param {boolean} fullscreen
   */
  constructor(rig, backend, stimuli, seat, words, fullscreen) {
    this.rig = rig;
    this.backend = backend;
    this.stimuli = stimuli;
    this.plan = seat.plan;
    this.words = words;
    this.fullscreen = fullscreen;
    /** @type {import("./steps.js").Done} */
    this.done = new Map(seat.done.map((/** @type {any} */ each) => [each.trial, this.#known(each)]));
    /** @type {Set<number>} */
    this.answered = new Set(seat.answered);
    this.block = NaN;
    /** Why nothing more is shown. @type {Error|null} */
    this.halted = null;
    this.toldOffline = false;
    this.stage = /** @type {HTMLElement} */ (document.getElementById("stage"));
    this.reminder = /** @type {HTMLElement} */ (document.getElementById("reminder"));
    this.reminder.textContent = this.plan.texts.reminder ?? "";
    /** Whether everything can be answered without a keyboard. */
    this.touch = isTouch(this.plan);
  }

  /** The outcome of a trial that was done before; of one that only this browser has, by its measurement. @param {any} each */
  #known({ trial, status, correct, body }) {
    if (!body || body.aborted) return { status, correct };
    const step = this.plan.steps.find((/** @type {any} */ each) => each.step === "run" && each.trial === trial);
    return outcomeOf(this.plan, step, { input: body.input ?? null, response_ms: body.response_ms ?? null });
  }

  /** Mark trials that were begun and never ended as seen. @param {number[]} begun */
  async markInterrupted(begun) {
    for (const step of this.runs()) {
      if (!begun.includes(step.trial) || this.done.has(step.trial)) continue;
      const shown = step.adaptive ? { ...step, ...(await this.backend.choice(step.trial)) } : step;
      await this.backend.keep(step.trial, abortedMeasurement(shown, "interrupted"));
      this.done.set(step.trial, { status: "aborted", correct: null });
    }
  }

  /** Another tab took over, or answers are refused: what is on the screen ends here, and no measurement of it is kept. */
  halt(/** @type {Error} */ why) {
    this.halted ??= why;
    this.stimuli.stopped = true;
    this.rig.presenter.cancel();
  }

  runs() {
    return this.plan.steps.filter((/** @type {any} */ step) => step.step === "run");
  }

  /** Run what is left. */
  async run() {
    let steps = remaining(this.plan, this.done, this.answered);
    if (this.done.size && steps.some(({ step }) => step === "run")) {
      const tries = this.plan.steps.some((/** @type {any} */ step) => step.leave === "inputs");
      await this.#page({ text_id: "resume", leave: tries ? "inputs" : "key" });
    }
    while (steps.length) {
      if (this.halted) throw this.halted;
      const [step, ...rest] = steps;
      if (step.step !== "run") this.#leaveStage();
      if (step.step === "run") await this.#trial(step);
      else if (step.step === "page") await this.#page(step);
      else if (step.step === "ask") await this.#ask(step.question, step.number);
      steps = step.step === "gate" ? this.#gate(step, rest) : rest;
    }
    if (this.halted) throw this.halted;
    this.#leaveStage();
    say(this.words.saving);
  }

  /** @param {any} gate @param {any[]} rest @returns {any[]} the steps that are left behind it */
  #gate(gate, rest) {
    if (accuracy(this.plan.steps, this.done, gate.block) >= gate.at_least)
      return rest.filter(({ part }) => !gate.skip.includes(part));
    if (gate.otherwise !== "stop") return rest;
    this.backend.tell("criterion_missed");
    return this.plan.failed;
  }

  /** @param {any} step */
  async #trial(step) {
    if (step.block !== this.block) await this.#prepareBlock(step.block);
    if (this.rig.watch.broken) await this.#pause();
    const trial = step.adaptive ? await this.#chosen(step) : step;
    if (this.plan.response?.press === "up") await this.#held();
    clear();
    this.stage.hidden = false;
    this.reminder.hidden = !this.plan.display.reminder;
    document.body.classList.add("running");
    await this.backend.noteBegin(step.trial);
    const ran = await this.#shown(trial);
    await this.#afterTrial(trial, ran);
    const outcome = outcomeOf(this.plan, trial, givenIn(this.rig, trial, ran.zero));
    this.done.set(step.trial, outcome);
    await this.backend.keep(step.trial, measurementOf(this.rig, trial, ran));
    await this.#sayOffline();
    for (const { question, number } of step.ask) {
      if (this.halted) throw this.halted;
      if (outcome.status !== "none" || this.plan.questions[question].when === "always") await this.#ask(question, number);
    }
  }

  /** The trial with the adaptive value that the server chose, its files loaded; those that may follow are fetched meanwhile. */
  async #chosen(/** @type {any} */ step) {
    const { next, ...chosen } = await this.backend.choice(step.trial);
    const trial = { ...step, ...chosen };
    await this.rig.presenter.load(await this.stimuli.get(filesOf(trial)));
    this.stimuli.get(next).catch(() => {}); // the next trial asks again
    return trial;
  }

  /** A presentation that was cut short says why, whatever else it failed with. @param {any} step */
  async #shown(step) {
    try {
      const run = await runTrial(this.rig, step);
      if (!this.halted) return run;
    } catch (error) {
      if (!this.halted) throw error;
    }
    throw this.halted;
  }

  /** Say once that the connection is lost, between two trials; a page without trials shows it all the time. */
  async #sayOffline() {
    if (this.backend.online !== false) this.toldOffline = false;
    else if (!this.toldOffline && !this.rig.simulated?.fast) {
      this.toldOffline = true;
      document.body.classList.add("between");
      await sleep(OFFLINE_MS);
      document.body.classList.remove("between");
    }
  }

  /** "Too slow", or right or wrong; a late response during these words still counts as late. */
  async #afterTrial(/** @type {any} */ trial, /** @type {import("./trial.js").Ran} */ ran) {
    const { texts, feedback, response } = this.plan;
    const { status, correct } = outcomeOf(this.plan, trial, givenIn(this.rig, trial, ran.zero));
    const hold = (/** @type {number} */ ms) => (this.rig.simulated?.fast ? sleep(0) : sleep(ms));
    const told = feedback[trial.phase];
    if ((status === "none" || status === "late") && response && trial.limit_ms !== null && feedback.too_slow_ms) {
      say(texts.too_slow ?? "", "bad");
      await hold(feedback.too_slow_ms);
    } else if ((status === "ok" || status === "early") && correct !== null && (told === "all" || (told === "wrong" && !correct))) {
      if (feedback.shows === "option") show(optionGrid(response.options, this.stimuli.blobs, trial.correct));
      else say((correct ? texts.correct : texts.wrong) ?? "", correct ? "good" : "bad");
      await hold(feedback.show_ms);
    }
  }

  /** @param {number} block */
  async #prepareBlock(block) {
    this.#leaveStage();
    this.backend.tell("step", block < 0 ? "practice" : `block ${block + 1}`);
    await Promise.race([this.backend.saved(), sleep(SAVE_MS)]);
    const bar = element("progress", { max: "1", value: "0" });
    show(element("div", { class: "text" }, this.words.preparing), bar);
    const trials = this.runs().filter((/** @type {any} */ step) => step.block === block && !this.done.has(step.trial));
    const files = trials.flatMap((/** @type {any} */ step) => (step.movie ? [step.movie.file] : filesOf(step)));
    const blobs = await this.stimuli.get(files, (share) => bar.setAttribute("value", String(share)));
    await this.rig.presenter.load(blobs);
    if (!this.rig.simulated?.fast) this.rig.periodMs = (await measurePeriod(30)).periodMs;
    this.block = block;
  }

  /** The page was hidden or left full screen: wait until the participant is back. */
  async #pause() {
    this.#leaveStage();
    await choose(
      [element("h1", {}, this.words.paused_heading), element("p", {}, this.words.paused_text)],
      [[this.words.continue_button, true]],
    );
    await this.enterFullscreen();
    this.rig.watch.broken = false;
    await sleep(300);
  }

  /** Wait until a response key is held down: its release is the response. */
  async #held() {
    if (this.rig.inputs.held.size) return;
    this.#leaveStage();
    const key = Object.keys(this.plan.inputs)[0];
    say(fill(this.plan.texts.hold ?? this.words.hold_key, { key: (key ?? "").toUpperCase() }));
    const down = this.rig.inputs.next(({ input }) => input !== "");
    this.rig.simulated?.hold();
    await down;
  }

  /** Full screen where the study wants it and the browser can. */
  async enterFullscreen() {
    if (!this.fullscreen || !document.fullscreenEnabled || document.fullscreenElement) return;
    await document.documentElement.requestFullscreen().catch(() => {});
    await sleep(300);
  }

  /** @param {{text_id: string, leave?: string, min_ms?: number, block?: number|null, values?: any}} page */
  async #page({ text_id: id, leave = "key", min_ms: minMs = 0, block = null, values = {} }) {
    this.#leaveStage();
    const share = block === null ? 0 : accuracy(this.plan.steps, this.done, block);
    const own = block === null ? {} : { percent: Math.round(100 * share), block: block + 1 };
    say(fill(this.plan.texts[id] ?? "", { ...values, ...own }));
    const { simulated, inputs } = this.rig;
    const from = performance.now() + (simulated?.fast ? 0 : minMs);
    if (!simulated?.fast && minMs >= REST_MS) countDown(this.words.rest, from);
    if (leave === "inputs") return this.#tryInputs(from);
    const key = leave === "experimenter" ? "f12" : "";
    const act = () => (key ? simulated?.press(key) : simulated?.pressAnything());
    setTimeout(act, Math.max(0, from - performance.now()));
    await inputs.next((press) => press.at >= from && this.#counts(press) && (!key || press.key === key));
  }

  /** Any key leaves a page; a click or touch only where the task has no keys. @param {import("./inputs.js").Press} press */
  #counts({ key }) {
    return key !== "pointer" || this.touch;
  }

  /** Every option is tried once, by any of its inputs. @param {number} from */
  async #tryInputs(from) {
    const { plan } = this;
    const keys = Object.keys(plan.inputs).filter((input) => !/^(area|button):/.test(input));
    const caps = keys.map((key) => element("kbd", { "data-input": key }, key.toUpperCase()));
    const row = element("div", { class: "row" }, ...caps);
    row.classList.add("caps");
    const areas = (plan.response?.options ?? []).filter((/** @type {any} */ option) => option.area);
    const grid = areas.length ? [optionGrid(areas, this.stimuli.blobs)] : [];
    document.querySelector("#page .text")?.after(...(caps.length ? [row] : []), ...grid);
    const wanted = new Set(keys.map((key) => plan.inputs[key]));
    for (const { name } of areas) wanted.add(name);
    while (wanted.size) {
      const next = Object.keys(plan.inputs).find((input) => wanted.has(plan.inputs[input]) && !input.startsWith("button:"));
      setTimeout(() => this.rig.simulated?.press(next ?? ""), Math.max(0, from - performance.now()));
      const press = await this.rig.inputs.next((each) => each.input !== "" && each.at >= from);
      wanted.delete(plan.inputs[press.input]);
      const tried = press.input.startsWith("area:") ? `[data-area="${press.input.slice(5)}"]` : `[data-input="${press.input}"]`;
      document.querySelector(`#page ${tried}`)?.classList.add("tried");
    }
    if (!this.rig.simulated?.fast) await sleep(250);
  }

  /** @param {string} name @param {number} number */
  async #ask(name, number) {
    this.#leaveStage();
    const question = this.plan.questions[name];
    const { simulated } = this.rig;
    const given = await ask(question, this.words, simulated ? (form) => simulated.answer(form, question, number) : undefined);
    if (this.halted) throw this.halted;
    this.answered.add(number);
    await this.backend.keep(number, { question: name, ...given, utc: new Date().toISOString() });
  }

  #leaveStage() {
    this.stage.hidden = true;
    this.reminder.hidden = true;
    document.body.classList.remove("running");
  }
}

/** Pages that stand at least so long say how much of it is left. */
const REST_MS = 2000;

/** @param {string} words with {seconds} @param {number} until page clock, ms */
function countDown(words, until) {
  const line = element("p", { class: "soft rest" });
  document.querySelector("#page .text")?.after(line);
  const tell = () => {
    const left = Math.ceil((until - performance.now()) / 1000);
    line.textContent = left > 0 ? fill(words, { seconds: left }) : "";
    if (left > 0 && line.isConnected) setTimeout(tell, 250);
  };
  tell();
}

/** Whether every option can be clicked or touched, or is given by not responding. @param {any} plan */
export function isTouch({ response, inputs }) {
  if (!response) return true;
  const clicked = response.options.filter((/** @type {any} */ option) => option.area);
  const areas = new Set(clicked.map((/** @type {any} */ option) => option.name));
  return areas.size > 0 && Object.values(inputs).every((option) => areas.has(option));
}
