/** One trial: show it, take the presses, and say how well it went. Between fixation and the end nothing else runs. */

import { judge, nextFrame } from "./timing.js";

/**
 * @typedef {object} Rig everything a trial needs
 * @property {any} presenter
 * @property {import("./keys.js").Keys} keys
 * @property {import("./watch.js").Watch} watch
 * @property {any} plan
 * @property {number} periodMs
 * @property {number} clockMs
 * @property {any} simulated answers by themselves, or null
 */

/**
 * Run one trial.
 * @param {Rig} rig
 * @param {any} trial
 * @returns {Promise<{shown: import("./compositor.js").Shown, first: import("./keys.js").Press|null, from: number}>}
 */
export async function runTrial(rig, trial) {
  const { presenter, keys, watch, plan } = rig;
  const { timing } = plan;
  watch.reset();
  keys.clear();
  const from = performance.now();
  const expectedOnset = from + trial.fixation_ms;
  if (timing.response_ends_trial)
    keys.onPress = (press) => {
      if (isResponse(press, plan) && press.at >= expectedOnset) presenter.takeAway();
    };
  const running = presenter.run({
    stimulus: trial.stimulus,
    fixationMs: trial.fixation_ms,
    stimulusMs: timing.stimulus_ms,
    tailMs: timing.response_limit_ms - timing.stimulus_ms,
    periodMs: rig.periodMs,
    movie: trial.movie,
  });
  rig.simulated?.press(trial, expectedOnset, rig.periodMs, presenter);
  const shown = await running;
  while (performance.now() < shown.onset + timing.response_limit_ms) await nextFrame();
  await new Promise((resolve) => setTimeout(resolve, 0)); // presses that wait behind a busy page are handled first
  keys.onPress = null;
  return { shown, first: firstResponse(rig, shown.onset), from };
}

/** @param {import("./keys.js").Press} press @param {any} plan */
export function isResponse(press, plan) {
  return !press.repeat && (press.key === plan.key_target || press.key === plan.key_distractor);
}

/** The first response key after the onset. @param {Rig} rig @param {number} onset */
export function firstResponse({ keys, plan }, onset) {
  return keys.presses.find((press) => isResponse(press, plan) && press.at >= onset) ?? null;
}

/**
 * What a trial's press means.
 * @param {any} plan @param {any} trial @param {import("./keys.js").Press|null} press @param {number} onset
 */
export function outcomeOf(plan, trial, press, onset) {
  return judge({
    target: trial.target,
    pressedTarget: press && press.key === plan.key_target,
    responseMs: press && press.at - onset,
    limitMs: plan.timing.response_limit_ms,
    anticipationMs: plan.anticipation_ms,
  });
}

const round = (/** @type {number} */ ms) => Math.round(ms * 1000) / 1000;

/**
 * The trial as the server stores it.
 * @param {Rig} rig
 * @param {any} trial
 * @param {{shown: import("./compositor.js").Shown, from: number}} run
 */
export function measurementOf(rig, trial, { shown, from }) {
  const { plan, keys, watch, presenter } = rig;
  const press = firstResponse(rig, shown.onset);
  return {
    stimulus_sha256: trial.stimulus,
    key_pressed: press && press.key,
    response_ms: press && round(press.at - shown.onset),
    fixation_ms: round(shown.onset - shown.fixationOn),
    stimulus_ms_shown: round(shown.offset - shown.onset),
    late_refreshes: shown.lateRefreshes,
    refresh_hz: round(1000 / rig.periodMs),
    aborted: false,
    utc: new Date().toISOString(),
    quality: {
      presenter: presenter.name,
      seen: shown.seen,
      onset_ms: round(shown.onset),
      offset_ms: round(shown.offset),
      n_refreshes: shown.nRefreshes,
      calibration_ms: round(presenter.calibrationMs),
      clock_ms: round(rig.clockMs),
      long_task_ms: round(watch.longTaskMs(from, shown.onset + plan.timing.response_limit_ms)),
      key_lag_ms: press && round(press.handled - press.at),
      presses: keys.presses.slice(0, 40).map((each) => ({
        code: each.code,
        at_ms: round(each.at - shown.onset),
        handled_ms: round(each.handled - shown.onset),
        trusted: each.trusted,
        repeat: each.repeat,
        response_key: isResponse({ ...each, repeat: false }, plan),
      })),
      hidden: watch.hidden,
      fullscreen_lost: watch.fullscreenLost,
      focus_lost: watch.focusLost,
      resized: watch.resized,
      device_pixel_ratio: devicePixelRatio,
    },
  };
}

/** A trial that was begun and not ended. @param {any} trial @param {string} reason */
export function abortedMeasurement(trial, reason) {
  return { stimulus_sha256: trial.stimulus, aborted: true, utc: new Date().toISOString(), quality: { reason } };
}
