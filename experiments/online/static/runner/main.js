/** From the first page to the completion code. */

import { ServerBackend, Refused } from "./backend.js";
import { CompositorPresenter } from "./compositor.js";
import { Inputs } from "./inputs.js";
import { inkOn } from "./layers.js";
import { Elsewhere } from "./outbox.js";
import { MoviePresenter } from "./movie-presenter.js";
import { optionGrid } from "./options.js";
import { choose, copyable, element, fill, paragraphs, say, show } from "./pages.js";
import { screen } from "./screening.js";
import { Session } from "./session.js";
import { Simulated, VirtualPresenter } from "./simulate.js";
import { Damaged, Stimuli } from "./stimuli.js";
import { DrawingThread } from "./thread.js";
import { filesOf } from "./trial.js";
import { Watch } from "./watch.js";
import { Witness } from "./witness.js";
import { WorkerPresenter } from "./worker-presenter.js";

let query = new URLSearchParams(location.search);
const simulate = query.get("simulate");
/** @type {any} */
let study = null;

/** @param {any} backend */
export async function main(backend) {
  try {
    query = backend.query ?? query;
    tellConnection(backend, /** @type {HTMLTemplateElement|null} */ (document.querySelector("template#waiting"))?.content.textContent ?? "");
    study = await backend.study();
    document.documentElement.lang = study.language;
    document.title = study.title;
    document.body.style.background = `rgb(${study.background.join(" ")})`;
    document.body.classList.toggle("dark", inkOn(document.body.style.background) === "#fff");
    await takePart(backend);
  } catch (error) {
    stopped(backend, error);
  }
}

/** @param {any} backend */
async function takePart(backend) {
  const { words } = study;
  if (simulate !== null && !study.simulate) throw new Refused(403, { error: "simulate", text: words.no_simulation });
  say(words.checking);
  backend.tally("arrived", isSimulated());
  const { device, periodMs, why } = await screen(study.screening, study.presenter);
  if (why) return excluded(backend, why, device);
  if (!isSimulated()) await askWhoIsHere(backend);
  if (!isSimulated()) await offerFormer(backend);
  if (!(await consent(backend))) return;
  say(words.loading);
  const simulated = isSimulated();
  const seat = await backend.begin(ids(), study.consent_sha256, device, simulated);
  if (seat.state === "lapsed") return lapsed(backend);
  if (seat.state !== "open") return done(await backend.finish());
  const inputs = new Inputs(Object.keys(seat.plan.inputs));
  const watch = new Watch((kind) => backend.tell(kind));
  const actor = simulated ? new Simulated(inputs, seat.plan, await backend.answers(), simulate === "fast") : null;
  const stimuli = new Stimuli((hash, suffix) => backend.stimulus(hash, suffix), seat.plan.suffixes);
  const presenter = makePresenter(actor?.fast ? "none" : device.presenter, seat.plan, await gridOf(seat.plan, stimuli));
  const rig = { presenter, inputs, watch, plan: seat.plan, periodMs, clockMs: device.clock_ms, simulated: actor };
  const session = new Session(rig, backend, stimuli, seat, words, study.screening.fullscreen && !actor);
  connect(backend, session);
  await session.markInterrupted(seat.begun);
  const ahead = session.runs().filter((/** @type {any} */ step) => !session.done.has(step.trial));
  stimuli.get(ahead.flatMap((/** @type {any} */ step) => (step.movie ? [step.movie.file] : filesOf(step)))).catch(() => {}); // the block asks again
  if (session.fullscreen && document.fullscreenEnabled) await fullscreen(session);
  backend.tell("step", "instructions");
  await calibrate(presenter, periodMs);
  await session.run();
  say(words.saving);
  await done(await backend.finish());
}

/** Whether this page acts by itself: asked for by the link, and allowed by the server. */
function isSimulated() {
  return simulate !== null && study.simulate;
}

/** A plain link says nothing about who opens it: ask before a former person's session is shown to the next one. */
async function askWhoIsHere(/** @type {any} */ backend) {
  const key = backend.key?.(false);
  if (!key?.former() || Object.keys(ids()).length) return;
  const { words } = study;
  const mine = await choose(
    [element("h1", {}, words.former_heading), element("p", {}, words.former_text)],
    [
      [words.former_me, true],
      [words.former_other, false, "quiet"],
    ],
  );
  if (!mine) key.forget();
}

