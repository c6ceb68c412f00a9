/**
 * The movie presenter: the paper's method. Cross, picture and blank are one movie, and the browser's player keeps the
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
    this.cutAt = 0;
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
    video.className = "picture";
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
   * @param {import("./compositor.js").Request} request of fixation, stimulus and blank
   * @returns {Promise<import("./compositor.js").Shown>}
   */
  async run({ phases, movie, onStart = () => {} }) {
    const { file, hz, fixation_frames: first } = /** @type {{file: string, hz: number, fixation_frames: number}} */ (movie);
    const video = /** @type {HTMLVideoElement} */ (this.videos.get(file));
    const [shownMs, restMs] = phases.slice(1).map(({ ms }) => ms ?? 0);
    const last = first + Math.round((shownMs * hz) / 1000);
    /** @type {Map<number, number>} */
    const shown = new Map();
    const note = (/** @type {number} */ _now, /** @type {any} */ frame) => {
      shown.set(Math.round(frame.mediaTime * hz), frame.expectedDisplayTime);
      video.requestVideoFrameCallback(note);
    };
    video.requestVideoFrameCallback?.(note);
    [this.running, this.cutAt] = [video, 0];
    video.style.opacity = "1";
    await video.play();
    const began = performance.now();
    onStart(began);
    await new Promise((resolve) => {
      this.stop = () => resolve(undefined);
      video.onended = () => resolve(undefined);
    });
    video.style.opacity = "";
    const [on, off] = [shown.get(first), this.cutAt || shown.get(last)];
    const seen = on !== undefined && off !== undefined;
    const onset = on ?? frameTime(shown, first, hz) ?? began + (1000 * first) / hz;
    const offset = seen ? off : onset + (1000 * (last - first)) / hz;
    const onsets = [frameTime(shown, 0, hz) ?? began, onset, ...(this.cutAt ? [] : [offset])];
    return { onsets, end: this.cutAt || offset + restMs, late: onsets.map(() => null), seen: seen ? "presented" : "scheduled" };
  }

  cut() {
    if (this.cutAt || !this.running) return;
    this.cutAt = performance.now();
    this.running.style.opacity = "";
    this.running.pause();
    this.stop?.();
  }

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
