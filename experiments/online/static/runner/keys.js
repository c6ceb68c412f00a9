/** Keys with the time at which they were pressed, not the time at which a busy page got round to them. */

/**
 * @typedef {{key: string, code: string, at: number, handled: number, trusted: boolean, repeat: boolean}} Press
 */

/**
 * The key that a press means. On keyboards without Latin letters (Cyrillic, Greek, an input method that is at work) a
 * letter or digit is known by its place, as printed on a US keyboard; a Latin letter is the letter that it types.
 * @param {string} key @param {string} code as in KeyboardEvent
 * @param {string[]} wanted the plan's keys
 */
export function keyMeant(key, code, wanted) {
  const typed = key.length === 1 ? key.toLowerCase() : key;
  if (wanted.includes(typed) || /^[a-z0-9]$/.test(typed)) return typed;
  const place = /^(?:Key|Digit|Numpad)([A-Z0-9])$/.exec(code)?.[1].toLowerCase();
  return place && wanted.includes(place) ? place : typed;
}

/** Stamps further from the time of handling than this are of another clock. */
const STRANGE_MS = 60000;

/**
 * When a key was pressed, on the page's clock. Some systems stamp events by a clock that can be set; such a stamp is
 * replaced by the time of handling.
 * @param {number} stamp @param {number} handled
 */
export function pressedAt(stamp, handled) {
  return stamp > handled + 1 || handled - stamp > STRANGE_MS ? handled : stamp;
}

export class Keys {
  /** @param {string[]} [wanted] the plan's keys */
  constructor(wanted = []) {
    this.wanted = wanted;
    /** @type {Press[]} */
    this.presses = [];
    /** @type {((press: Press) => void)|null} */
    this.onPress = null;
    addEventListener("keydown", (event) => this.#note(event), { capture: true });
  }

  /** Forget what was pressed so far. */
  clear() {
    this.presses = [];
  }

  /** @param {(press: Press) => boolean} wanted @returns {Promise<Press>} the next press that is wanted */
  next(wanted) {
    return new Promise((resolve) => {
      const before = this.onPress;
      this.onPress = (press) => {
        if (press.repeat || !wanted(press)) return;
        this.onPress = before;
        resolve(press);
      };
    });
  }

  /** @param {KeyboardEvent} event */
  #note(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.key === "Tab") return;
    if (event.target instanceof HTMLElement && event.target.closest("button, a, input")) return;
    const handled = performance.now();
    const press = {
      key: keyMeant(event.key, event.code, this.wanted),
      code: event.code.slice(0, 60),
      at: pressedAt(event.timeStamp, handled),
      handled,
      trusted: event.isTrusted,
      repeat: event.repeat,
    };
    this.presses.push(press);
    if ([" ", "/", "'", "Backspace"].includes(event.key)) event.preventDefault();
    this.onPress?.(press);
  }
}
