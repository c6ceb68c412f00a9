/** The experimenter's dashboard: asks for the counts every few seconds and draws them. */

import { accuracyChart, histogramChart } from "./charts.js";

const EVERY_MS = 4000;
const find = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const number = new Intl.NumberFormat("en");
/** @type {number|undefined} */
let timer;

/** @param {string} tag @param {Record<string, string>} [attributes] @param {(Node|string)[]} children */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** @param {string} path @param {object} [body] */
async function ask(path, body) {
  const options = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(path, options);
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.text), { status: response.status });
  return answer;
}

function logIn() {
  clearTimeout(timer);
  find("controls").hidden = true;
  const message = element("p", { class: "bad", role: "alert" });
  const password = /** @type {HTMLInputElement} */ (
    element("input", { id: "password", type: "password", autocomplete: "current-password", required: "" })
  );
  const form = element(
    "form",
    {},
    element("h2", {}, "Dashboard"),
    element("label", { for: "password" }, "Password"),
    password,
    element("button", { type: "submit" }, "Log in"),
    message,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await ask("api/login", { password: password.value });
      refresh();
    } catch (error) {
      message.textContent = /** @type {Error} */ (error).message;
      password.select();
    }
  });
  find("page").replaceChildren(form);
  find("status").textContent = "";
  password.focus();
}

async function refresh() {
  clearTimeout(timer);
  try {
    draw(await ask("api/overview"));
    find("status").textContent = `Updated ${new Date().toLocaleTimeString()}.`;
    find("status").className = "soft";
  } catch (error) {
    if (/** @type {any} */ (error).status === 401) return logIn();
    find("status").textContent = `Not updated: ${/** @type {Error} */ (error).message}`;
    find("status").className = "bad";
  }
  timer = setTimeout(refresh, EVERY_MS);
}

/** @param {string} state */
async function change(state) {
  try {
    await ask("api/state", { state });
  } catch (error) {
    find("status").textContent = `Not changed: ${/** @type {Error} */ (error).message}`;
    find("status").className = "bad";
    return;
  }
  refresh();
}

/** @param {string} title @param {string} kind @param {(Node|string)[]} children */
function card(title, kind, ...children) {
  return element("section", { class: `card ${kind}`, "aria-label": title }, element("h2", {}, title), ...children);
}

/** @param {[string, string|number, string?][]} items */
function figures(items) {
  return element(
    "div",
    { class: "figures" },
    ...items.map(([label, value, kind]) =>
      element(
        "div",
        { class: "figure" },
        element("b", { class: kind ?? "" }, typeof value === "number" ? number.format(value) : value),
        element("span", { class: "soft" }, label),
      ),
    ),
  );
}

/** @param {string[]} header @param {(string|number)[][]} rows */
function table(header, rows) {
  if (!rows.length) return element("p", { class: "soft" }, "Nothing yet.");
  const cell = (/** @type {string} */ tag, /** @type {string|number} */ value, /** @type {number} */ i) =>
    element(tag, i ? { class: "number" } : {}, typeof value === "number" ? number.format(value) : value);
  const head = element("tr", {}, ...header.map((name, i) => cell("th", name, i)));
  const body = rows.map((row) => element("tr", {}, ...row.map((value, i) => cell("td", value, i))));
  return element("div", { class: "scroll" }, element("table", {}, element("thead", {}, head), element("tbody", {}, ...body)));
}

const percent = (/** @type {number} */ part, /** @type {number} */ whole) =>
  whole ? `${((100 * part) / whole).toFixed(1)} %` : "–";
const words = (/** @type {string} */ name) => name.replaceAll("_", " ");
const sorted = (/** @type {Record<string, number>} */ counts) => Object.entries(counts).sort((a, b) => b[1] - a[1]);

