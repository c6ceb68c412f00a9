/** A jsPsych 8 plugin: one trial of several phases, shown by RapidVision's presenters and timed by the events' own stamps. */

import { CompositorPresenter } from "../runner/compositor.js";
import { Inputs } from "../runner/inputs.js";
import { optionGrid } from "../runner/options.js";
import { measurePeriod } from "../runner/timing.js";
import { responseOf, runTrial } from "../runner/trial.js";
import { Watch } from "../runner/watch.js";
import { Witness } from "../runner/witness.js";
import { WorkerPresenter } from "../runner/worker-presenter.js";

const { ParameterType } = jspsych;

/** What outlives a trial: the measured period, one presenter, and who listens. */
const shared = {
  periodMs: 0,
  presenter: /** @type {CompositorPresenter|WorkerPresenter|null} */ (null),
  inputs: /** @type {Inputs|null} */ (null),
  watch: /** @type {Watch|null} */ (null),
};

export class RapidVisionPlugin {
  static info = {
    name: "rapidvision",
    version: "2.0.0",
    parameters: {
      /** Address of the image. */
      stimulus: { type: ParameterType.IMAGE, default: undefined },
      /** The keys that count. */
      choices: { type: ParameterType.KEYS, default: ["s", "l"] },
      /** Options that can be clicked or touched, as words; they are shown after the mask, and responses count from there. */
      options: { type: ParameterType.STRING, array: true, default: [] },
      /** Key or option that is right, or null. */
      correct: { type: ParameterType.STRING, default: null },
      /** How long the cross is shown, in ms. */
      fixation_ms: { type: ParameterType.INT, default: 1300 },
      /** How long the image is shown, in ms. */
      stimulus_ms: { type: ParameterType.INT, default: 400 },
      /** How long the screen is blank between image and mask, in ms. */
      gap_ms: { type: ParameterType.INT, default: 0 },
      /** Address of a mask, or null. */
      mask: { type: ParameterType.IMAGE, default: null },
      /** How long the mask is shown, in ms. */
      mask_ms: { type: ParameterType.INT, default: 0 },
      /** Latest response that counts, in ms from the onset of the image, or of the options. */
      response_limit_ms: { type: ParameterType.INT, default: 550 },
      /** Whether the response ends the trial. */
      response_ends_trial: { type: ParameterType.BOOL, default: false },
      /** Other phases than these: a list of {name, kind, ms, file, text, overlay}; `file` is an address, ms null: until the response. */
      phases: { type: ParameterType.COMPLEX, array: true, default: [] },
      /** Name of the phase at whose onset responses begin to count; empty: the options, or else the image. */
      opens: { type: ParameterType.STRING, default: "" },
      /** Side of the image in CSS pixels. */
      image_px: { type: ParameterType.INT, default: 256 },
    },
    data: {
      stimulus: { type: ParameterType.STRING },
      mask: { type: ParameterType.STRING },
      response: { type: ParameterType.STRING },
      rt: { type: ParameterType.FLOAT },
      in_time: { type: ParameterType.BOOL },
      correct: { type: ParameterType.BOOL },
      fixation_ms: { type: ParameterType.FLOAT },
      stimulus_ms_shown: { type: ParameterType.FLOAT },
      mask_ms_shown: { type: ParameterType.FLOAT },
      phases: { type: ParameterType.COMPLEX, array: true },
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
    const inputs = (shared.inputs ??= new Inputs());
    const watch = (shared.watch ??= new Watch(() => {}));
    const plan = planOf(trial);
    inputs.wanted = Object.keys(plan.inputs);
    const phases = phasesOf(trial);
    const { presenter, periodMs } = await this.#presenter(stage, trial, phases, plan.response.options);
    const rig = { presenter, inputs, watch, plan, periodMs, clockMs: 0, simulated: null };
    const { shown, zero } = await runTrial(rig, { phases, limit_ms: trial.response_limit_ms, movie: null });
    const press = responseOf(rig, zero, trial.response_limit_ms);
    presenter.unload();
    display.replaceChildren();
    const ends = [...shown.onsets.slice(1), shown.end];
    const rows = shown.onsets.map((onset, i) => ({ name: phases[i].name, onset_ms: onset - zero, shown_ms: ends[i] - onset, late_refreshes: shown.late[i] }));
    return {
      ...judged(trial, press && plan.inputs[press.input], press && press.at - zero),
      ...durations(phases, rows),
      refresh_hz: 1000 / periodMs,
      presenter: presenter.name,
      seen: shown.seen,
      calibration_ms: presenter.calibrationMs,
      late_refreshes: shown.late.includes(null) ? null : shown.late.reduce((sum, n) => /** @type {number} */ (sum) + /** @type {number} */ (n), 0),
    };
  }

  /** @param {HTMLElement} stage @param {any} trial @param {import("../runner/timing.js").Phase[]} phases @param {any[]} options */
  async #presenter(stage, trial, phases, options) {
    const files = [...new Set(phases.map(({ file }) => file).filter((file) => file !== null))];
    const blobs = await Promise.all(files.map(async (file) => /** @type {const} */ ([file, await (await fetch(file)).blob()])));
    let { presenter } = shared;
    if (!presenter) {
      presenter = shared.presenter = CompositorPresenter.supported()
        ? new CompositorPresenter(stage, trial.image_px, new Witness(WORKER_ADDRESS))
        : new WorkerPresenter(stage, trial.image_px, "#fff", WORKER_ADDRESS);
      await presenter.calibrate(20, shared.periodMs);
    }
    presenter.stage = stage;
    presenter.options = options.length ? optionGrid(options, new Map()) : null;
    if (presenter instanceof CompositorPresenter) presenter.imagePx = trial.image_px;
    await presenter.load(new Map(blobs));
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
    if (data.rt !== null && !trial.options.includes(data.response))
      this.jsPsych.pluginAPI.pressKey(data.response, trial.fixation_ms + data.rt);
  }

