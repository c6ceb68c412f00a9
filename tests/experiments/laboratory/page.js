/** Runs trials by the runner's own modules and by others', idle or with a page that is busy now and then. */

import { CompositorPresenter } from "/static/compositor.js";
import { Inputs } from "/static/inputs.js";
import { WorkerPresenter } from "/static/worker-presenter.js";
import { choosePresenter } from "/static/screening.js";
import { measurePeriod, nextFrame, sleep, clockResolution } from "/static/timing.js";
import { responseOf, runTrial } from "/static/trial.js";
import { Watch } from "/static/watch.js";
import { Witness } from "/static/witness.js";

const RESPONSE = { opens: "stimulus", ends_trial: false, counts: "first", press: "down", early_ms: 100, withheld: null, options: [] };
const PLAN = { inputs: { s: "target", l: "distractor" }, response: RESPONSE };
/** Time of the blank at the end of a trial: the paper's 150 ms to respond; with masks enough to tell trials apart. */
const BLANK_MS = 150;
const AFTER_MASK_MS = 300;
const stage = document.getElementById("stage");
const inputs = new Inputs(Object.keys(PLAN.inputs));
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
    const images = ["dark", "light", "mask-dark", "mask-light"];
    const blobs = images.map(async (image) => [image, await (await fetch(`/lab/${image.replace("mask-", "")}.png`)).blob()]);
    stage.replaceChildren();
    await presenters[name].load(new Map(await Promise.all(blobs)));
    await presenters[name].calibrate(20, periodMs);
  }
  const parts = name === "worker" ? [presenters[name].canvas] : [...presenters[name].layers.values()];
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

const phase = (name, kind, ms, file = null) => ({ name, kind, ms, file, text: "", overlay: "none" });
const fixation = () => phase("fixation", "fixation", 300 + Math.floor(Math.random() * 200));

/** Show phases behind a cross by a presenter of ours. */
async function show(name, phases) {
  const used = await presenter(name);
  const rig = { presenter: used, inputs, watch, plan: PLAN, periodMs, clockMs: 0, simulated: null };
  const after = phases.slice(1).reduce((sum, { ms }) => sum + ms, phases[0].ms);
  const { shown, zero } = await runTrial(rig, { phases: [fixation(), ...phases], limit_ms: after, movie: null });
  const press = responseOf(rig, zero, after);
  return { ...shown, onset: zero, response: press && press.at - zero, calibration: used.calibrationMs };
}

const METHODS = {
  ours: (name) => show(name, [phase("stimulus", "stimulus", 400, "dark"), phase("blank", "blank", BLANK_MS)]),
  /** An image and the mask behind it: ``masked 20 dark 80 light``. */
  masked(name, imageMs, image, maskMs, mask) {
    const shown = [phase("stimulus", "stimulus", Number(imageMs), image), phase("mask", "mask", Number(maskMs), `mask-${mask}`)];
    return show(name, [...shown, phase("blank", "blank", AFTER_MASK_MS)]);
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
  /** The paper's method: a movie with cross, image and blank, a timer that opens the window, the wall clock. */
  async movie() {
    const video = document.createElement("video");
    video.className = "image shown";
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
    const [which, ...how] = method.split(" ");
    const result = await METHODS[which](name, ...how);
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
