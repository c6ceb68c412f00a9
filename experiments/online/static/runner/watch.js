/** What happens to the page around the trials: hidden, out of full screen, without focus, resized, busy. */

export class Watch {
  /** @param {(kind: string) => void} tell called at once for what the server should know */
  constructor(tell) {
    /** @type {PerformanceEntry[]} */
    this.longTasks = [];
    this.reset();
    this.wasFull = false;
    this.broken = false;
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.hidden = this.broken = true;
      tell(document.hidden ? "hidden" : "shown");
    });
    document.addEventListener("fullscreenchange", () => {
      if (document.fullscreenElement) this.wasFull = true;
      else if (this.wasFull) {
        this.fullscreenLost = this.broken = true;
        tell("fullscreen_lost");
      }
    });
    addEventListener("blur", () => (this.focusLost = true));
    addEventListener("resize", () => (this.resized = true));
    if (PerformanceObserver.supportedEntryTypes?.includes("longtask"))
      new PerformanceObserver((list) => this.longTasks.push(...list.getEntries())).observe({ type: "longtask" });
  }

  reset() {
    this.hidden = document.hidden;
    this.fullscreenLost = this.focusLost = this.resized = false;
    this.longTasks = [];
  }

  /** @param {number} from @param {number} to page clock, ms @returns {number} ms of long tasks between them */
  longTaskMs(from, to) {
    let sum = 0;
    for (const { startTime, duration } of this.longTasks)
      sum += Math.max(0, Math.min(to, startTime + duration) - Math.max(from, startTime));
    return sum;
  }
}
