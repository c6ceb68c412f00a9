/** Keys with the time at which they were pressed, not the time at which a busy page got round to them. */

/**
 * @typedef {{key: string, code: string, at: number, handled: number, trusted: boolean, repeat: boolean}} Press
 */

export class Keys {
  constructor() {
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
    const press = {
      key: event.key.length === 1 ? event.key.toLowerCase() : event.key,
      code: event.code.slice(0, 60),
      at: event.timeStamp,
      handled: performance.now(),
      trusted: event.isTrusted,
      repeat: event.repeat,
    };
    this.presses.push(press);
    if ([" ", "/", "'", "Backspace"].includes(event.key)) event.preventDefault();
    this.onPress?.(press);
  }
}