/** Answers of a former person that are in this browser alone can be saved as a file; they are never sent as the next one's. */
async function offerFormer(/** @type {any} */ backend) {
  const { words } = study;
  for (const file of (await backend.former?.()) ?? []) {
    const link = element("a", { class: "button", href: file.url, download: file.name }, words.former_save);
    link.addEventListener("click", file.saved);
    await choose(
      [element("p", {}, fill(words.former_kept, { n: file.n })), element("div", { class: "row" }, link), contact()],
      [[words.continue_button, true]],
    );
  }
}

/** The session's slot is gone; what this browser kept was sent. A participant who has answered everything is done all the same. */
async function lapsed(/** @type {any} */ backend) {
  say(study.words.saving);
  backend.onRefused = (/** @type {Error} */ error) => stopped(backend, error);
  try {
    await done(await backend.finish());
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    throw new Refused(409, { error: "lapsed", text: study.words.lapsed });
  }
}

/** The recruitment service's ids, and nothing else of the address. */
function ids() {
  /** @type {Record<string, string>} */
  const found = {};
  for (const name of study.id_parameters) {
    const value = query.get(name);
    if (value !== null) found[name] = value;
  }
  return found;
}

/** The grid of options with their icons; null where no trial shows them. @param {any} plan @param {Stimuli} stimuli */
async function gridOf({ response, steps, feedback }, stimuli) {
  const shows = (/** @type {any} */ { kind, overlay }) => kind === "options" || overlay === "options";
  const inTrials = steps.some((/** @type {any} */ step) => step.step === "run" && (step.adaptive || step.phases.some(shows)));
  const clicked = response?.options.some((/** @type {any} */ option) => option.area);
  if (!response?.options.length || !(clicked || inTrials || feedback.shows === "option")) return null;
  const icons = response.options.map((/** @type {any} */ option) => option.icon).filter(Boolean);
  return optionGrid(response.options, await stimuli.get(icons));
}

/** @param {string} kind @param {any} plan @param {HTMLElement|null} options */
function makePresenter(kind, plan, options) {
  const stage = /** @type {HTMLElement} */ (document.getElementById("stage"));
  const { image_px: side, background: colour } = plan.display;
  const background = `rgb(${colour.join(" ")})`;
  stage.style.background = background;
  if (kind === "none") return new VirtualPresenter();
  if (kind === "movie") return new MoviePresenter(stage, side);
  if (kind === "worker") return new WorkerPresenter(stage, side, background, undefined, options);
  return new CompositorPresenter(stage, side, DrawingThread.supported() ? new Witness() : null, options);
}

/** @param {any} presenter @param {number} periodMs */
async function calibrate(presenter, periodMs) {
  const stage = /** @type {HTMLElement} */ (document.getElementById("stage"));
  stage.hidden = false;
  show(element("p", { class: "text" }, study.words.checking));
  await presenter.calibrate(20, periodMs);
  stage.hidden = true;
}

/** @param {any} backend @param {string} why @param {any} device */
function excluded(backend, why, device) {
  backend.tally(`excluded_${why}`, isSimulated());
  const { screening, words } = study;
  const values = {
    width: screening.min_width_px,
    height: screening.min_height_px,
    hz: Math.round(device.refresh_hz),
    low: screening.min_hz,
    high: screening.max_hz,
  };
  show(element("h1", {}, study.title), element("p", {}, fill(words[`excluded_${why}`], values)), contact());
}

/** @param {any} backend */
async function consent(backend) {
  const { words } = study;
  if (isSimulated()) return true;
  const text = paragraphs(study.consent);
  if (study.rehearsal) text.unshift(element("p", { class: "bad" }, words.rehearsal));
  const agreed = await choose(
    [element("p", { class: "soft" }, study.title), element("h1", {}, words.consent_heading), ...text, contact()],
    [
      [words.agree, true],
      [words.decline, false, "quiet"],
    ],
  );
  if (!agreed) {
    backend.tally("declined", false);
    say(words.declined);
  }
  return agreed;
}

