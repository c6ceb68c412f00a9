/** Executes the plan's flat list of steps, from wherever the participant is. */

import { clear, element, fill, say, show, choose } from "./pages.js";
import { measurePeriod, sleep } from "./timing.js";
import { abortedMeasurement, firstResponse, isResponse, measurementOf, outcomeOf, runTrial } from "./trial.js";

/** How long the notice of a lost connection stands between two trials. */
const OFFLINE_MS = 1500;

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
    /** @type {Map<number, {status: string, correct: boolean|null}>} */
    this.done = new Map(seat.done.map((/** @type {any} */ each) => [each.trial, each]));
    this.block = NaN;
    /** Why nothing more is shown. @type {Error|null} */
    this.halted = null;
    this.toldOffline = false;
    this.stage = /** @type {HTMLElement} */ (document.getElementById("stage"));
    this.reminder = /** @type {HTMLElement} */ (document.getElementById("reminder"));
    this.reminder.textContent = this.plan.texts.reminder ?? "";
  }

  /** Mark trials that were begun and never ended as seen. @param {number[]} begun */
  async markInterrupted(begun) {
    for (const step of this.runs()) {
      if (!begun.includes(step.trial) || this.done.has(step.trial)) continue;
      await this.backend.keep(step.trial, abortedMeasurement(step, "interrupted"));
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
    const { steps } = this.plan;
    const next = steps.findIndex((/** @type {any} */ step) => step.step === "run" && !this.done.has(step.trial));
    const begun = this.done.size > 0;
    let at = 0;
    if (begun) {
      const stop = next < 0 ? steps.length : next;
      for (let i = 0; i < stop; i++) if (steps[i].step === "run") at = i + 1;
      if (next >= 0) await this.#showText({ text_id: "resume", wait: "both_keys" });
    }
    for (; at < steps.length; at++) {
      if (this.halted) throw this.halted;
      const step = steps[at];
      if (step.step === "run") {
        if (!this.done.has(step.trial)) await this.#trial(step);
        continue;
      }
      this.#leaveStage();
      if (step.step === "show") await this.#showText(step);
      else if (step.step === "feedback") await this.#feedback(step.block);
      else if (step.step === "break") await this.#showText({ text_id: step.text_id, wait: "key" });
      else await this.#save();
    }
    if (this.halted) throw this.halted;
    this.#leaveStage();
  }

  /** @param {any} step */
  async #trial(step) {
    if (step.block !== this.block) await this.#prepareBlock(step.block);
    if (this.rig.watch.broken) await this.#pause();
    clear();
    this.stage.hidden = false;
    this.reminder.hidden = !this.plan.key_reminder;
    document.body.classList.add("running");
    await this.backend.noteBegin(step.trial);
    const run = await this.#shown(step);
    await this.#afterTrial(step, run);
    const press = firstResponse(this.rig, run.shown.onset);
    const outcome = outcomeOf(this.plan, step, press, run.shown.onset);
    this.done.set(step.trial, outcome);
    await this.backend.keep(step.trial, measurementOf(this.rig, step, run));
    await this.#sayOffline();
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

  /** "Too slow", and in practice right or wrong; a late press during these words still counts as late. */
  async #afterTrial(/** @type {any} */ step, /** @type {any} */ run) {
    const { texts, timing, practice_feedback_ms: feedbackMs } = this.plan;
    const outcome = outcomeOf(this.plan, step, run.first, run.shown.onset);
    const hold = (/** @type {number} */ ms) => (this.rig.simulated?.fast ? sleep(0) : sleep(ms));
    if (outcome.status === "none" || outcome.status === "late") {
      say(texts.too_slow ?? "", "bad");
      await hold(timing.too_slow_ms);
    } else if (step.phase === "practice") {
      say((outcome.correct ? texts.correct : texts.wrong) ?? "", outcome.correct ? "good" : "bad");
      await hold(feedbackMs);
    }
  }

  /** @param {number} block */
  async #prepareBlock(block) {
    this.#leaveStage();
    this.backend.tell("step", block < 0 ? "practice" : `block ${block + 1}`);
    const bar = element("progress", { max: "1", value: "0" });
    show(element("div", { class: "text" }, this.words.preparing), bar);
    const trials = this.runs().filter((/** @type {any} */ step) => step.block === block && !this.done.has(step.trial));
    const blobs = await this.stimuli.get(trials, (share) => bar.setAttribute("value", String(share)));
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

  /** Full screen where the study wants it and the browser can. */
  async enterFullscreen() {
    if (!this.fullscreen || !document.fullscreenEnabled || document.fullscreenElement) return;
    await document.documentElement.requestFullscreen().catch(() => {});
    await sleep(300);
  }

  /** @param {{text_id: string, wait: string, ms?: number}} step */
  async #showText({ text_id: id, wait, ms }) {
    this.#leaveStage();
    say(this.plan.texts[id] ?? "");
    this.reminder.hidden = true;
    if (wait === "ms") return sleep(ms ?? 0);
    if (wait === "both_keys") return this.#bothKeys();
    this.rig.simulated?.pressAnything();
    await this.rig.keys.next(() => true);
  }

  async #bothKeys() {
    const { key_target: target, key_distractor: distractor } = this.plan;
    const caps = this.plan.keys.map((/** @type {string} */ key) =>
      element("kbd", { "data-key": key }, key.toUpperCase()),
    );
    const row = element("div", { class: "row" }, ...caps);
    row.classList.add("caps");
    document.querySelector("#page .text")?.after(row);
    const tried = new Set();
    while (tried.size < 2) {
      this.rig.simulated?.pressKey(tried.has(target) ? distractor : target);
      const press = await this.rig.keys.next((each) => isResponse(each, this.plan));
      tried.add(press.key);
      caps.find((/** @type {HTMLElement} */ cap) => cap.dataset.key === press.key)?.classList.add("tried");
    }
    if (!this.rig.simulated?.fast) await sleep(250);
  }

  /** @param {number} block */
  async #feedback(block) {
    const trials = this.runs().filter((/** @type {any} */ step) => step.block === block);
    const right = trials.filter((/** @type {any} */ step) => {
      const outcome = this.done.get(step.trial);
      return outcome?.correct && (outcome.status === "ok" || outcome.status === "early");
    });
    const text = this.plan.texts[block < 0 ? "practice_accuracy" : "block_accuracy"] ?? "{percent} %";
    say(fill(text, { percent: Math.round((100 * right.length) / trials.length), block: block + 1 }));
    this.rig.simulated?.pressAnything();
    await this.rig.keys.next(() => true);
  }

  /** Continue when everything is stored, or, without a connection, when it is at least kept on this disk. */
  async #save() {
    say(this.words.saving);
    await Promise.race([this.backend.saved(), sleep(4000)]);
  }

  #leaveStage() {
    this.stage.hidden = true;
    this.reminder.hidden = true;
    document.body.classList.remove("running");
  }
}
