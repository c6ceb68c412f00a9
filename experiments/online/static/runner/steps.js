/** Which steps of a plan are left: the same rules as the lab's engine. */

/**
 * @typedef {{status: string, correct: boolean|null}} Outcome
 * @typedef {Map<number, Outcome>} Done trial → what became of it
 */

/** Correct and in time. @param {Outcome|undefined} outcome */
export function isRight(outcome) {
  return outcome?.correct === true && (outcome.status === "ok" || outcome.status === "early");
}

/**
 * Share of a block's trials that were right.
 * @param {any[]} steps @param {Done} done @param {number} block
 */
export function accuracy(steps, done, block) {
  const trials = steps.filter((step) => step.step === "run" && step.block === block);
  return trials.length ? trials.filter((step) => isRight(done.get(step.trial))).length / trials.length : 0;
}

/**
 * The steps that are left. Pages before the last trial that is done fall away, questions that have an answer too, and so do
 * parts behind a gate that was passed. After a gate that ends the session only the page that says so is left.
 * @param {any} plan @param {Done} done @param {Set<number>} answered numbers of questions
 * @returns {any[]}
 */
export function remaining(plan, done, answered) {
  /** @type {any[]} */
  let left = [];
  /** @type {Set<string>} */
  const skip = new Set();
  for (const step of plan.steps) {
    if (skip.has(step.part)) continue;
    if (step.step === "run") {
      if (done.has(step.trial)) left = left.filter((kept) => kept.step === "run" || kept.step === "ask");
      else left.push(step);
    } else if (step.step === "gate" && !left.some((kept) => kept.step === "run")) {
      if (accuracy(plan.steps, done, step.block) >= step.at_least) for (const part of step.skip) skip.add(part);
      else if (step.otherwise === "stop" && started(plan, done, step.block)) return plan.failed;
      else left.push(step);
    } else if (!(step.step === "ask" && answered.has(step.number))) left.push(step);
  }
  return left;
}

/** @param {any} plan @param {Done} done @param {number} block */
const started = (plan, done, block) =>
  plan.steps.some((/** @type {any} */ step) => step.step === "run" && step.block === block && done.has(step.trial));
