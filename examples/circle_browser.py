"""What the end-to-end example runs beside its own process: commands, servers, a virtual display, Chromium."""

import asyncio
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image

from rapidvision.errors import CheckFailed
from rapidvision.experiments.clickme.game.rules import Rules
from rapidvision.experiments.clickme.simulation.browser_player import Mind
from rapidvision.experiments.clickme.simulation.simulated_player import Player, stroke

CHROMIUM = os.environ.get("RV_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome") or ""
CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


def rapidvision(*words: object, display: str = "") -> None:
    """Print a command and run it."""
    line = ["rapidvision", *map(str, words)]
    print(f"$ {shlex.join(line)}", flush=True)
    environment = {**os.environ, "DISPLAY": display, "LP_NUM_THREADS": "0"}
    subprocess.run([sys.executable, "-m", *line, "--quiet"], check=True, env=environment)


@contextmanager
def serving(*words: object) -> Iterator[str]:
    """Run a server until the block ends; yields the address that it prints first."""
    line = ["rapidvision", *map(str, words)]
    print(f"$ {shlex.join(line)}", flush=True)
    server = subprocess.Popen([sys.executable, "-m", *line], stdout=subprocess.PIPE, text=True, encoding="utf-8")
    assert server.stdout is not None
    try:
        for said in server.stdout:
            if found := re.search(r"http://\S+", said):
                break
        else:
            raise CheckFailed(f"{shlex.join(line)}: ended before it served")
        yield found[0]
    finally:
        server.terminate()
        server.wait(30)
        server.stdout.close()


@contextmanager
def virtual_display() -> Iterator[str]:
    """Run Xvfb on a free display and yield its name."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1024x768x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=(write,), stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as pipe:
            yield f":{pipe.readline().strip()}"
    finally:
        server.terminate()
        server.wait(30)


async def play(url: str, names: list[str], mind: Mind, n_rounds: int) -> None:
    """Let simulated players paint through the page, all at once, each in a window of its own."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        await asyncio.gather(*(_one_player(browser, url, name, mind, n_rounds) for name in names))
        await browser.close()


async def _one_player(browser, url: str, name: str, mind: Mind, n_rounds: int) -> None:  # noqa: ANN001  Playwright's
    page = await (await browser.new_context(viewport={"width": 1100, "height": 800})).new_page()
    await page.goto(url)
    await page.fill("#name", name)
    await page.click("#join button")
    for number in range(n_rounds):
        await page.wait_for_selector("body[data-state=waiting]", timeout=60_000)
        round_id = await page.evaluate("clickme.round.id")
        answer = await page.request.get(f"{url}api/rounds/{round_id}/image.png")
        image = np.asarray(Image.open(io.BytesIO(await answer.body())).convert("RGB"))
        box = await page.locator("#canvas").bounding_box()
        scale = box["width"] / image.shape[1]
        rng = np.random.default_rng([number, *name.encode()])
        for at, move in enumerate(stroke(Player(name, sharpness=2), mind(image), Rules(), rng=rng)):
            await page.mouse.move(box["x"] + scale * (move.x + 0.5), box["y"] + scale * (move.y + 0.5))
            if at == 0:
                await page.mouse.down()
                await page.mouse.up()
            elif await page.evaluate("clickme.round.phase") != "painting":
                break
            await asyncio.sleep(0.05)
        await page.wait_for_selector("body[data-state=over]", timeout=60_000)
        if number + 1 < n_rounds:
            await page.click("#next")


async def visit(url: str, n_participants: int) -> list[dict]:
    """Let simulated participants take part in Chromium, one after the other; return what the server asked each."""
    from playwright.async_api import async_playwright

    asked = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        for _ in range(n_participants):
            page = await (await browser.new_context(viewport={"width": 1000, "height": 700})).new_page()
            async with page.expect_response(lambda answer: answer.url.endswith("/api/sessions")) as answer:
                await page.goto(f"{url}?simulate")
            asked.append((await (await answer.value).json())["plan"])
            await page.locator("body[data-done]").wait_for(timeout=240_000)
            await page.context.close()
        await browser.close()
    return asked
