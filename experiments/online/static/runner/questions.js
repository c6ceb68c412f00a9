/** Questions: forms that work with the keyboard, a pointer and a screen reader. */

import { pressedAt } from "./inputs.js";
import { element, show } from "./pages.js";
import { nextFrame } from "./timing.js";

/**
 * @typedef {object} Question
 * @property {string} name
 * @property {"rating"|"choice"|"number"|"text"} kind
 * @property {string} text
 * @property {string[]} options
 * @property {Record<string, string>} keys option → key
 * @property {[number, number]|null} range
 * @property {number} max_length
 * @property {boolean} required
 * @property {number} limit_ms
 *
 * @typedef {{value: string|number|null, response_ms: number}} Given
 */

const round = (/** @type {number} */ ms) => Math.max(0, Math.round(ms * 1000) / 1000);

/**
 * Ask one question and wait for its answer, or for the end of its time.
 * @param {Question} question
 * @param {Record<string, string>} words
 * @param {(form: HTMLFormElement) => void} [act] answers by itself
 * @returns {Promise<Given>}
 */
export async function ask(question, words, act) {
  const form = /** @type {HTMLFormElement} */ (element("form", { class: "question", novalidate: "" }));
  const given = new Promise((resolve) => {
    if (question.options.length) closed(form, question, words, resolve);
    else typed(form, question, words, resolve);
  });
  show(form);
  const first = /** @type {HTMLElement|null} */ (form.querySelector("input, textarea"));
  first?.focus({ preventScroll: true });
  const shown = await nextFrame();
  const over = new Promise((resolve) => {
    if (question.limit_ms) setTimeout(() => resolve({ value: null, at: shown + question.limit_ms }), question.limit_ms);
  });
  act?.(form);
  const { value, at } = await Promise.race([given, over]);
  form.dispatchEvent(new Event("answered"));
  return { value, response_ms: round(at - shown) };
}

/** A rating or a choice: one button for each option. @param {HTMLFormElement} form @param {Question} question @param {Record<string, string>} words @param {(given: any) => void} resolve */
function closed(form, { name, kind, text, options, keys, required }, words, resolve) {
  const answer = (/** @type {Event} */ event, /** @type {string|null} */ value) =>
    resolve({ value, at: pressedAt(event.timeStamp, performance.now()) });
  const buttons = options.map((option) => {
    const button = element("button", { type: "button", class: "quiet", "data-option": option }, option);
    const key = keys[option];
    if (key) button.setAttribute("aria-keyshortcuts", key);
    if (key && key !== option) button.append(element("kbd", { "aria-hidden": "true" }, key.toUpperCase()));
    button.addEventListener("click", (event) => answer(event, option), { once: true });
    return button;
  });
  const row = element("div", { class: kind === "rating" ? "row scale" : "row" }, ...buttons);
  form.append(element("fieldset", {}, element("legend", {}, text || name), row));
  if (!required) {
    const skip = element("button", { type: "button", class: "quiet" }, words.no_answer);
    skip.addEventListener("click", (event) => answer(event, null), { once: true });
    form.append(element("div", { class: "row" }, skip));
  }
  const byKey = (/** @type {KeyboardEvent} */ event) => {
    const option = options.find((each) => keys[each] === event.key.toLowerCase());
    if (option !== undefined && !event.repeat && !event.ctrlKey && !event.metaKey && !event.altKey) answer(event, option);
  };
  addEventListener("keydown", byKey, { capture: true });
  form.addEventListener("answered", () => removeEventListener("keydown", byKey, { capture: true }));
  form.addEventListener("submit", (event) => event.preventDefault());
}

/** A number or a text. @param {HTMLFormElement} form @param {Question} question @param {Record<string, string>} words @param {(given: any) => void} resolve */
function typed(form, { name, kind, text, range, max_length: most, required }, words, resolve) {
  const [low, high] = range ?? [0, 0];
  const field = /** @type {HTMLInputElement} */ (
    element("input", {
      id: `question-${name}`,
      name,
      autocomplete: "off",
      spellcheck: "false",
      "aria-describedby": "question-error",
      ...(kind === "number" ? { inputmode: "decimal" } : { maxlength: String(most) }),
    })
  );
  const error = element("p", { id: "question-error", class: "bad", role: "alert" });
  form.append(
    element("p", {}, element("label", { for: field.id }, text || name)),
    element("p", {}, field),
    element("div", { class: "row" }, element("button", { type: "submit" }, words.continue_button)),
    error,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const words_ = field.value.trim();
    const number = Number(words_.replace(",", "."));
    const wrong = words_ === "" ? required : kind === "number" && !(number >= low && number <= high);
    if (wrong) {
      error.textContent = kind === "number" ? words.number_between.replace("{low}", String(low)).replace("{high}", String(high)) : words.answer_needed;
      field.setAttribute("aria-invalid", "true");
      return field.focus();
    }
    resolve({ value: words_ === "" ? null : kind === "number" ? number : words_, at: pressedAt(event.timeStamp, performance.now()) });
  });
}
