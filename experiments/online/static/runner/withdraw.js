/** The page on which a withdrawal code deletes its session's data. */

import { element, show } from "./pages.js";

const study = await (await fetch("api/study")).json();
const { words } = study;
document.documentElement.lang = study.language;
document.title = words.withdraw_heading;
const input = /** @type {HTMLInputElement} */ (
  element("input", { id: "code", autocomplete: "off", spellcheck: "false", required: "", maxlength: "40" })
);
const message = element("p", { role: "status" });
const form = element(
  "form",
  {},
  element("p", {}, element("label", { for: "code" }, words.withdraw_label)),
  element("p", {}, input),
  element("div", { class: "row" }, element("button", { type: "submit" }, words.withdraw_button)),
  message,
);
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const response = await fetch("api/withdraw", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code: input.value.trim() }),
  }).catch(() => null);
  if (!response) {
    [message.className, message.textContent] = ["bad", words.withdraw_failed];
    return;
  }
  message.className = response.ok ? "" : "bad";
  message.textContent = response.ok ? words.withdrawn : (await response.json()).text;
  if (response.ok) form.querySelector("button")?.setAttribute("disabled", "");
});
show(element("h1", {}, words.withdraw_heading), form);
input.focus();
