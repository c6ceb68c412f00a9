/** Draws cross, picture and blank at every refresh, or only watches; boundaries are times, never counts of frames. */

import { boundary } from "./timing.js";

/** @type {OffscreenCanvasRenderingContext2D} */
let context;
let background = "#fff";
/** @type {Map<string, ImageBitmap>} */
const pictures = new Map();
let takeAway = false;
let cancelled = false;

function blank() {
  context.fillStyle = background;
  context.fillRect(0, 0, context.canvas.width, context.canvas.height);
}

function cross() {
  blank();
  const middle = context.canvas.width / 2;
  context.fillStyle = "#000";
  context.fillRect(middle - 1, middle - 12, 2, 24);
  context.fillRect(middle - 12, middle - 1, 24, 2);
}

/** @param {any} request */
function run({ stimulus, fixationMs, stimulusMs, tailMs, periodMs }) {
  const picture = /** @type {ImageBitmap} */ (pictures.get(stimulus));
  const toOnset = boundary(fixationMs, periodMs);
  const toOffset = boundary(stimulusMs, periodMs);
  let [fixationOn, onset, offset, last, late] = [0, 0, 0, 0, 0];
  takeAway = cancelled = false;
  const draw = (/** @type {number} */ time) => {
    if (last && time - last > 1.5 * periodMs) late += Math.round((time - last) / periodMs) - 1;
    last = time;
    fixationOn ||= time;
    if (!onset && time - fixationOn >= toOnset) onset = time;
    if (onset && !offset && (time - onset >= toOffset || takeAway)) offset = time;
    if (cancelled) blank();
    else if (offset) blank();
    else if (onset) {
      blank();
      context.drawImage(picture, 0, 0, context.canvas.width, context.canvas.height);
    } else cross();
    const over = offset && time - onset >= toOffset + periodMs / 2 + tailMs;
    if (over || cancelled) postMessage({ fixationOn, onset, offset, late });
    else requestAnimationFrame(draw);
  };
  requestAnimationFrame(draw);
}

/** @type {number[]} */
let watched = [];
let [watching, calling] = [false, false];

/** @param {number} time */
function watch(time) {
  watched.push(time);
  calling = watching;
  if (calling) requestAnimationFrame(watch);
}

onmessage = ({ data }) => {
  if (data.what === "canvas") {
    context = data.canvas.getContext("2d", { alpha: false });
    background = data.background;
    blank();
  } else if (data.what === "pictures") {
    for (const bitmap of pictures.values()) bitmap.close();
    pictures.clear();
    data.names.forEach((/** @type {string} */ name, /** @type {number} */ i) => pictures.set(name, data.bitmaps[i]));
    postMessage({ loaded: pictures.size });
  } else if (data.what === "run") run(data);
  else if (data.what === "clock") postMessage({ now: performance.now(), timeOrigin: performance.timeOrigin });
  else if (data.what === "takeAway") takeAway = true;
  else if (data.what === "cancel") cancelled = true;
  else if (data.what === "watch") {
    [watched, watching] = [[], true];
    if (!calling) requestAnimationFrame(watch);
    calling = true;
  } else if (data.what === "watched") {
    watching = false;
    postMessage({ times: watched });
  }
};
postMessage({ ready: true });
