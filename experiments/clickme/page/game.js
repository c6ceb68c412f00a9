// The page of the game. It draws, sends what the player paints, and takes everything else from the server.

import { ask } from "./ask.js";
import { refreshBoard } from "./board.js";
import { Link } from "./link.js";
import { draw } from "./image.js";
import { agreeAgain, agreed, erase, showTerms, termsAccepted } from "./rights.js";
import { pixelAt, stepTowards } from "./rules.js";

const $ = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));
const root = new URL(".", location.href);
const NEXT_AFTER_MS = 1800;
const NEXT_AFTER_VIEW_MS = 4500;
const RESEND_AFTER_MS = 1500;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** What the tests and the curious read: the round as this page knows it, and when things happened (ms, wall clock). */
const seen = { round: null, log: [], way: "" };
Object.assign(globalThis, { clickme: seen });
const note = (/** @type {string} */ what) => seen.log.push({ what, at: performance.timeOrigin + performance.now() });

/** @type {Link | null} */
let link = null;
/** @type {any} */
let round = null;
let timer = 0;
let nextTimer = 0;
let thanks = "";
const keys = new Set();

// -- joining --------------------------------------------------------------------------------------------------------

async function join(body) {
  if (termsAccepted()) await enter("api/join", { ...body, ...agreed() }, $("join-problem"));
}

async function enter(path, body, problem) {
  problem.textContent = "";
  const answer = await ask(new URL(path, root), body);
  if (answer === null) problem.textContent = "The server does not answer. Try again in a moment.";
  else if (answer.ok) welcome(answer.value);
  else problem.textContent = capital(answer.value.text.replace(/^username: /, ""));
}

function welcome(me) {
  document.title = me.game;
  $("game-name").textContent = me.game;
  $("player-name").textContent = me.name;
  $("own-code").textContent = me.code;
  $("own-withdrawal").textContent = me.withdrawal_code;
  if (me.consent_due) {
    only("welcome");
    for (const id of ["join", "agree-again"]) $(id).hidden = id === "join";
    state("loading");
    return;
  }
  for (const id of ["player", "side"]) $(id).hidden = false;
  only("stage");
  scrollTo(0, 0); // the start page may be longer than the screen
  connect();
  refreshBoard(root);
}

function only(section) {
  for (const id of ["welcome", "stage", "notice"]) $(id).hidden = id !== section;
}

function connect() {
  link = new Link(root, { message: receive, open: opened, lost, unknown: () => { only("welcome"); state("loading"); } });
}

function opened() {
  seen.way = link?.way ?? "";
  note("open");
  say("");
  if (!round || round.phase === "over") deal();
  else link?.send({ type: "deal" }); // shows the same round again, or another one where the server has lost it
}

function lost() {
  say("Connection lost. Trying again…");
}

// -- messages -------------------------------------------------------------------------------------------------------

function receive(message) {
  const own = round && message.round === round.id;
  if (message.type === "image") show(message);
  else if (message.type === "started" && own) started(message);
  else if (message.type === "stored" && own) round.stored = Math.max(round.stored, message.upto);
  else if (message.type === "looked" && own) looked(message);
  else if (message.type === "end" && own) ended(message);
  else if (message.type === "reported") thanks = "Thank you, reported. ";
  else if (message.type === "refused") refused(message, own);
  else if (message.type === "moved") moved();
  else if (message.type === "erased") location.reload();
}

function looked(message) {
  $("canvas").dataset.looked = message.seq;
  if (message.says) speak(message.says, message.sure);
}

/** What the partner takes the picture for, as a person would say it: a question, or a shout. */
function speak(word, sure) {
  const text = sure >= 0.8 ? `${word}!` : sure >= 0.4 ? `${word}?` : `… ${word}?`;
  if ($("says").textContent === text) return;
  note(`says ${text}`);
  $("says").textContent = text;
  $("says").dataset.sure = sure >= 0.8 ? "yes" : "no";
}

function refused(message, own) {
  note(`refused ${message.code}`);
  if (["daily_limit", "no_more"].includes(message.code)) {
    round = null;
    state("over");
    only("notice");
    $("again").hidden = true;
    $("notice-text").textContent = capital(message.text);
  } else if (message.code === "no_such_round" && own) {
    deal();
  } else if (own && message.code === "gap") {
    resend(message.upto);
  } else if (own && round.phase === "painting" && ["jump", "repeat", "conflict", "too_early"].includes(message.code)) {
    round.placed.length = Math.min(round.placed.length, message.upto);
  }
}

function moved() {
  stopClock();
  round = null;
  state("over");
  only("notice");
  $("again").hidden = false;
  $("notice-text").textContent = "The game continues in another window.";
}

function deal() {
  clearTimeout(nextTimer);
  $("result").hidden = true;
  state("loading");
  link?.send({ type: "deal" });
}

