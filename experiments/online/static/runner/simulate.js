/** A participant that answers by itself: real events through the same path, or, when fast, without waiting. */

import { MOST_MS } from "./timing.js";

/** The virtual trials of fast simulations lie so far back that nothing of them is waited for. */
const LONG_AGO_MS = 2 * MOST_MS;
/** How browsers call keys that plans call otherwise. @type {Record<string, string>} */
const KEYS = { space: " ", return: "Enter", left: "ArrowLeft", right: "ArrowRight", up: "ArrowUp", down: "ArrowDown", f12: "F12" };

/** The presenter of fast simulations: nothing is shown, and everything took exactly as long as planned. */
export class VirtualPresenter {
  name = "none";
  calibrationMs = 0;
  /** @type {number|null} */
  next = null;
  cutAt = Infinity;
  kept = false;
  act = () => {};
  async load() {}
  unload() {}
  cancel() {}
  async calibrate() {
    return 0;
  }

  /** @param {boolean} keep @param {number} at page clock, ms */
  cut(keep, at) {
    this.cutAt = at;
    this.kept = keep;
  }

  /** @param {import("./compositor.js").Request} request @returns {Promise<import("./compositor.js").Shown>} */
  async run({ phases, at, periodMs, onStart = () => {} }) {
    const start = this.next ?? performance.now() - LONG_AGO_MS;
    this.cutAt = Infinity;
    this.kept = false;
    onStart(start);
    this.act();
    const cut = Number.isFinite(this.cutAt) ? Math.max(1, Math.ceil((this.cutAt - start) / periodMs)) : Infinity;
    const end = Math.min(at[phases.length], cut);
    const shown = at.slice(0, -1).filter((refresh) => refresh < end || refresh === 0);
    this.next = this.kept ? start + end * periodMs : null;
    await null;
    return {
      onsets: shown.map((refresh) => start + refresh * periodMs),
      end: start + end * periodMs,
      late: shown.map(() => 0),
      seen: "scheduled",
    };
  }
}

/**
 * @typedef {{trial: number, input: string|null, response_ms: number|null}} Answer
 */

export class Simulated {
  /**
   * @param {import("./inputs.js").Inputs} inputs
   * @param {any} plan
   * @param {{trials: Map<number, Answer>, questions: Map<number, string|number|null>}} answers what to do
   * @param {boolean} fast
   */
  constructor(inputs, plan, answers, fast) {
    this.inputs = inputs;
    this.plan = plan;
    this.answers = answers;
    this.fast = fast;
    /** @type {(() => void)|null} */
    this.pending = null;
    /** What is pressed when its time comes. @type {{at: number, act: () => void, timer: number}|null} */
    this.due = null;
    /** The stamp of the trial's response, and its time from time zero. @type {{at: number, ms: number}|null} */
    this.meant = null;
  }

  /** Press a key down before a trial, where its release is the response. */
  hold() {
    const [input] = Object.keys(this.plan.inputs);
    if (this.fast) this.#note(input, true, performance.now());
    else setTimeout(() => this.#act(input, true), 30);
  }

  /**
   * Respond in a trial. What is pressed has the time at which it was meant, as a key has that a person presses while the
   * page is busy: a late timer makes no late response.
   * @param {any} trial
   * @param {{zero: number, onZero: ((zero: number) => void)|null}} running
   * @param {any} presenter
   * @param {number} periodMs
   */
  respond(trial, running, presenter, periodMs) {
    const answer = this.answers.trials.get(trial.trial);
    const down = this.plan.response?.press === "down";
    presenter.act = () => {};
    this.meant = null;
    if (!answer?.input || answer.response_ms === null) return;
    const { input, response_ms: ms } = answer;
    if (this.fast) {
      presenter.act = () => {
        if (running.zero === Infinity) return;
        presenter.act = () => {};
        this.#note(input, down, running.zero + ms);
      };
      return;
    }
    running.onZero = (zero) => {
      const at = zero + periodMs + ms;
      const act = () => {
        this.due = null;
        this.#act(input, down, down, at);
      };
      this.due = { at, act, timer: setTimeout(act, at - performance.now()) };
      this.meant = { at, ms };
    };
  }

  /**
   * The trial is over, and when its images really were up is known: the response came so long after that. A refresh that a
   * busy computer brought late moves what follows it, for a simulated participant as for one who sees.
   * @param {number} zero time zero, page clock, ms
   */
  settle(zero) {
    if (this.due && this.due.at <= performance.now()) {
      clearTimeout(this.due.timer);
      this.due.act();
    }
    for (const press of this.inputs.presses) if (this.meant && press.at === this.meant.at) press.at = zero + this.meant.ms;
    this.meant = null;
  }

  pressAnything() {
    setTimeout(() => this.press("space"), this.fast ? 0 : 300);
  }

  /** @param {string} input a key or an area, pressed and released */
  press(input) {
    setTimeout(() => this.#act(input, true, true), this.fast ? 0 : 30);
  }

  /** Answer a question. @param {HTMLFormElement} form @param {any} question @param {number} number */
  answer(form, question, number) {
    const value = this.answers.questions.get(number) ?? question.options[0] ?? question.range?.[0] ?? "x";
    const give = () => {
      const button = /** @type {HTMLElement[]} */ ([...form.querySelectorAll("[data-option]")]).find(
        (each) => each.dataset.option === String(value),
      );
      if (button) return button.click();
      const field = form.querySelector("input");
      if (field) field.value = String(value);
      form.requestSubmit();
    };
    setTimeout(give, this.fast ? 0 : 200);
  }

  /** @param {string} input @param {boolean} down @param {number} at */
  #note(input, down, at) {
    const press = { key: input, input, code: "", down, at, handled: at, trusted: false, repeat: false };
    this.inputs.note(press);
  }

  /**
   * @param {string} input @param {boolean} down @param {boolean} [both] down and up
   * @param {number|null} [at] the event's own time, page clock; when it is dispatched where that is null
   */
  #act(input, down, both = false, at = null) {
    if (input.startsWith("area:")) return this.#touch(input.slice("area:".length), at);
    const key = KEYS[input] ?? input;
    const code = input === "space" ? "Space" : `Key${input.toUpperCase()}`;
    dispatchEvent(stamped(new KeyboardEvent(down ? "keydown" : "keyup", { key, code }), at));
    if (both && down) dispatchEvent(stamped(new KeyboardEvent("keyup", { key, code }), at));
  }

  /** @param {string} area @param {number|null} at */
  #touch(area, at) {
    const button = document.querySelector(`[data-area="${area}"]`);
    if (!button) return;
    const { left, top, width, height } = button.getBoundingClientRect();
    const place = { clientX: left + width / 2, clientY: top + height / 2, isPrimary: true, bubbles: true };
    dispatchEvent(stamped(new PointerEvent("pointerdown", place), at));
  }
}

/**
 * The event with a time of its own.
 * @template {Event} E
 * @param {E} event @param {number|null} at
 * @returns {E}
 */
function stamped(event, at) {
  return at === null ? event : Object.defineProperty(event, "timeStamp", { value: at });
}
