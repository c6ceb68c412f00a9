/** Whether this device can show the images on time, and what is recorded about it; nothing that names anybody. */

import { CompositorPresenter } from "./compositor.js";
import { MoviePresenter } from "./movie-presenter.js";
import { storageWorks } from "./resume.js";
import { clockResolution, measurePeriod } from "./timing.js";
import { WorkerPresenter } from "./worker-presenter.js";

/** Name and main version of the browser, no more. */
export function browserName() {
  const brands = /** @type {any} */ (navigator).userAgentData?.brands ?? [];
  const known = ["Microsoft Edge", "Opera", "Google Chrome", "Chromium"];
  for (const name of known) {
    const brand = brands.find((/** @type {any} */ b) => b.brand === name);
    if (brand) return `${name} ${brand.version}`;
  }
  for (const [pattern, name] of /** @type {[RegExp, string][]} */ ([
    [/Firefox\/(\d+)/, "Firefox"],
    [/Edg\/(\d+)/, "Microsoft Edge"],
    [/Chrome\/(\d+)/, "Chrome"],
    [/Version\/(\d+).*Safari/, "Safari"],
  ])) {
    const found = navigator.userAgent.match(pattern);
    if (found) return `${name} ${found[1]}`;
  }
  return "other";
}

/** @param {string} wanted @returns {"compositor"|"worker"|"movie"|"none"} */
export function choosePresenter(wanted) {
  if (wanted === "movie") return MoviePresenter.supported() ? "movie" : "none";
  if (wanted !== "worker" && CompositorPresenter.supported()) return "compositor";
  return WorkerPresenter.supported() ? "worker" : "none";
}

/**
 * Check the device.
 * @param {any} rules from the study's settings
 * @param {string} wanted presenter
 * @returns {Promise<{device: any, periodMs: number, why: ""|"touch"|"size"|"refresh"|"browser"|"storage"}>}
 */
export async function screen(rules, wanted) {
  const presenter = choosePresenter(wanted);
  const fine = matchMedia("(any-pointer: fine)").matches || matchMedia("(any-hover: hover)").matches;
  const mobile = /** @type {any} */ (navigator).userAgentData?.mobile ?? /Mobi|Android|iPad|iPhone/.test(navigator.userAgent);
  const device = {
    browser: browserName(),
    platform: String(/** @type {any} */ (navigator).userAgentData?.platform ?? navigator.platform).slice(0, 60),
    mobile: Boolean(mobile),
    width_px: innerWidth,
    height_px: innerHeight,
    screen_width_px: globalThis.screen.width,
    screen_height_px: globalThis.screen.height,
    device_pixel_ratio: devicePixelRatio,
    refresh_hz: 0,
    refresh_sd_ms: 0,
    clock_ms: 0,
    isolated: globalThis.crossOriginIsolated,
    presenter,
    pointer: fine ? "fine" : "coarse",
    cores: navigator.hardwareConcurrency ?? 0,
    utc_offset_min: -new Date().getTimezoneOffset(),
    webdriver: Boolean(navigator.webdriver),
    forced_colors: matchMedia("(forced-colors: active)").matches,
    load_ms: performance.now(),
  };
  if (presenter === "none" || !globalThis.BroadcastChannel || !("timeout" in AbortSignal))
    return { device, periodMs: 0, why: "browser" };
  if (!(await storageWorks())) return { device, periodMs: 0, why: "storage" };
  if (rules.keyboard && (device.mobile || !fine)) return { device, periodMs: 0, why: "touch" };
  if (innerWidth < rules.min_width_px || innerHeight < rules.min_height_px) return { device, periodMs: 0, why: "size" };
  device.clock_ms = clockResolution();
  const { periodMs, sdMs } = await measurePeriod(120);
  device.refresh_hz = 1000 / periodMs;
  device.refresh_sd_ms = sdMs;
  const tolerance = 0.02;
  const fits =
    device.refresh_hz >= rules.min_hz * (1 - tolerance) && device.refresh_hz <= rules.max_hz * (1 + tolerance);
  return { device, periodMs, why: fits ? "" : "refresh" };
}