function show(message) {
  if (round && round.id === message.round && round.phase !== "over") {
    if (message.elapsed_ms === null && ["painting", "closing"].includes(round.phase)) link?.send(startMessage());
    resend(message.xy.length);
    return;
  }
  stopClock();
  const rules = message.rules;
  round = { id: message.round, rules, phase: "loading", placed: message.xy, times: message.xy.map(() => 0), stored: message.xy.length,
    cursor: message.xy.at(-1) ?? null, startAt: 0, pointer: "", image: new Image() };
  seen.round = round;
  $("seconds").textContent = rules.round_ms / 1000;
  $("word").textContent = message.category;
  $("practice").hidden = !message.practice;
  $("result").hidden = true;
  $("says").hidden = false;
  $("says").textContent = "";
  $("says").dataset.sure = "no";
  bar(1);
  only("stage");
  const shown = round;
  round.image.onload = () => { if (shown === round) ready(message.elapsed_ms); };
  round.image.onerror = () => setTimeout(() => { if (shown === round) round.image.src = `${round.image.src.split("?")[0]}?${Date.now()}`; }, 1000);
  round.image.src = new URL(`api/rounds/${message.round}/image.png`, root).href;
}

function ready(elapsedMs) {
  round.phase = "waiting";
  state("waiting");
  for (const id of ["skip", "poor", "wrong"]) $(id).disabled = false;
  draw($("canvas"), round);
  say(`${thanks}Press on the picture to begin.`);
  thanks = "";
  if (elapsedMs !== null) {
    round.startAt = performance.now() - elapsedMs;
    run();
  }
}

// -- painting -------------------------------------------------------------------------------------------------------

function startMessage() {
  const mobile = /Mobi|Android|iPad|iPhone/.test(navigator.userAgent) || (navigator.maxTouchPoints > 0 && matchMedia("(hover: none)").matches);
  return { type: "start", round: round.id, pointer: round.pointer, mobile, automated: Boolean(navigator.webdriver) || round.untrusted === true };
}

function press(place, pointer, trusted) {
  if (!round || round.phase !== "waiting") return;
  round.cursor = place;
  round.pointer = pointer;
  round.untrusted = !trusted;
  round.sentAt = performance.now();
  round.startAt = round.sentAt;
  if (!link?.send(startMessage())) return;
  note("press");
  run();
}

function run() {
  round.phase = "painting";
  state("painting");
  say("");
  for (const id of ["poor", "wrong"]) $(id).disabled = true;
  round.nextTick = performance.now();
  tick();
}

function started(message) {
  if (!round.sentAt) return;
  const now = performance.now();
  round.startAt = now - message.elapsed_ms - (now - round.sentAt) / 2;
  round.sentAt = 0;
  note("started");
}

/** Runs every few milliseconds while a round runs: places a bubble when its tick has come, moves the bar, ends by the clock. */
function tick() {
  clearTimeout(timer);
  if (!round || round.phase !== "painting") return;
  const now = performance.now();
  const { rules } = round;
  const left = 1 - (now - round.startAt) / rules.round_ms;
  if (left <= 0) {
    timeIsUp();
    return;
  }
  bar(left);
  if (now >= round.nextTick) {
    round.nextTick = Math.max(round.nextTick + rules.tick_ms, now + rules.tick_ms / 2);
    steer();
    place(now);
  }
  if (round.stored < round.placed.length && now - (round.resentAt ?? now) > RESEND_AFTER_MS) resend(round.stored);
  round.resentAt ??= now;
  timer = setTimeout(tick, Math.max(1, Math.min(round.nextTick - now, round.startAt + rules.round_ms - now, 12)));
}

function steer() {
  const { rules } = round;
  for (const key of keys) {
    const [dx, dy] = ARROWS[key];
    round.cursor = [clamp(round.cursor[0] + dx * rules.step_px, rules), clamp(round.cursor[1] + dy * rules.step_px, rules)];
  }
}

const clamp = (value, rules) => Math.min(rules.image_px - 1, Math.max(0, value));

function place(now) {
  const { placed, rules } = round;
  if (placed.length >= rules.max_bubbles) return;
  const last = placed.at(-1);
  const here = last ? stepTowards(last, round.cursor, rules.step_px) : round.cursor;
  if (last && here[0] === last[0] && here[1] === last[1]) return;
  placed.push(here);
  round.times.push(now - round.startAt);
  draw($("canvas"), round);
  sendFrom(placed.length - 1);
}

function sendFrom(first) {
  const xy = round.placed.slice(first);
  if (xy.length) link?.send({ type: "bubbles", round: round.id, first, xy, client_ms: round.times.slice(first, first + xy.length) });
}

function resend(from) {
  round.resentAt = performance.now();
  sendFrom(from);
}

function timeIsUp() {
  note("time");
  stopClock();
  bar(0);
  round.phase = "closing";
  state("closing");
  say("Time is up.");
}

function stopClock() {
  clearTimeout(timer);
  keys.clear();
}

