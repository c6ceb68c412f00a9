/** Runs trials by the runner's own modules and by others', idle or with a page that is busy now and then. */

import { CompositorPresenter } from "/static/compositor.js";
import { Keys } from "/static/keys.js";
import { WorkerPresenter } from "/static/worker-presenter.js";
import { choosePresenter } from "/static/screening.js";
import { measurePeriod, nextFrame, sleep, clockResolution } from "/static/timing.js";
import { firstResponse, runTrial } from "/static/trial.js";
import { Watch } from "/static/watch.js";
import { Witness } from "/static/witness.js";

const PLAN = {
  key_target: "s",
  key_distractor: "l",
  anticipation_ms: 100,
  timing: { stimulus_ms: 400, blank_ms: 150, response_limit_ms: 550, response_ends_trial: false, too_slow_ms: 0 },
};
const stage = document.getElementById("stage");
const keys = new Keys();
const watch = new Watch(() => {});
const presenters = {};
let periodMs = 1000 / 60;

let busy = false;
(async () => {
  for (;;) {
    await sleep(30 + Math.random() * 170);
    const [start, length] = [performance.now(), 20 + Math.random() * 100];
    while (busy && performance.now() - start < length);
  }
})();

async function presenter(name) {
  if (!presenters[name]) {
    presenters[name] = name === "worker" ? new WorkerPresenter(stage, 256, "#fff") : new CompositorPresenter(stage, 256, new Witness());
    const blob = await (await fetch("/lab/dark.png")).blob();
    stage.replaceChildren();
    await presenters[name].load(new Map([["dark", blob]]));
    await presenters[name].calibrate(20, periodMs);
  }
  const parts = name === "worker" ? [presenters[name].canvas] : [presenters[name].cross, ...presenters[name].images.values()];
  stage.replaceChildren(...parts);
  await nextFrame();
  return presenters[name];
}

/** Press times by the handler's clock, as most experiments take them. */
function keyTimes() {
  const seen = [];
  const note = (event) => event.repeat || seen.push({ stamp: event.timeStamp, now: performance.now(), date: Date.now() });
  addEventListener("keydown", note, true);
  return { seen, stop: () => removeEventListener("keydown", note, true) };
}

const METHODS = {
  async ours(name) {
    const used = await presenter(name);
    const rig = { presenter: used, keys, watch, plan: PLAN, periodMs, clockMs: 0, simulated: null };
    const trial = { stimulus: "dark", fixation_ms: 300 + Math.floor(Math.random() * 200) };
    const run = await runTrial(rig, trial);
    const press = firstResponse(rig, run.shown.onset);
    return { ...run.shown, response: press && press.at - run.shown.onset, calibration: used.calibrationMs };
  },
  /** jsPsych as its documentation shows it. */
  async jspsych() {
    const { initJsPsych, jsPsychImageKeyboardResponse } = globalThis;
    stage.replaceChildren();
    const target = document.createElement("div");
    target.style.cssText = "position: absolute; left: 272px; top: 172px"; // where the diode looks
    stage.append(target);
    await sleep(300);
    let data;
    await new Promise((resolve) => {
      const host = initJsPsych({ display_element: target, on_finish: () => resolve((data = host.data.get().values())) });
      host.run([
        {
          type: jsPsychImageKeyboardResponse,
          stimulus: "/lab/dark.png",
          choices: ["s", "l"],
          stimulus_duration: 400,
          trial_duration: 550,
          response_ends_trial: false,
        },
      ]);
    });
    stage.replaceChildren();
    return { response: data[0].rt };
  },
  /** The paper's method: a movie with cross, picture and blank, a timer that opens the window, the wall clock. */
  async movie() {
    const video = document.createElement("video");
    video.className = "picture shown";
    video.muted = true;
    video.width = video.height = 256;
    video.src = "/lab/trial.webm";
    const ready = new Promise((resolve) => (video.oncanplaythrough = resolve));
    stage.replaceChildren(video);
    await ready;
    const { seen, stop } = keyTimes();
    let opened = 0;
    setTimeout(() => (opened = Date.now()), 300);
    await video.play();
    await sleep(1100);
    stop();
    stage.replaceChildren();
    video.removeAttribute("src");
    video.load();
    const press = seen.find((each) => each.date >= opened);
    return { response: press ? press.date - opened : null };
  },
};

globalThis.laboratory = {
  async prepare() {
    periodMs = (await measurePeriod(180)).periodMs;
    const chosen = choosePresenter("auto");
    await presenter(chosen);
    return { periodMs, clockMs: clockResolution(), chosen, isolated: crossOriginIsolated };
  },
  setBusy: (value) => (busy = value),
  async trial(method, name) {
    const start = performance.now();
    const result = await METHODS[method](name);
    await sleep(150 + Math.random() * 100);
    return { method, name, start, end: performance.now(), time_origin: performance.timeOrigin, ...result };
  },
};

const query = new URLSearchParams(location.search);
if (query.has("n")) {
  const info = await globalThis.laboratory.prepare();
  busy = query.get("busy") === "1";
  const trials = [];
  for (let i = 0; i < Number(query.get("n")); i++)
    trials.push(await globalThis.laboratory.trial(query.get("method"), query.get("presenter") ?? info.chosen));
  await fetch("/lab/result", { method: "POST", body: JSON.stringify({ info, trials }) });
}
document.body.dataset.ready = "true";
