/** Draws phases at every refresh, or only watches; boundaries are times since an anchor, never counts of frames. */

/** Size of a cue's letters, px. */
const CUE_PX = 28;
/** @type {OffscreenCanvasRenderingContext2D} */
let context;
let background = "#fff";
let ink = "#000";
/** @type {Map<string, ImageBitmap>} */
const images = new Map();
let cut = false;
let keep = false;

function blank() {
  context.fillStyle = background;
  context.fillRect(0, 0, context.canvas.width, context.canvas.height);
}

function cross() {
  const middle = context.canvas.width / 2;
  context.fillStyle = ink;
  context.fillRect(middle - 1, middle - 12, 2, 24);
  context.fillRect(middle - 12, middle - 1, 24, 2);
}

/** @param {string} text */
function words(text) {
  const { width, height } = context.canvas;
  context.fillStyle = ink;
  context.font = `${CUE_PX}px sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(text, width / 2, height / 2, width);
}

/** The grid of options is the page's: this thread leaves its place blank. @param {import("./timing.js").Phase} phase */
function paint({ kind, file, text, overlay }) {
  blank();
  const image = kind === "stimulus" || kind === "mask" ? images.get(file ?? "") : undefined;
  if (image) context.drawImage(image, 0, 0, context.canvas.width, context.canvas.height);
  if (kind === "fixation" || overlay === "fixation") cross();
  if (kind === "cue") words(text);
}

/** @param {{phases: import("./timing.js").Phase[], at: number[], periodMs: number}} request */
function run({ phases, at, periodMs }) {
  /** @type {number[]} */
  const onsets = [];
  /** @type {number[]} */
  const late = [];
  let [anchor, anchorAt, last] = [0, 0, 0];
  cut = keep = false;
  const due = (/** @type {number} */ time) => time - anchor >= (at[onsets.length] - anchorAt - 0.5) * periodMs;
  const draw = (/** @type {number} */ time) => {
    if (last && time - last > 1.5 * periodMs) late[late.length - 1] += Math.round((time - last) / periodMs) - 1;
    last = time;
    if (onsets.length === 0) {
      anchor = time;
      postMessage({ began: time });
    }
    while (!cut && onsets.length < phases.length && (onsets.length === 0 || due(time))) {
      const { kind } = phases[onsets.length];
      const open = onsets.length > 0 && phases[onsets.length - 1].ms === null;
      if (kind === "stimulus" || open) [anchor, anchorAt] = [time, at[onsets.length]];
      onsets.push(time);
      late.push(0);
    }
    if (cut || (onsets.length === phases.length && due(time))) {
      if (!keep) blank();
      postMessage({ onsets, end: time, late, kept: keep });
      return;
    }
    paint(phases[onsets.length - 1]);
    requestAnimationFrame(draw);
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
    [background, ink] = [data.background, data.ink];
    blank();
  } else if (data.what === "images") {
    for (const bitmap of images.values()) bitmap.close();
    images.clear();
    data.names.forEach((/** @type {string} */ name, /** @type {number} */ i) => images.set(name, data.bitmaps[i]));
    postMessage({ loaded: images.size });
  } else if (data.what === "run") run(data);
  else if (data.what === "clock") postMessage({ now: performance.now(), timeOrigin: performance.timeOrigin });
  else if (data.what === "cut") [cut, keep] = [true, data.keep];
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