/** @param {Session} session */
async function fullscreen(session) {
  const { words } = study;
  await choose(
    [element("h1", {}, words.fullscreen_heading), element("p", {}, words.fullscreen_text)],
    [[words.fullscreen_button, true]],
  );
  await session.enterFullscreen();
}

/** @param {any} backend @param {Session} session */
function connect(backend, session) {
  tellConnection(backend, study.words.offline);
  const halt = (/** @type {Error} */ why) => {
    session.halt(why);
    stopped(backend, why);
  };
  backend.onElsewhere = () => halt(new Elsewhere());
  backend.onRefused = halt;
  backend.onFailure = halt;
}

/** Say that the server does not answer; the style hides it while an image is shown. @param {any} backend @param {string} text */
function tellConnection(backend, text) {
  const line = /** @type {HTMLElement} */ (document.getElementById("connection"));
  line.textContent = text;
  backend.onConnection = (/** @type {boolean} */ online) => {
    line.hidden = online;
  };
  backend.onConnection(backend.online !== false);
}

/** @param {any} end */
async function done(end) {
  if (document.fullscreenElement) await document.exitFullscreen().catch(() => {});
  const { words } = study;
  const parts = [element("h1", {}, words.done_heading), ...paragraphs(study.debrief)];
  if (end.observer_kind) parts.push(element("p", { class: "bad" }, words.rehearsal));
  if (end.failed) parts.push(element("p", { class: "bad" }, fill(words.not_handed_over, { why: end.failed })));
  if (end.completion_code) {
    parts.push(element("p", {}, words.code_text), copyable(end.completion_code, words.copy, words.copied));
  }
  if (end.redirect) {
    const link = element("a", { class: "button", href: end.redirect, rel: "noreferrer" }, words.go_back);
    parts.push(element("div", { class: "row" }, link));
  }
  if (end.download) {
    const link = element("a", { class: "button", href: end.download.url, download: end.download.name }, words.download);
    parts.push(element("div", { class: "row" }, link));
  }
  if (end.withdrawal_code) {
    parts.push(element("p", { class: "soft" }, words.withdrawal_text));
    parts.push(copyable(end.withdrawal_code, words.copy, words.copied, "small"));
  }
  show(...parts, contact());
  document.body.dataset.done = "true";
}

function contact() {
  return element("p", { class: "soft" }, study?.contact ? fill(study.words.contact, { contact: study.contact }) : "");
}

/** @param {any} backend @param {any} error */
function stopped(backend, error) {
  if (document.body.dataset.stopped) return; // the first reason is the one to read
  document.body.classList.remove("running");
  /** @type {HTMLElement} */ (document.getElementById("stage")).hidden = true;
  /** @type {HTMLElement} */ (document.getElementById("reminder")).hidden = true;
  document.body.dataset.stopped = error?.code ?? error?.name ?? "error";
  const words = study?.words;
  if (error instanceof Elsewhere || error?.code === "elsewhere") {
    document.body.dataset.stopped = "elsewhere";
    show(element("p", {}, error.message || (words?.elsewhere ?? "")));
    return;
  }
  if (!(error instanceof Refused)) {
    console.error(error);
    backend.tell("error", String(error?.stack ?? error));
  }
  const text = error instanceof Refused ? error.message : error instanceof Damaged ? words?.error_damaged : words?.error_unknown;
  show(element("h1", {}, words?.error_heading ?? "Error"), element("p", {}, text ?? String(error)), contact());
  offerKept(backend).catch(console.error);
}

/** Answers that the server does not have can be saved as a file, or sent once more. @param {any} backend */
async function offerKept(backend) {
  const file = await backend.kept?.();
  if (!file || document.body.dataset.stopped === "elsewhere") return;
  const { words } = study;
  const again = element("button", { type: "button", class: "quiet" }, words.send_again);
  again.addEventListener("click", () => location.reload());
  const link = element("a", { class: "button", href: file.url, download: file.name }, words.download);
  const page = /** @type {HTMLElement} */ (document.getElementById("page"));
  page.append(element("p", {}, fill(words.kept_here, { n: file.n })), element("div", { class: "row" }, link, again));
}

if (!document.documentElement.dataset.host) main(new ServerBackend());
