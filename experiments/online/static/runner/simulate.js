/** A participant that answers by itself: real key events through the same path, or, when fast, without waiting. */

/** The virtual trials of fast simulations lie so far back that nothing of them is waited for. */
const LONG_AGO_MS = 10000;

/** The presenter of fast simulations: nothing is shown, and everything took exactly as long as planned. */
export class VirtualPresenter {
  name = "none";
  calibrationMs = 0;
  onset = 0;
  async load() {}
  unload() {}
  takeAway() {}
  cancel() {}
  async calibrate() {
    return 0;
  }

  /** @param {import("./compositor.js").Request} request */
  async run({ fixationMs, stimulusMs, periodMs }) {
    const n = Math.round(stimulusMs / periodMs);
    this.onset = performance.now() - LONG_AGO_MS;
    return {
      fixationOn: this.onset - fixationMs,
      onset: this.onset,
      offset: this.onset + n * periodMs,
      nRefreshes: n,
      lateRefreshes: 0,
      seen: /** @type {const} */ ("scheduled"),
    };
  }
}

export class Simulated {
  /**
   * @param {import("./keys.js").Keys} keys
   * @param {any} plan
   * @param {Map<number, {target: boolean|null, response_ms: number|null}>} answers trial → what to do
   * @param {boolean} fast
   */
  constructor(keys, plan, answers, fast) {
    this.keys = keys;
    this.plan = plan;
    this.answers = answers;
    this.fast = fast;
  }

  /** @param {any} trial @param {number} expectedOnset @param {number} periodMs @param {any} presenter */
  press(trial, expectedOnset, periodMs, presenter) {
    const answer = this.answers.get(trial.trial);
    if (!answer || answer.target === null || answer.response_ms === null) return;
    const key = answer.target ? this.plan.key_target : this.plan.key_distractor;
    if (this.fast) {
      const at = presenter.onset + answer.response_ms;
      this.keys.presses.push({ key, code: "", at, handled: at, trusted: false, repeat: false });
    } else setTimeout(() => this.pressKey(key), expectedOnset + periodMs + answer.response_ms - performance.now());
  }

  pressAnything() {
    setTimeout(() => this.pressKey(" "), this.fast ? 0 : 300);
  }

  /** @param {string} key */
  pressKey(key) {
    const press = () => {
      dispatchEvent(new KeyboardEvent("keydown", { key, code: key === " " ? "Space" : `Key${key.toUpperCase()}` }));
      dispatchEvent(new KeyboardEvent("keyup", { key }));
    };
    this.fast ? setTimeout(press, 0) : setTimeout(press, 30);
  }
}
