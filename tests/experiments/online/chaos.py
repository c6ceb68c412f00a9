"""Break everything on purpose: kill the server, reload pages, cut the network; then count what is left.

What was shown is noted by a hook in each page that looks at the pixels of every image that is put on the screen, so
that an image seen twice is found whatever the runner's own notes say.
"""

import random
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from playwright.sync_api import Error as BrowserError

HOOK = """
const animate = Element.prototype.animate;
Element.prototype.animate = function (...args) {
  if (this.tagName === "IMG") {
    const canvas = new OffscreenCanvas(8, 8), pen = canvas.getContext("2d");
    pen.drawImage(this, 0, 0, 8, 8);
    console.log("SHOWN " + Array.from(pen.getImageData(0, 0, 8, 8).data).join(""));
  }
  return animate.apply(this, args);
};
"""


@dataclass
class Outcome:
    """What was done to the study, and what its participants saw."""

    kills: int = 0
    reloads: int = 0
    offline: int = 0
    finished: int = 0
    seconds: float = 0.0
    stopped: list = field(default_factory=list)
    shown: list = field(default_factory=list)

    @property
    def shown_twice(self):
        return sum(n - 1 for counts in self.shown for n in counts.values() if n > 1)


def torment(chromium, served, *, n_browsers, kills, reloads, offline, seed, limit_s, pause_s=0.25):
    """Run `n_browsers` simulated participants in real time while breaking things, and wait until all are done."""
    rng = random.Random(seed)
    outcome = Outcome(shown=[Counter() for _ in range(n_browsers)])
    contexts, pages = [], []
    for number in range(n_browsers):
        context = chromium.new_context(viewport={"width": 1000, "height": 700})
        context.add_init_script(HOOK)
        page = context.new_page()
        counts = outcome.shown[number]
        page.on("console", lambda m, counts=counts: m.text.startswith("SHOWN ") and counts.update([m.text]))
        contexts.append(context)
        pages.append(page)
    urls = [f"{served.url}?simulate&PROLIFIC_PID=person{number}" for number in range(n_browsers)]
    for page, url in zip(pages, urls, strict=True):
        page.goto(url)
    start = time.monotonic()
    deeds = ["kill"] * kills + ["reload"] * reloads + ["offline"] * offline
    rng.shuffle(deeds)
    for deed in deeds:
        number = rng.randrange(n_browsers)
        if deed == "kill":
            served.kill()
            pages[0].wait_for_timeout(rng.uniform(0, 800))
            served.start()
            outcome.kills += 1
        elif deed == "reload":
            _go(pages[number], urls[number])
            outcome.reloads += 1
        else:
            contexts[number].set_offline(True)
            pages[number].wait_for_timeout(rng.uniform(50, 800))
            contexts[number].set_offline(False)
            outcome.offline += 1
        pages[0].wait_for_timeout(1000 * pause_s)
    while time.monotonic() - start < limit_s:
        states = [_state(page) for page in pages]
        outcome.finished = sum(state == "done" for state in states)
        if outcome.finished == n_browsers:
            break
        for page, url, state in zip(pages, urls, states, strict=True):
            if state == "lost":  # the page itself could not be loaded while the server was down
                _go(page, url)
        pages[0].wait_for_timeout(500)
    outcome.seconds = time.monotonic() - start
    outcome.stopped = [page.inner_text("body") for page in pages if _state(page) != "done"]
    for context in contexts:
        context.close()
    return outcome


def _go(page, url):
    with suppress(BrowserError):
        page.goto(url, timeout=4000, wait_until="commit")


def _state(page):
    try:
        return page.evaluate("document.body.dataset.done ? 'done' : document.getElementById('page') ? 'busy' : 'lost'")
    except BrowserError:
        return "lost"