function ended(message) {
  note("end");
  stopClock();
  round.phase = "over";
  state("over");
  $("skip").disabled = true;
  for (const id of ["poor", "wrong"]) $(id).disabled = false;
  const won = message.result === "solved";
  $("result-text").textContent = outcome(message);
  $("result").dataset.won = String(won);
  $("result").hidden = message.result === "skipped";
  $("progress").textContent = message.progress ? progressText(message.progress, message.daily_goal) : "";
  if (won) speak($("word").textContent, 1);
  $("seen").hidden = !message.show_view;
  if (message.show_view) $("seen-image").src = new URL(`api/rounds/${message.round}/view.png`, root).href;
  say("");
  refreshBoard(root);
  if (message.result === "skipped") {
    deal();
    return;
  }
  nextTimer = setTimeout(() => { if (!document.hidden) deal(); }, message.show_view ? NEXT_AFTER_VIEW_MS : NEXT_AFTER_MS);
}

/** Streak, record, goal of the day and level, each only where there is something to say. */
function progressText(progress, goal) {
  const parts = [];
  if (progress.record) parts.push("Personal best!");
  if (progress.streak > 1) parts.push(`${progress.streak} in a row`);
  if (goal && progress.today <= goal) parts.push(progress.today === goal ? "Goal of the day reached!" : `${progress.today} of ${goal} rounds today`);
  parts.push(`Level ${progress.level}; level ${progress.level + 1} at ${progress.next_level} points`);
  return parts.join(" · ");
}

function outcome({ result, points, partner, practice }) {
  if (practice && result === "solved") return "Seen! Practice brings no points";
  if (practice && result === "time") return "Time is up. This painting was practice";
  if (result === "solved") return `Seen! ${points} points`;
  if (result === "skipped") return "Skipped";
  if (result !== "time") return "";
  if (partner === "none") return "Time is up: your painting counts";
  return partner === "absent" ? "The computer was away: no points, but your painting counts" : "Time is up: no points";
}

// -- drawing --------------------------------------------------------------------------------------------------------

function bar(left) {
  $("bar-fill").style.transform = `scaleX(${Math.max(0, left)})`;
  $("bar").setAttribute("aria-valuenow", String(Math.round(100 * Math.max(0, left))));
}

function state(name) {
  document.body.dataset.state = name;
}

function say(text) {
  $("status").textContent = text;
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

// -- what the player does -------------------------------------------------------------------------------------------

const canvas = $("canvas");
const where = (event) => pixelAt(event, canvas.getBoundingClientRect(), round.rules.image_px);
canvas.addEventListener("pointerdown", (event) => {
  if (!round || event.button !== 0) return;
  event.preventDefault();
  canvas.focus({ preventScroll: true });
  press(where(event), event.pointerType, event.isTrusted);
  if (round.phase === "painting") round.cursor = where(event);
});
addEventListener("pointermove", (event) => {
  if (round?.phase === "painting" && event.isPrimary) round.cursor = where(event);
});
canvas.addEventListener("contextmenu", (event) => event.preventDefault());
canvas.addEventListener("keydown", (event) => {
  if (!round) return;
  if (round.phase === "waiting" && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    const middle = round.rules.image_px / 2;
    press([middle, middle], "keyboard", event.isTrusted);
  } else if (event.key in ARROWS) {
    event.preventDefault();
    if (round.phase === "painting") keys.add(event.key);
  }
});
addEventListener("keyup", (event) => keys.delete(event.key));
addEventListener("blur", () => keys.clear());
addEventListener("resize", () => { if (round && round.image.complete && round.phase !== "loading") draw($("canvas"), round); });
$("next").addEventListener("click", () => { deal(); canvas.focus(); });
$("skip").addEventListener("click", () => round && link?.send({ type: "skip", round: round.id }));
$("poor").addEventListener("click", () => round && link?.send({ type: "report", round: round.id, reason: "poor_image" }));
$("wrong").addEventListener("click", () => round && link?.send({ type: "report", round: round.id, reason: "wrong_label" }));
$("again").addEventListener("click", () => { only("stage"); connect(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden && round?.phase === "over") deal(); });
$("join").addEventListener("submit", (event) => { event.preventDefault(); join({ name: $("name").value }); });
$("guest").addEventListener("click", () => join({ guest: true }));
$("terms").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (await agreeAgain(root)) location.reload();
  else $("terms-problem").textContent = "That was not stored. Try again in a moment.";
});
$("erase").addEventListener("submit", (event) => { event.preventDefault(); erase(root, $("erase-code").value, $("erase-told")); });
$("erase-me").addEventListener("click", async () => {
  const sure = $("erase-me").dataset.sure === "yes";
  $("erase-me").dataset.sure = "yes";
  if (!sure) $("erase-me-told").textContent = "This cannot be undone. Press again to delete your rounds, points and username.";
  else await erase(root, $("own-withdrawal").textContent, $("erase-me-told"));
});
$("return").addEventListener("submit", (event) => {
  event.preventDefault();
  enter("api/return", { name: $("old-name").value, code: $("code").value }, $("return-problem"));
});

await showTerms(root);
const me = await ask(new URL("api/me", root));
if (me?.ok) welcome(me.value);
else only("welcome");
