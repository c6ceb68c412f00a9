"""The timing laboratory works: images and key presses of real browsers are seen from outside. Figures are benchmarks."""

import math
import os
import shutil

import pytest

from tests.conftest import missing
from tests.experiments.laboratory import browser_truth, start_screen
from tests.experiments.laboratory.browsers import chromium_trials, firefox_trials, summary
from tests.experiments.laboratory.virtual_screen import Episode

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", autouse=True)
def xvfb():
    if shutil.which("Xvfb") is None:
        missing("no Xvfb on this computer")


def test_the_diode_sees_a_window_appear_and_vanish():
    from Xlib import X, display

    with start_screen(width=200, height=100) as screen:
        connection = display.Display(screen.display)
        x_screen = connection.screen()

        def window(pixel):
            made = x_screen.root.create_window(
                0, 0, 200, 100, 0, x_screen.root_depth, X.InputOutput, background_pixel=pixel
            )
            made.map()
            connection.sync()
            return made

        window(0xFFFFFF)
        screen.watch(50, 50, key=None)
        _wait_for_line(screen, "offset")
        for n in (1, 2, 3):
            dark = window(0)
            _wait_for_line(screen, "dark", n)
            dark.destroy()
            connection.sync()
            _wait_for_line(screen, "light", n)
        offset, episodes = screen.read()
        connection.close()
    assert len(episodes) == 3 and offset > 0
    assert all(episode.duration_ms > 0 and math.isnan(episode.key_ms) for episode in episodes)


def _wait_for_line(screen, word, count=1):
    import time

    end = time.monotonic() + 20
    while True:
        with open(f"/proc/{screen.diode.pid}/fd/1", encoding="utf-8") as log:
            if log.read().count(f"{word} ") >= count:
                return
        assert time.monotonic() < end, word
        time.sleep(0.01)


def test_a_trial_is_joined_with_the_one_image_that_was_seen_in_it():
    trials = [{"start": 0, "end": 900, "time_origin": 1000}, {"start": 1000, "end": 1900, "time_origin": 1000}]
    joined = browser_truth(trials, 500, [Episode(900, 1300, 1150)])
    assert joined[0][1].response_ms == 250 and joined[1][1] is None


@pytest.mark.parametrize("presenter", ["compositor", "worker"])
def test_images_and_answers_in_chromium_are_seen_from_outside(chromium_path, presenter):
    info, joined = chromium_trials(chromium_path, {("ours", presenter): 4}, busy=False)
    seen = summary(joined, info["periodMs"])
    assert info["isolated"] and info["chosen"] == "compositor"
    assert seen["n"] == 4 and seen["seen"] >= 2 and seen["response_n"] >= 2  # a busy computer may tear some


def test_images_and_answers_in_firefox_are_seen_from_outside():
    firefox = os.environ.get("RV_FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")
    if firefox is None:
        missing("no Firefox on this computer (set RV_FIREFOX)")
    info, joined = firefox_trials(firefox, 4, busy=False)
    seen = summary(joined, info["periodMs"])
    assert info["isolated"] and info["chosen"] == "worker"
    assert seen["n"] == 4 and seen["seen"] >= 2 and seen["response_n"] >= 2  # a busy computer may tear some
