/**
 * The movie presenter: the paper's method. All phases of a trial are one movie, and the browser's player keeps the
 * time; which frames it showed when is known only where it says so (requestVideoFrameCallback).
 */

export class MoviePresenter {
  name = "movie";
  calibrationMs = 0;

  /** @param {HTMLElement} stage @param {number} imagePx */
  constructor(stage, imagePx) {
    this.stage = stage;
    this.imagePx = imagePx;
    /** @type {Map<string, HTMLVideoElement>} */
    this.videos = new Map();
    /** @type {HTMLVideoElement|null} */
    this.running = null;
    /** @type {(() => void)|null} */
    this.stop = null;
  }

  static supported() {
    const video = document.createElement("video");
    return Boolean(video.canPlayType?.('video/webm; codecs="vp9"') || video.canPlayType?.('video/mp4; codecs="avc1.42E01E"'));
  }

  /** @param {Map<string, Blob>} blobs */
  async load(blobs) {
    this.unload();
    await Promise.all(Array.from(blobs, ([name, blob]) => this.#one(name, blob)));
    this.stage.replaceChildren(...this.videos.values());
  }

  /** @param {string} name @param {Blob} blob */
  #one(name, blob) {
    const video = document.createElement("video");
    video.className = "image";
    video.muted = true;
    video.playsInline = true;
    video.preload = "auto";
    video.width = video.height = this.imagePx;
    this.videos.set(name, video);
    return new Promise((resolve, reject) => {
      video.oncanplaythrough = () => resolve(undefined);
      video.onerror = () => reject(new Error(video.error?.message || "the movie cannot be played"));
      video.src = URL.createObjectURL(blob);
    });
  }

  unload() {
    for (const video of this.videos.values()) {
      URL.revokeObjectURL(video.src);
      video.removeAttribute("src");
      video.load();
    }
    this.videos.clear();
    this.stage.replaceChildren();
  }

  /**
   * @param {import("./compositor.js").Request} request
   * @returns {Promise<import("./compositor.js").Shown>}
   */
  async run({ movie, onStart = () => {} }) {
    const { file, hz, frames } = /** @type {{file: string, hz: number, frames: number[]}} */ (movie);
    const video = /** @type {HTMLVideoElement} */ (this.videos.get(file));
    const begins = [0];
    for (const n of frames) begins.push(begins[begins.length - 1] + n);
    /** @type {Map<number, number>} */
    const shown = new Map();
    const note = (/** @type {number} */ _now, /** @type {any} */ frame) => {
      shown.set(Math.round(frame.mediaTime * hz), frame.expectedDisplayTime);
      video.requestVideoFrameCallback(note);
    };
    video.requestVideoFrameCallback?.(note);
    this.running = video;
    video.style.opacity = "1";
    await video.play();
    const began = performance.now();
    onStart(began);
    await new Promise((resolve) => {
      this.stop = () => resolve(undefined);
      video.onended = () => resolve(undefined);
    });
    video.style.opacity = "";
    const seen = begins.slice(0, -1).every((number) => shown.has(number));
    const times = begins.map((number) => frameTime(shown, number, hz) ?? began + (1000 * number) / hz);
    const late = frames.map(() => null);
    return { onsets: times.slice(0, -1), end: times[frames.length], late, seen: seen ? "presented" : "scheduled" };
  }

  /** A response cannot end a movie at a refresh; such tasks are not shown as movies. */
  cut() {}

  cancel() {
    this.running?.pause();
    this.stop?.();
  }

  /** The player stamps frames with the time at which it expects them on the screen. */
  async calibrate() {
    return 0;
  }
}

/**
 * When a frame was due, from the nearest frame that the player told about.
 * @param {Map<number, number>} shown frame number → time
 * @param {number} wanted frame number
 * @param {number} hz
 * @returns {number|null} null when it told about none
 */
export function frameTime(shown, wanted, hz) {
  let nearest = null;
  for (const number of shown.keys()) if (nearest === null || Math.abs(number - wanted) < Math.abs(nearest - wanted)) nearest = number;
  return nearest === null ? null : /** @type {number} */ (shown.get(nearest)) + (1000 * (wanted - nearest)) / hz;
}
