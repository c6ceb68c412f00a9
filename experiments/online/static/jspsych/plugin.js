/** A jsPsych 8 plugin: one rapid trial, shown by RapidVision's presenters and timed by the keyboard's own stamps. */

import { CompositorPresenter } from "../runner/compositor.js";
import { WorkerPresenter } from "../runner/worker-presenter.js";
import { Witness } from "../runner/witness.js";
import { measurePeriod, nextFrame } from "../runner/timing.js";

const { ParameterType } = jspsych;

/** What outlives a trial: the measured period, and one presenter. */
const shared = { periodMs: 0, presenter: /** @type {CompositorPresenter|WorkerPresenter|null} */ (null) };

export class RapidVisionPlugin {
  static info = {
    name: "rapidvision",
    version: "1.0.0",
    parameters: {
      /** Address of the picture. */
      stimulus: { type: ParameterType.IMAGE, default: undefined },
      /** The two or more keys that count. */
      choices: { type: ParameterType.KEYS, default: ["s", "l"] },
      /** Key that is right, or null. */
      correct_key: { type: ParameterType.KEY, default: null },
      /** How long the cross stands, in ms. */
      fixation_ms: { type: ParameterType.INT, default: 1300 },
      /** How long the picture is up, in ms. */
      stimulus_ms: { type: ParameterType.INT, default: 400 },
      /** Latest press that counts, in ms from the onset. */
      response_limit_ms: { type: ParameterType.INT, default: 550 },
      /** Side of the picture in CSS pixels. */
      image_px: { type: ParameterType.INT, default: 256 },
    },
    data: {
      stimulus: { type: ParameterType.STRING },
      response: { type: ParameterType.STRING },
      rt: { type: ParameterType.FLOAT },
      in_time: { type: ParameterType.BOOL },
      correct: { type: ParameterType.BOOL },
      fixation_ms: { type: ParameterType.FLOAT },
      stimulus_ms_shown: { type: ParameterType.FLOAT },
      refresh_hz: { type: ParameterType.FLOAT },
      presenter: { type: ParameterType.STRING },
      seen: { type: ParameterType.STRING },
      calibration_ms: { type: ParameterType.FLOAT },
      late_refreshes: { type: ParameterType.INT },
    },
  };

  /** @param {any} jsPsych */
  constructor(jsPsych) {
    this.jsPsych = jsPsych;
  }

  /** @param {HTMLElement} display @param {any} trial */
  trial(display, trial) {
    this.#run(display, trial).then((data) => this.jsPsych.finishTrial(data));
  }

  /** @param {HTMLElement} display @param {any} trial */
  async #run(display, trial) {
    const stage = document.createElement("div");
    stage.style.cssText = "position:fixed;inset:0;background:#fff;forced-color-adjust:none";
    display.replaceChildren(stage);
    if (!shared.periodMs) shared.periodMs = (await measurePeriod(120)).periodMs;
    const { presenter, periodMs } = await this.#presenter(stage, trial);
    /** @type {{key: string, at: number}[]} */
    const presses = [];
    const note = (/** @type {KeyboardEvent} */ event) =>
      event.repeat || presses.push({ key: event.key.length === 1 ? event.key.toLowerCase() : event.key, at: event.timeStamp });
    addEventListener("keydown", note, true);
    const shown = await presenter.run({
      stimulus: "picture",
      fixationMs: trial.fixation_ms,
      stimulusMs: trial.stimulus_ms,
      tailMs: trial.response_limit_ms - trial.stimulus_ms,
      periodMs,
    });
    while (performance.now() < shown.onset + trial.response_limit_ms) await nextFrame();
    await new Promise((resolve) => setTimeout(resolve, 0));
    removeEventListener("keydown", note, true);
    presenter.unload();
    display.replaceChildren();
    const press = presses.find(({ key, at }) => trial.choices.includes(key) && at >= shown.onset);
    return {
      stimulus: trial.stimulus,
      response: press?.key ?? null,
      rt: press ? press.at - shown.onset : null,
      in_time: press ? press.at - shown.onset <= trial.response_limit_ms : false,
      correct: press && trial.correct_key !== null ? press.key === trial.correct_key : null,
      fixation_ms: shown.onset - shown.fixationOn,
      stimulus_ms_shown: shown.offset - shown.onset,
      refresh_hz: 1000 / periodMs,
      presenter: presenter.name,
      seen: shown.seen,
      calibration_ms: presenter.calibrationMs,
      late_refreshes: shown.lateRefreshes,
    };
  }

  /** @param {HTMLElement} stage @param {any} trial */
  async #presenter(stage, trial) {
    const blob = await (await fetch(trial.stimulus)).blob();
    let { presenter } = shared;
    if (!presenter) {
      presenter = shared.presenter = CompositorPresenter.supported()
        ? new CompositorPresenter(stage, trial.image_px, new Witness(WORKER_ADDRESS))
        : new WorkerPresenter(stage, trial.image_px, "#fff", WORKER_ADDRESS);
      await presenter.calibrate(20, shared.periodMs);
    }
    presenter.stage = stage;
    if (presenter instanceof CompositorPresenter) presenter.imagePx = trial.image_px;
    await presenter.load(new Map([["picture", blob]]));
    return { presenter, periodMs: shared.periodMs };
  }

  /** @param {any} trial @param {string} mode @param {any} options @param {() => void} loadCallback */
  simulate(trial, mode, options, loadCallback) {
    const data = this.#simulated(trial, options);
    if (mode === "data-only") {
      loadCallback();
      this.jsPsych.finishTrial(data);
      return;
    }
    this.trial(this.jsPsych.getDisplayElement(), trial);
    loadCallback();
    if (data.rt !== null) this.jsPsych.pluginAPI.pressKey(data.response, trial.fixation_ms + data.rt);
  }

  /** @param {any} trial @param {any} options */
  #simulated(trial, options) {
    const rt = this.jsPsych.randomization.sampleExGaussian(350, 50, 1 / 80, true);
    const key = this.jsPsych.pluginAPI.getValidKey(trial.choices);
    const drawn = {
      stimulus: trial.stimulus,
      response: key,
      rt,
      in_time: rt <= trial.response_limit_ms,
      correct: trial.correct_key === null ? null : key === trial.correct_key,
      fixation_ms: trial.fixation_ms,
      stimulus_ms_shown: trial.stimulus_ms,
      refresh_hz: 60,
      presenter: "none",
      seen: "scheduled",
      calibration_ms: 0,
      late_refreshes: 0,
    };
    return this.jsPsych.pluginAPI.mergeSimulationData(drawn, options);
  }
}
