/** What phases show, as layers of the stage: images, masks, the cross, words and the grid of options; and when each is up. */

/** @typedef {import("./timing.js").Phase} Phase */

/**
 * The names of the layers that a phase shows.
 * @param {Phase} phase
 * @returns {string[]}
 */
export function layersOf({ kind, file, text, overlay }) {
  const own = { stimulus: file, mask: file, fixation: "cross", cue: `cue ${text}`, options: "options", blank: null }[kind];
  const over = { none: null, fixation: "cross", options: "options" }[overlay];
  return [...new Set([own, over].filter((name) => name !== null))];
}

/**
 * When each layer is up.
 * @param {Phase[]} phases
 * @param {number[]} at refreshes, as {@link import("./timing.js").schedule} gives them
 * @param {number} periodMs
 * @returns {Map<string, [number, number][]>} layer → from and to in ms; half a period before the refresh that shows the change
 */
export function intervalsOf(phases, at, periodMs) {
  /** @type {Map<string, [number, number][]>} */
  const found = new Map();
  const time = (/** @type {number} */ refresh) => (refresh === 0 ? 0 : (refresh - 0.5) * periodMs);
  phases.forEach((phase, i) => {
    if (at[i + 1] === at[i]) return;
    for (const name of layersOf(phase)) {
      const spans = found.get(name) ?? [];
      const last = spans[spans.length - 1];
      if (last && last[1] === time(at[i])) last[1] = time(at[i + 1]);
      else spans.push([time(at[i]), time(at[i + 1])]);
      found.set(name, spans);
    }
  });
  return found;
}

/**
 * The steps of an animation that shows a layer in its intervals and at no other time.
 * @param {[number, number][]} spans
 * @param {number} duration ms, longer than all of them
 * @param {string} [property] @param {string|number} [on] @param {string|number} [off]
 * @returns {Keyframe[]}
 */
export function keyframes(spans, duration, property = "opacity", on = 1, off = 0) {
  const frame = (/** @type {string|number} */ value, /** @type {number} */ time) => ({ [property]: value, offset: time / duration });
  const frames = [frame(spans[0][0] === 0 ? on : off, 0)];
  for (const [from, to] of spans) {
    if (from > 0) frames.push(frame(off, from), frame(on, from));
    frames.push(frame(on, to), frame(off, to));
  }
  return [...frames, frame(off, duration)];
}

/**
 * The colour of the cross and of words: black on light backgrounds, white on dark ones.
 * @param {string} background as in CSS: ``rgb(0 0 0)``, ``#fff``
 */
export function inkOn(background) {
  const parts = background.match(/\d+/g)?.map(Number) ?? [];
  return parts.length === 3 && Math.min(...parts) <= 127 ? "#fff" : "#000";
}
