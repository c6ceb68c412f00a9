"""The Chromium of this machine, started for tests: no sandbox (tests may be root), no GPU, nothing that asks the network."""

import os
import shutil
from contextlib import contextmanager

PATH = os.environ.get("RV_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_OPEN = []


@contextmanager
def playwright_driver():
    """The Playwright of this process: it allows one at a time, so a second caller shares the one that is open."""
    from playwright.sync_api import sync_playwright

    if _OPEN:
        yield _OPEN[0]
        return
    with sync_playwright() as driver:
        _OPEN.append(driver)
        try:
            yield driver
        finally:
            _OPEN.clear()
