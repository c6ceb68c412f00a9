/** One trial: show its phases, take what is pressed, and say how well it went. Meanwhile nothing else runs. */

import { judge, nextFrame, schedule } from "./timing.js";

/**
 * @typedef {import("./inputs.js").Press} Press
 * @typedef {import("./compositor.js").Shown} Shown
 *
 * @typedef {object} Rig everything a trial needs
 * @property {any} presenter
 * @property {import("./inputs.js").Inputs} inputs
 * @property {import("./watch.js").Watch} watch
 * @property {any} plan
 * @property {number} periodMs
 * @property {number} clockMs
 * @property {any} simulated answers by itself, or null
 *
 * @typedef {object} Ran what happened in a trial
 * @property {Shown} shown
 * @property {number} zero time zero, page clock, ms
 * @property {boolean} held whether a response input was down at time zero
 * @property {number} from when the trial was begun
 */

/** One trial while it runs. */
class Running {
  /** @param {Rig} rig @param {any} trial */
  constructor(rig, trial) {
    this.rig = rig;
    this.trial = trial;
    this.rule = rig.plan.response;
    /** Time zero as far as known while the trial runs. */
    this.zero = Infinity;
    this.held = false;
    /** Told time zero once it is known. @type {((zero: number) => void)|null} */
    this.onZero = null;
    /** The phase until the response that is being shown, and when it begins; -1 where there is none. */
    this.open = -1;
    this.openFrom = Infinity;
    this.decided = false;
  }

  /** @returns {Promise<Shown>} */
  async run() {
    const { phases } = this.trial;
    const { presenter, periodMs, inputs } = this.rig;
    /** @type {Shown} */
    const all = { onsets: [], end: 0, late: [], seen: "observed" };
    let done = 0;
    inputs.onPress = () => this.#decide();
    while (done < phases.length) {
      const rest = phases.slice(done);
      const sinceZeroMs = Number.isFinite(this.zero) ? performance.now() - this.zero : null;
      const at = schedule(rest, periodMs, { opens: this.rule?.opens, limitMs: this.trial.limit_ms, sinceZeroMs });
      this.decided = false;
      const onStart = (/** @type {number} */ first) => this.#began(rest, done, at, first);
      const shown = await presenter.run({ phases: rest, at, periodMs, movie: this.trial.movie, onStart });
      if (!shown.onsets.length) return all; // cancelled
      all.onsets.push(...shown.onsets);
      all.late.push(...shown.late);
      all.end = shown.end;
      if (shown.seen !== "observed" && all.seen === "observed") all.seen = shown.seen;
      const cut = done + shown.onsets.length;
      done = this.#goesAfter(cut) ? cut : phases.length;
    }
    return all;
  }

  /**
   * Times are known: those of time zero, and of the phase that waits for the response.
   * @param {any[]} phases @param {number} done @param {number[]} at @param {number} first
   */
  #began(phases, done, at, first) {
    const { periodMs, plan, inputs } = this.rig;
    const zero = phases.findIndex(({ name }) => name === this.rule?.opens);
    if (zero >= 0) {
      this.zero = first + at[zero] * periodMs;
      this.onZero?.(this.zero);
      const note = () => (this.held ||= plan.response.press === "down" && inputs.held.size > 0);
      setTimeout(note, Math.max(0, this.zero - performance.now()));
    }
    const open = phases.findIndex(({ ms }) => ms === null);
    this.open = open < 0 ? -1 : done + open;
    this.openFrom = open < 0 ? Infinity : first + at[open] * periodMs;
    this.#decide();
  }

  /** End the trial, or the phase that waits for the response, when there is one. */
  #decide() {
    if (!this.rule || this.decided || this.zero === Infinity) return;
    const press = responseOf(this.rig, this.zero, this.trial.limit_ms);
    const waits = this.open >= 0 && this.rule.counts === "first" && this.rule.withheld === null;
    if (!press || !(this.rule.ends_trial || waits)) return;
    this.decided = true;
    const keep = !this.rule.ends_trial && this.open < this.trial.phases.length - 1;
    // a last phase that waits for a response that is there already is not shown; another one for a refresh
    const opened = this.openFrom + (keep ? this.rig.periodMs / 2 : -this.rig.periodMs / 2);
    const due = this.rule.ends_trial ? press.at : Math.max(press.at, opened);
    const wait = due - performance.now();
    if (wait <= 0) this.rig.presenter.cut(keep, due);
    else setTimeout(() => this.rig.presenter.cut(keep, due), wait);
  }

  /** Whether phases are left after the response cut one. @param {number} shown so many phases have been shown */
  #goesAfter(shown) {
    return !this.rule?.ends_trial && this.decided && shown === this.open + 1;
  }
}