  /** @param {any} trial @param {any} options */
  #simulated(trial, options) {
    const rt = this.jsPsych.randomization.sampleExGaussian(350, 50, 1 / 80, true);
    const [option] = trial.options.length ? this.jsPsych.randomization.sampleWithReplacement(trial.options, 1) : [];
    const response = option ?? this.jsPsych.pluginAPI.getValidKey(trial.choices);
    const phases = phasesOf(trial);
    let onset = 0;
    const rows = phases.map(({ name, ms }) => {
      const row = { name, onset_ms: onset, shown_ms: ms ?? rt, late_refreshes: 0 };
      onset += row.shown_ms;
      return row;
    });
    const zero = rows.find(({ name }) => name === planOf(trial).response.opens)?.onset_ms ?? 0;
    for (const row of rows) row.onset_ms -= zero;
    const drawn = {
      ...judged(trial, response, rt),
      ...durations(phases, rows),
      refresh_hz: 60,
      presenter: "none",
      seen: "scheduled",
      calibration_ms: 0,
      late_refreshes: 0,
    };
    return this.jsPsych.pluginAPI.mergeSimulationData(drawn, options);
  }
}

/** @param {any} trial @param {string|null} response @param {number|null} rt */
function judged(trial, response, rt) {
  return {
    stimulus: trial.stimulus,
    mask: trial.mask,
    response,
    rt,
    in_time: rt !== null && rt <= trial.response_limit_ms,
    correct: response === null || trial.correct === null ? null : response === trial.correct,
  };
}

/** @param {import("../runner/timing.js").Phase[]} phases @param {{name: string, onset_ms: number, shown_ms: number}[]} rows */
function durations(phases, rows) {
  const of = (/** @type {string} */ kind) => rows[phases.findIndex((phase) => phase.kind === kind)]?.shown_ms ?? null;
  return { fixation_ms: of("fixation"), stimulus_ms_shown: of("stimulus"), mask_ms_shown: of("mask"), phases: rows };
}

/** The keys and options of a trial, and when they count. @param {any} trial */
function planOf(trial) {
  const options = trial.options.map((/** @type {string} */ name) => ({ name, label: name, icon: null, area: true }));
  const keys = trial.choices === "NO_KEYS" ? [] : trial.choices;
  const inputs = Object.fromEntries([
    ...keys.map((/** @type {string} */ key) => [key, key]),
    ...trial.options.map((/** @type {string} */ name) => [`area:${name}`, name]),
  ]);
  const opens = trial.opens || (options.length ? "options" : "stimulus");
  const response = { opens, ends_trial: trial.response_ends_trial, counts: "first", press: "down", withheld: null, options };
  return { inputs, response };
}

/** The phases of a trial: those that were given, or cross, image, gap, mask, and what is left until the limit. @param {any} trial */
function phasesOf(trial) {
  const phase = (/** @type {any} */ given) => ({ name: given.kind, ms: null, file: null, text: "", overlay: "none", ...given });
  if (trial.phases.length) return /** @type {import("../runner/timing.js").Phase[]} */ (trial.phases.map(phase));
  const made = [
    { kind: "fixation", ms: trial.fixation_ms },
    { kind: "stimulus", ms: trial.stimulus_ms, file: trial.stimulus },
    { kind: "blank", name: "gap", ms: trial.gap_ms },
    { kind: "mask", ms: trial.mask_ms, file: trial.mask },
  ].filter(({ kind, ms }) => ms > 0 && (kind !== "mask" || trial.mask));
  const since = made.slice(1).reduce((sum, { ms }) => sum + ms, 0);
  if (trial.options.length) made.push({ kind: "options", ms: trial.response_limit_ms });
  else if (trial.response_limit_ms > since) made.push({ kind: "blank", ms: trial.response_limit_ms - since });
  return /** @type {import("../runner/timing.js").Phase[]} */ (made.map(phase));
}
