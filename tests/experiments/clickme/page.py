"""The real page in a real browser."""

import re
import time
from contextlib import contextmanager
from datetime import datetime
from importlib.util import find_spec

from rapidvision.experiments.clickme.server import host
from rapidvision.experiments.clickme.storage.collected import collect
from tests.chromium import ARGUMENTS, PATH, playwright_driver
from tests.experiments.clickme.running import Running

QUICK = "practice_rounds = 0\n[rules]\nround_ms = 1500\nanswer_limit_ms = 200\n"


class BrowserMissing(Exception):
    """There is no Chromium, or no Playwright to drive it."""


@contextmanager
def chromium():
    if PATH is None:
        raise BrowserMissing("Chromium is not installed")
    if not find_spec("playwright"):
        raise BrowserMissing("Playwright is not installed")
    with playwright_driver() as playwright:
        browser = playwright.chromium.launch(executable_path=PATH, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def join(page, url, name):
    page.goto(url)
    page.fill("#name", name)
    page.click("#join button")
    waiting(page)


def waiting(page):
    page.wait_for_selector("body[data-state=waiting]", timeout=30_000)


def until(page, expression):
    """Wait for an expression; asked from outside, because the page's policy forbids it to evaluate texts."""
    for _ in range(600):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"never true: {expression}")


def over(page):
    page.wait_for_selector("body[data-state=over]", timeout=30_000)


def paint(page, *, n=12, start=(30, 30), step=(14, 4), pause_s=0.05):
    """Press and move with the mouse, in pixels of the screen."""
    box = page.locator("#canvas").bounding_box()
    x, y = box["x"] + start[0], box["y"] + start[1]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.up()
    for k in range(1, n):
        page.mouse.move(x + k * step[0], y + k * step[1])
        time.sleep(pause_s)


def stopped_at(log):
    """When painting stopped in the last round: by the page's clock or by the server's word, whichever came first."""
    last = max(place for place, entry in enumerate(log) if entry["what"] == "press")
    return next(entry["at"] for entry in log[last:] if entry["what"] in ("time", "end"))


def ends_in_page(images, data, *, n_rounds):
    """Milliseconds by which the page ended each round after the server's clock did."""
    with Running(images, data, partner="none", game=QUICK) as running, chromium() as browser:
        page = browser.new_page()
        join(page, running.url, "clockwatcher")
        late = {}
        for _ in range(n_rounds):
            paint(page, n=6)
            over(page)
            log = page.evaluate("({ id: clickme.round.id, log: clickme.log })")
            late[log["id"]] = stopped_at(log["log"])
            page.click("#next")
            waiting(page)
        running.stop()
    store = host.existing_store(data)
    try:
        rounds = {record.round_id: record for record in collect(store).rounds}
    finally:
        store.close()
    ends = {name: 1000 * datetime.fromisoformat(rounds[name].started_utc).timestamp() + 1500 for name in late}
    return [late[name] - ends[name] for name in late]


def contrast(page, selector):
    """Contrast of a text with the page behind it, as the accessibility guidelines count it."""
    script = "(name) => [getComputedStyle(document.querySelector(name)).color, getComputedStyle(document.body).backgroundColor]"
    bright, dark = sorted((luminance(colour) for colour in page.evaluate(script, selector)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(colour):
    parts = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
