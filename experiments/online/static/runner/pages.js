/** The pages around the trials: words, buttons, progress. Everything works with the keyboard alone. */

const page = () => /** @type {HTMLElement} */ (document.getElementById("page"));

/**
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {(Node|string)[]} children
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Replace the page. @param {(Node|string)[]} children */
export function show(...children) {
  page().hidden = false;
  page().replaceChildren(...children);
}

/** Nothing but the stage. */
export function clear() {
  page().replaceChildren();
  page().hidden = true;
}

/** @param {string} text one paragraph per line */
export function paragraphs(text) {
  return text
    .split("\n")
    .filter((line) => line.trim())
    .map((line) => element("p", {}, line));
}

/**
 * Show a page and wait for one of its buttons.
 * @template T
 * @param {(Node|string)[]} children
 * @param {[string, T, string?][]} buttons label, value, class
 * @returns {Promise<T>}
 */
export function choose(children, buttons) {
  return new Promise((resolve) => {
    const made = buttons.map(([label, value, kind]) => {
      const button = element("button", { type: "button", class: kind ?? "" }, label);
      button.addEventListener("click", () => resolve(value), { once: true });
      return button;
    });
    show(...children, element("div", { class: "row" }, ...made));
    made[0]?.focus({ preventScroll: true });
  });
}

/** A centred text without buttons. @param {string} text @param {string} [kind] */
export function say(text, kind = "") {
  show(element("div", { class: `text ${kind}` }, text));
}

/** @param {string} text @param {Record<string, string|number>} values for {places} */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (place, name) => String(values[name] ?? place));
}

/** Show a code that can be copied. @param {string} code @param {string} label @param {string} done @param {string} [size] */
export function copyable(code, label, done, size = "") {
  const button = element("button", { type: "button", class: "quiet" }, label);
  button.addEventListener("click", async () => {
    await navigator.clipboard?.writeText(code).catch(() => {});
    button.textContent = done;
  });
  return element("div", { class: "row" }, element("span", { class: `code ${size}` }, code), button);
}