/** @param {any} seen */
function draw(seen) {
  find("title").textContent = seen.title;
  find("subtitle").textContent = seen.study_id;
  find("controls").hidden = false;
  find("state").textContent = seen.state;
  find("state").className = `pill ${seen.state}`;
  find("pause").textContent = seen.state === "open" ? "Pause" : "Open";
  find("pause").onclick = () => change(seen.state === "open" ? "paused" : "open");
  find("stop").hidden = seen.state === "stopped";
  find("stop").onclick = () =>
    confirm("Stop the study? No new participants are taken; those who have begun can finish.") && change("stopped");
  const timed = seen.timing.reduce((/** @type {any} */ sum, /** @type {any} */ row) => [sum[0] + row.good, sum[1] + row.watched], [0, 0]);
  const arrived = seen.arrivals.arrived ?? 0;
  const cards = [
    card("Now", "wide", figures([
      ["arrived", arrived],
      ["finished", seen.sessions.finished ?? 0, "good"],
      ["in progress", seen.sessions.open ?? 0],
      ["lapsed", seen.sessions.lapsed ?? 0],
      ["withdrawn", seen.sessions.withdrawn ?? 0],
      ["impossibly fast trials", seen.flags.impossible_duration ?? 0, seen.flags.impossible_duration ? "bad" : ""],
      ["trials after the lapse", seen.flags.after_lapse ?? 0],
      ["good timing, of watched trials", percent(timed[0], timed[1]), timed[1] && timed[0] / timed[1] < 0.95 ? "warn" : ""],
    ])),
    card("Accuracy by reveal level", "", accuracyChart(seen.levels, seen.level_labels)),
    card("Response times", "", histogramChart(seen.histogram, seen.histogram_ms, seen.limit_ms), statusLine(seen.statuses)),
    card("Slots", "wide", ...slotGrids(seen), slotLegend()),
    card("Where unfinished sessions stopped", "third", table(["last step", "sessions"], sorted(seen.left_at))),
    card("Not let in", "third", table(["why", "people"], sorted(seen.arrivals).filter(([name]) => name !== "arrived").map(([name, n]) => [words(name), n]))),
    card("Around the trials", "third", table(["event", "times"], sorted(seen.events).map(([name, n]) => [words(name), n]))),
    card("Timing by browser", "", table(["browser", "sessions", "trials", "watched", "good of them"], seen.timing.map((/** @type {any} */ row) => [row.browser, row.sessions, row.trials, row.watched, percent(row.good, row.watched)]))),
    card("Database", "", database(seen.database)),
    card("Export", "wide", exports(), others(seen.others)),
  ];
  const focused = document.activeElement instanceof HTMLAnchorElement ? document.activeElement.href : null;
  find("page").replaceChildren(...cards);
  if (focused) for (const link of document.links) if (link.href === focused) link.focus({ preventScroll: true });
}

/** @param {Record<string, number>} statuses */
function statusLine(statuses) {
  const total = Object.values(statuses).reduce((a, b) => a + b, 0);
  const text = sorted(statuses).map(([name, n]) => `${name} ${percent(n, total)}`).join(" · ");
  return element("p", { class: "soft" }, text || "No main trials yet.");
}

/** @param {any} seen */
function slotGrids(seen) {
  return Object.entries(seen.slots).map(([group, slots]) => {
    const counts = seen.groups[group];
    const squares = slots.map((/** @type {any} */ slot, /** @type {number} */ i) =>
      element(
        "span",
        { class: `slot ${slot.finished ? "finished" : slot.open ? "open" : ""}`, title: `slot ${i}: ${slot.finished} finished, ${slot.open} in progress` },
        slot.finished > 1 ? String(slot.finished) : "",
      ),
    );
    const line = `${group}: ${counts.finished ?? 0} finished, ${counts.open ?? 0} in progress${seen.quota ? `, quota ${seen.quota}` : ""}`;
    return element("div", {}, element("p", {}, line), element("div", { class: "slots", role: "img", "aria-label": line }, ...squares));
  });
}

function slotLegend() {
  const entries = [["one", "finished"], ["half", "in progress"], ["none", "free"]];
  return element("p", { class: "legend" }, ...entries.map(([kind, text]) => element("span", {}, element("span", { class: `swatch ${kind}` }), text)));
}

/** @param {any} health */
function database(health) {
  return figures([
    ["database", health.database],
    ["writes", health.writes],
    ["failed", health.failed, health.failed ? "bad" : ""],
    ["waiting", health.waiting],
    ["median wait, ms", health.median_wait_ms],
    ["99th percentile, ms", health.p99_wait_ms],
  ]);
}

/** Pilots and the simulation, which count nowhere above. @param {Record<string, number>} counts */
function others(counts) {
  const kinds = Object.keys(counts);
  if (!kinds.length) return element("p", { class: "soft" }, "Participants only; there are no other sessions.");
  const text = sorted(counts).map(([kind, n]) => `${n} ${kind}`).join(", ");
  const link = element("a", { href: `export/trials.csv?observers=${kinds.join(",")}`, download: "trials-others.csv" }, "their trials (CSV)");
  return element("p", { class: "soft" }, `Participants only. Left out here and in all figures: ${text} (sessions); `, link, ".");
}

function exports() {
  const files = [
    ["trials.csv", "Trials (CSV)"],
    ["trials-finished.csv", "Finished sessions only"],
    ["trials.parquet", "Trials (Parquet)"],
    ["psych-ds.zip", "Psych-DS dataset"],
    ["sessions.csv", "Sessions"],
    ["quality.csv", "Timing quality"],
    ["presses.csv", "Key presses"],
    ["events.csv", "Events"],
  ];
  const links = files.map(([name, label], i) =>
    element("a", { class: `button ${i ? "quiet" : ""}`, href: `export/${name}`, download: name }, label),
  );
  return element("div", { class: "row" }, ...links);
}

find("logout").onclick = () =>
  ask("api/logout", {}).then(logIn, (error) => (find("status").textContent = `Not logged out: ${error.message}`));
document.addEventListener("visibilitychange", () => document.hidden || refresh());
refresh();
