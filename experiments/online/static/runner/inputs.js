/** Keys, clicks and touches with the time at which they happened, not the time at which a busy page handled them. */

/**
 * @typedef {object} Press
 * @property {string} key that was meant, or ``pointer``
 * @property {string} input the response input that it is; empty for others
 * @property {string} code
 * @property {boolean} down false for a release
 * @property {number} at page clock, ms
 * @property {number} handled
 * @property {boolean} trusted
 * @property {boolean} repeat
 */

/** Names of keys in plans, where browsers have others. @type {Record<string, string>} */
const NAMES = {
  " ": "space", Enter: "return", Escape: "escape", Backspace: "backspace", Tab: "tab", Delete: "delete",
  ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down",
  ",": "comma", ".": "period", ";": "semicolon", "/": "slash", "-": "minus", "=": "equal", "'": "apostrophe",
}; // prettier-ignore

/**
 * The key that a press means, by the names of plans. On keyboards without Latin letters (Cyrillic, Greek, an input method
 * that is at work) a letter or digit is known by its place, as printed on a US keyboard; a Latin letter is the letter that
 * it types.
 * @param {string} key @param {string} code as in KeyboardEvent
 * @param {string[]} wanted the plan's keys
 */
export function keyMeant(key, code, wanted) {
  const typed = NAMES[key] ?? key.toLowerCase();
  if (wanted.includes(typed) || wanted.includes(key) || /^[a-z0-9]$/.test(typed)) return wanted.includes(key) ? key : typed;
  const place = /^(?:Key|Digit|Numpad)([A-Z0-9])$/.exec(code)?.[1].toLowerCase();
  return place && wanted.includes(place) ? place : typed;
}

/** Stamps further from the time of handling than this are of another clock. */
const STRANGE_MS = 60000;

/**
 * When something was pressed, on the page's clock. Some systems stamp events by a clock that can be set; such a stamp is
 * replaced by the time of handling.
 * @param {number} stamp @param {number} handled
 */
export function pressedAt(stamp, handled) {
  return stamp > handled + 1 || handled - stamp > STRANGE_MS ? handled : stamp;
}

/**
 * The option at a place of the screen, whether or not its button can be clicked now.
 * @param {number} x @param {number} y CSS px
 */
export function areaAt(x, y) {
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-area]"))) {
    const { left, right, top, bottom } = button.getBoundingClientRect();
    if (right > left && x >= left && x < right && y >= top && y < bottom) return button.dataset.area ?? "";
  }
  return "";
}

const control = (/** @type {EventTarget|null} */ target) =>
  target instanceof HTMLElement && Boolean(target.closest("button, a, input, textarea, select, label"));

export class Inputs {
  /** @param {string[]} [wanted] the plan's inputs */
  constructor(wanted = []) {
    this.wanted = wanted;
    /** @type {Press[]} */
    this.presses = [];
    /** Response inputs that are down. @type {Set<string>} */
    this.held = new Set();
    /** @type {((press: Press) => void)|null} */
    this.onPress = null;
    addEventListener("keydown", (event) => this.#key(event, true), { capture: true });
    addEventListener("keyup", (event) => this.#key(event, false), { capture: true });
    addEventListener("pointerdown", (event) => this.#pointer(event), { capture: true });
    addEventListener("click", (event) => this.#clicked(event), { capture: true });
    addEventListener("blur", () => this.held.clear());
  }

  /** Forget what was pressed so far. */
  clear() {
    this.presses = [];
  }

  /** @param {(press: Press) => boolean} wanted @returns {Promise<Press>} the next press (down) that is wanted */
  next(wanted) {
    return new Promise((resolve) => {
      const before = this.onPress;
      this.onPress = (press) => {
        if (press.repeat || !press.down || !wanted(press)) return;
        this.onPress = before;
        resolve(press);
      };
    });
  }

  /** @param {Press} press */
  note(press) {
    if (press.input) press.down ? this.held.add(press.input) : this.held.delete(press.input);
    this.presses.push(press);
    this.onPress?.(press);
  }

  /** @param {Event} event @param {{key: string, code: string, input: string, down?: boolean, repeat?: boolean}} what */
  #note(event, { key, code, input, down = true, repeat = false }) {
    const handled = performance.now();
    const at = pressedAt(event.timeStamp, handled);
    this.note({ key, code, input, down, at, handled, trusted: event.isTrusted, repeat });
  }

  /** @param {KeyboardEvent} event @param {boolean} down */
  #key(event, down) {
    if (down && (event.ctrlKey || event.metaKey || event.altKey || event.key === "Tab")) return;
    if (control(event.target)) return;
    const key = keyMeant(event.key, event.code, this.wanted);
    const input = this.wanted.includes(key) ? key : "";
    if (down && ([" ", "/", "'", "Backspace", "F12"].includes(event.key) || event.key.startsWith("Arrow"))) event.preventDefault();
    this.#note(event, { key, code: event.code.slice(0, 60), input, down, repeat: event.repeat });
  }

  /** @param {PointerEvent} event */
  #pointer(event) {
    if (!event.isPrimary || event.button > 0) return;
    const area = areaAt(event.clientX, event.clientY);
    if (area) event.preventDefault(); // a button that has the focus would take the next key
    else if (control(event.target)) return;
    this.#note(event, { key: "pointer", code: "pointer", input: this.#area(area) });
  }

  /** A button that was chosen with the keyboard. @param {MouseEvent} event */
  #clicked(event) {
    const area = event.detail === 0 && event.target instanceof HTMLElement ? event.target.closest("[data-area]") : null;
    if (area instanceof HTMLElement) this.#note(event, { key: "pointer", code: "button", input: this.#area(area.dataset.area ?? "") });
  }

  /** @param {string} area */
  #area(area) {
    return this.wanted.includes(`area:${area}`) ? `area:${area}` : "";
  }
}