/**
 * Run one trial.
 * @param {Rig} rig
 * @param {any} trial
 * @returns {Promise<Ran>}
 */
export async function runTrial(rig, trial) {
  const { inputs, watch } = rig;
  watch.reset();
  inputs.clear();
  const from = performance.now();
  const running = new Running(rig, trial);
  rig.simulated?.respond(trial, running, rig.presenter, rig.periodMs);
  const shown = await running.run();
  while (performance.now() < shown.end) await nextFrame();
  await new Promise((resolve) => setTimeout(resolve, 0)); // presses that wait behind a busy page are handled first
  inputs.onPress = null;
  const opens = trial.phases.findIndex((/** @type {any} */ phase) => phase.name === rig.plan.response?.opens);
  const zero = shown.onsets[Math.max(0, opens)] ?? shown.onsets[0];
  if (zero !== undefined) rig.simulated?.settle(zero);
  return { shown, zero, held: running.held, from };
}

/**
 * The press that is the response: the first, or the last in time; the first late one where there is none in time.
 * @param {Rig} rig @param {number} zero @param {number|null} limitMs
 * @returns {Press|null}
 */
export function responseOf({ inputs, plan }, zero, limitMs) {
  const rule = plan.response;
  if (!rule) return null;
  const down = rule.press === "down";
  const found = inputs.presses.filter((press) => press.input && !press.repeat && press.down === down && press.at >= zero);
  if (rule.counts === "first") return found[0] ?? null;
  return found.filter((press) => limitMs === null || press.at - zero <= limitMs).pop() ?? found[0] ?? null;
}

/**
 * What a trial's response means.
 * @param {any} plan @param {any} trial
 * @param {{input: string|null, response_ms: number|null}} given
 */
export function outcomeOf(plan, trial, { input, response_ms: responseMs }) {
  if (!plan.response) return { response: "none", correct: null, status: /** @type {const} */ ("ok") };
  return judge({
    response: input === null ? null : plan.inputs[input],
    correctResponse: trial.correct,
    responseMs,
    limitMs: trial.limit_ms,
    earlyMs: plan.response.early_ms,
    withheld: plan.response.withheld,
  });
}

const round = (/** @type {number} */ ms) => Math.round(ms * 1000) / 1000;

/**
 * The response as stored.
 * @param {Rig} rig @param {any} trial @param {number} zero
 */
export function givenIn(rig, trial, zero) {
  const press = responseOf(rig, zero, trial.limit_ms);
  return { press, input: press && press.input, response_ms: press && round(press.at - zero) };
}

/**
 * The trial as the server stores it.
 * @param {Rig} rig
 * @param {any} trial
 * @param {Ran} run
 */
export function measurementOf(rig, trial, { shown, zero, held, from }) {
  const { inputs, watch, presenter } = rig;
  const { press, input, response_ms } = givenIn(rig, trial, zero);
  const ends = [...shown.onsets.slice(1), shown.end];
  return {
    files: filesOf(trial),
    input,
    response_ms,
    phases: shown.onsets.map((onset, i) => ({
      name: trial.phases[i].name,
      onset_ms: round(onset - zero),
      shown_ms: round(Math.max(0, ends[i] - onset)),
      late_refreshes: shown.late[i],
    })),
    refresh_hz: round(1000 / rig.periodMs),
    aborted: false,
    utc: new Date().toISOString(),
    quality: {
      presenter: presenter.name,
      seen: shown.seen,
      zero_ms: round(zero),
      calibration_ms: round(presenter.calibrationMs),
      clock_ms: round(rig.clockMs),
      long_task_ms: round(watch.longTaskMs(from, shown.end)),
      input_lag_ms: press && round(press.handled - press.at),
      presses: inputs.presses.slice(0, 40).map((each) => ({
        code: each.code,
        input: each.input,
        down: each.down,
        at_ms: round(each.at - zero),
        handled_ms: round(each.handled - zero),
        trusted: each.trusted,
        repeat: each.repeat,
      })),
      held_at_onset: held,
      hidden: watch.hidden,
      fullscreen_lost: watch.fullscreenLost,
      focus_lost: watch.focusLost,
      resized: watch.resized,
      device_pixel_ratio: devicePixelRatio,
    },
  };
}

/** Hashes of the images and masks of a trial, in the order of its phases. @param {any} trial @returns {string[]} */
export function filesOf(trial) {
  return trial.phases.map((/** @type {any} */ phase) => phase.file).filter(Boolean);
}

/** A trial that was begun and not ended. @param {any} trial @param {string} reason */
export function abortedMeasurement(trial, reason) {
  return { files: filesOf(trial), aborted: true, utc: new Date().toISOString(), quality: { reason } };
}
