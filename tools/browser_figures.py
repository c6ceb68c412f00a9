"""Make the two figures of docs/online.md: ``python tools/browser_figures.py STUDY``.

STUDY is a study folder whose stimulus set is where it says; a copy of it is served, so that nothing of it changes.
Simulated participants answer first. The dashboard counts participants only, so the copy's database then names them so;
after that one session is walked through and four of its pages are kept.
"""

import contextlib
import io
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import BrowserContext, Page, sync_playwright

from rapidvision.study import Study
from tests import chromium

IMAGES = Path(__file__).parent.parent / "docs" / "images"
PASSWORD = "a look at the dashboard"
N_PEOPLE = 10


def main(study: str) -> None:
    """Serve a copy of the study and keep both figures."""
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = Path(temporary) / "study"
        shutil.copytree(study, folder)
        browser = playwright.chromium.launch(executable_path=chromium.PATH, args=chromium.ARGUMENTS)
        stimulus_set = str(Study(study).stimulus_set().folder)
        with served(folder, stimulus_set) as (url, _):
            for number in range(N_PEOPLE):
                take_part(browser.new_context(viewport={"width": 1000, "height": 640}), url, leave=number % 5 == 4)
        count_as_participants(folder)
        with served(folder, stimulus_set) as (url, dashboard_url):
            keep(dashboard(browser.new_page(viewport={"width": 1200, "height": 1180}), dashboard_url), "dashboard.png")
            keep(session(browser.new_page(viewport={"width": 1000, "height": 640}), url), "browser-session.png")
        browser.close()


@contextlib.contextmanager
def served(folder: Path, stimulus_set: str) -> Iterator[tuple[str, str]]:
    """Serve the study, and stop the server at the end; yields the two addresses."""
    server, url, dashboard_url = serve(folder, stimulus_set)
    try:
        yield url, dashboard_url
    finally:
        server.terminate()
        server.wait()


def count_as_participants(folder: Path) -> None:
    """Name the simulated participants of a study's copy participants, in its database."""
    path = folder / "online" / "online.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        for table in ("session", "tally"):
            database.execute(f"UPDATE {table} SET observer_kind = 'human' WHERE observer_kind = 'simulated'")


def serve(folder: Path, stimulus_set: str) -> tuple["subprocess.Popen[str]", str, str]:
    """Return the server and its two addresses."""
    command = [sys.executable, "-m", "rapidvision", "session", "serve", str(folder), "--set", stimulus_set]
    command += ["--port", "0", "--dashboard-port", "0", "--simulate", "--seed", "1"]
    environment = {**os.environ, "RAPIDVISION_PASSWORD": PASSWORD}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, encoding="utf-8")
    found = []
    while len(found) < 2:
        line = server.stdout.readline() if server.stdout else ""
        if not line:
            raise SystemExit("the server did not start")
        found += re.findall(r"http\S+", line)
    return server, found[0], found[1]


def take_part(context: BrowserContext, url: str, *, leave: bool) -> None:
    """Let a simulated participant through, or leave after the first trials."""
    page = context.new_page()
    page.goto(f"{url}?simulate" if leave else f"{url}?simulate=fast")
    page.locator("body.running" if leave else "body[data-done]").wait_for(timeout=120_000)
    context.close()


def dashboard(page: Page, url: str) -> Image.Image:
    """Log in and look."""
    page.goto(url)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("Timing by browser").wait_for()
    return image(page)


def session(page: Page, url: str) -> Image.Image:
    """Walk through a session: consent, keys, cross, image."""
    shots = []
    page.goto(f"{url}?PROLIFIC_PID=reader")
    page.get_by_role("button", name="I agree").wait_for()
    shots.append(image(page))
    page.get_by_role("button", name="I agree").click()
    page.get_by_role("button", name="full screen").click(timeout=60_000)
    while not page.locator("kbd[data-key]").count():
        page.keyboard.press(" ")
        page.wait_for_timeout(200)
    shots.append(image(page))
    while not page.locator("body.running").count():
        for key in ("s", "l"):
            page.keyboard.press(key)
            page.wait_for_timeout(100)
    shots += [shown(page, ".cross"), shown(page, "img.image")]
    width, height = shots[0].size
    sheet = Image.new("RGB", (2 * width + 8, 2 * height + 8), "#9aa6b5")
    for place, shot in enumerate(shots):
        sheet.paste(shot.resize((width, height)), (place % 2 * (width + 8), place // 2 * (height + 8)))
    return sheet.resize((1200, round(1200 * sheet.height / sheet.width)), Image.Resampling.LANCZOS)


def shown(page: Page, selector: str) -> Image.Image:
    """Look until a shot has the middle of a trial's image or cross in it."""
    end = time.monotonic() + 120
    visible = f"[...document.querySelectorAll('{selector}')].some((e) => getComputedStyle(e).opacity > 0.5)"
    while time.monotonic() < end:
        if not page.evaluate(f"document.body.classList.contains('running') && {visible}"):
            page.wait_for_timeout(10)
            continue
        shot = image(page)
        dark = (np.asarray(shot.convert("L"))[shot.height // 2 - 120 : shot.height // 2 + 120] < 100).mean()
        if (dark > 0.02) == (selector != ".cross") and dark > 0:
            return shot
    raise SystemExit(f"{selector} was never caught")


def image(page: Page) -> Image.Image:
    """Return what the page shows now."""
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def keep(image: Image.Image, name: str) -> None:
    """Write a small PNG."""
    IMAGES.mkdir(exist_ok=True)
    image.quantize(128, dither=Image.Dither.NONE).save(IMAGES / name, optimize=True)
    print(f"{IMAGES / name}: {(IMAGES / name).stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main(sys.argv[1])
