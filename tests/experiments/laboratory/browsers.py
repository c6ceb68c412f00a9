"""Browsers in the laboratory: a page of ours in Chromium or Firefox on the watched screen."""

import http.server
import io
import json
import os
import shutil
import subprocess
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

import rapidvision.experiments.online
from tests import chromium

from .virtual_screen import browser_truth, start_screen, summary

RUNNER = Path(rapidvision.experiments.online.__file__).parent / "static" / "runner"
HERE = Path(__file__).parent
KINDS = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".png": "image/png", ".webm": "video/webm"}
__all__ = ["chromium_trials", "dark_png", "firefox_trials", "summary"]
SENSOR = (470, 340)  # inside the image, outside the cross

CHROMIUM_ARGUMENTS = [
    *chromium.ARGUMENTS,
    "--kiosk",
    "--window-position=0,0",
    "--window-size=800,600",
    "--autoplay-policy=no-user-gesture-required",
]

FIREFOX_PREFERENCES = {
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "datareporting.healthreport.uploadEnabled": False,
    "browser.aboutwelcome.enabled": False,
    "toolkit.telemetry.enabled": False,
    "app.update.enabled": False,
    "app.normandy.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.safebrowsing.downloads.enabled": False,
    "extensions.update.enabled": False,
    "browser.region.network.url": "",
    "services.settings.server": "http://127.0.0.1:9/",
    "media.autoplay.default": 0,
    "trailhead.firstrun.didSeeAboutWelcome": True,
    "browser.startup.homepage_override.mstone": "ignore",
}


def dark_png():
    """An image that the diode sees."""
    return _png(0, 90)


def light_png():
    """An image that the diode does not see."""
    return _png(220, 256)


def _png(low, high):
    pixels = np.random.default_rng(3).integers(low, high, (256, 256, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def trial_webm():
    """The paper's kind of movie: VP8, 10 images per second, 300 ms cross, 400 ms image, 300 ms blank."""
    import av

    dark = np.asarray(Image.open(io.BytesIO(dark_png())))
    white = np.full((256, 256, 3), 255, np.uint8)
    out = io.BytesIO()
    with av.open(out, "w", format="webm") as container:
        stream = container.add_stream("libvpx", rate=10)
        stream.width = stream.height = 256
        stream.pix_fmt, stream.bit_rate = "yuv420p", 650_000
        for shown in [white] * 3 + [dark] * 4 + [white] * 4:
            for packet in stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return out.getvalue()


@contextmanager
def laboratory_server(extra=()):
    """Serve the runner's modules, the laboratory's page and `extra` scripts, cross-origin isolated."""
    files = {"/lab/dark.png": dark_png(), "/lab/light.png": light_png(), "/lab/trial.webm": trial_webm()}
    results, posted = [], threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            path = self.path.partition("?")[0]
            page = HERE / "page.html"
            place = {"static": RUNNER, "lab": HERE}.get(path.split("/")[1])
            if path == "/":
                tags = "".join(f'<script src="/extra/{Path(name).name}"></script>' for name in extra)
                content, kind = page.read_bytes().replace(b"</head>", tags.encode() + b"</head>"), "text/html"
            elif path.startswith("/extra/"):
                content = next(Path(name) for name in extra if Path(name).name == Path(path).name).read_bytes()
                kind = "text/javascript"
            elif path in files:
                content, kind = files[path], KINDS[Path(path).suffix]
            elif place is not None and (place / Path(path).name).is_file():
                content, kind = (place / Path(path).name).read_bytes(), KINDS.get(Path(path).suffix, "text/plain")
            else:
                content, kind = b"", "text/plain"
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(content)))
            self.send_header("cross-origin-opener-policy", "same-origin")
            self.send_header("cross-origin-embedder-policy", "require-corp")
            self.send_header("cache-control", "max-age=3600")
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self):
            results.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()
            posted.set()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", results, posted
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def chromium_trials(chromium, methods, **options):
    """Run trials of methods, {(name, presenter): n}, in random order in Chromium; return info and joined trials.

    In a thread of its own, because another browser may keep a loop running in the main one.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_chromium_trials, chromium, methods, **options).result()


def _chromium_trials(chromium, methods, *, busy, extra=(), seed=1):
    from playwright.sync_api import sync_playwright

    order = [method for method, n in methods.items() for _ in range(n)]
    np.random.default_rng(seed).shuffle(order)
    with laboratory_server(extra) as (url, _, _), start_screen() as screen, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            headless=False,
            env={**os.environ, "DISPLAY": screen.display},
            args=CHROMIUM_ARGUMENTS,
        )
        page = browser.new_page(no_viewport=True)
        page.goto(url)
        page.wait_for_selector("body[data-ready]", timeout=30_000)
        page.mouse.click(50, 50)
        info = page.evaluate("laboratory.prepare()")
        screen.watch(*SENSOR)
        page.wait_for_timeout(500)
        page.evaluate("value => laboratory.setBusy(value)", busy)
        trials = [page.evaluate("([m, p]) => laboratory.trial(m, p)", [m, p]) for m, p in order]
        browser.close()
        offset, episodes = screen.read()
    return info, browser_truth(trials, offset, episodes)


def firefox_trials(firefox, n, *, busy, method="ours", presenter="worker", limit_s=300):
    """The same in Firefox, which drives itself and posts what it found."""
    profile = tempfile.mkdtemp(prefix="rapidvision-firefox-")
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in FIREFOX_PREFERENCES.items()]
    Path(profile, "user.js").write_text("\n".join(lines), encoding="utf-8")
    try:
        with laboratory_server() as (url, results, posted), start_screen() as screen:
            address = f"{url}?n={n}&busy={int(busy)}&method={method}&presenter={presenter}"
            environment = {**os.environ, "DISPLAY": screen.display, "HOME": profile, "MOZ_DISABLE_AUTO_SAFE_MODE": "1"}
            screen.watch(*SENSOR)
            browser = subprocess.Popen(
                [firefox, "--profile", profile, "--no-remote", "--kiosk", address],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            try:
                assert posted.wait(limit_s), "Firefox did not answer"
            finally:
                browser.terminate()
                try:
                    browser.wait(10)
                except subprocess.TimeoutExpired:
                    browser.kill()
            offset, episodes = screen.read()
        return results[0]["info"], browser_truth(results[0]["trials"], offset, episodes)
    finally:
        shutil.rmtree(profile, ignore_errors=True)
