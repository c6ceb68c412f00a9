// The part of the rules that the page needs to draw; the server checks and decides everything.

/**
 * Where the next bubble goes: at the cursor, or `step` pixels towards it, rounded back towards the last one.
 * @param {[number, number]} last
 * @param {[number, number]} cursor
 * @param {number} step
 * @returns {[number, number]}
 */
export function stepTowards(last, cursor, step) {
  const dx = cursor[0] - last[0];
  const dy = cursor[1] - last[1];
  const squared = dx * dx + dy * dy;
  if (squared <= step * step) return [cursor[0], cursor[1]];
  const share = step / Math.sqrt(squared);
  return [last[0] + Math.trunc(dx * share), last[1] + Math.trunc(dy * share)];
}

/**
 * A pointer's place as whole pixels of the image, kept inside it.
 * @param {{clientX: number, clientY: number}} event
 * @param {DOMRect} box
 * @param {number} side
 * @returns {[number, number]}
 */
export function pixelAt(event, box, side) {
  const x = Math.floor(((event.clientX - box.left) / box.width) * side);
  const y = Math.floor(((event.clientY - box.top) / box.height) * side);
  const inside = (/** @type {number} */ value) => Math.min(side - 1, Math.max(0, value));
  return [inside(x), inside(y)];
}
