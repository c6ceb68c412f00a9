"""The page, in a browser: consent before play, a guest who hears the partner, and a player who deletes everything."""

import pytest

from tests.experiments.clickme.page import BrowserMissing, chromium, paint, until, waiting
from tests.experiments.clickme.quickgame import coloured_place, stored
from tests.experiments.clickme.running import Running

pytestmark = pytest.mark.browser
GAME = 'consent = "We store what you paint."\nmin_age = 16\npractice_rounds = 0\n[rules]\nround_ms = 3000\n'


def test_a_guest_agrees_plays_hears_the_partner_and_deletes_everything(images, tmp_path):
    try:
        with Running(images, tmp_path / "game", game=GAME) as running, chromium() as browser:
            running.data = tmp_path / "game"
            page = browser.new_page()
            page.goto(running.url)
            page.wait_for_selector("#terms")
            assert page.text_content("#consent-text") == "We store what you paint."
            page.click("#guest")  # the browser asks for the boxes; the server has heard of no player
            page.check("#agree")
            page.check("#of-age")
            page.click("#guest")
            waiting(page)
            assert page.text_content("#player-name").startswith("Guest ")
            word = page.text_content("#word")
            paint(page, n=40, start=coloured_place(page.locator("#canvas").screenshot()), step=(3, 3))
            until(page, "clickme.log.some((entry) => entry.what === 'end')")
            assert len(stored(running).rounds) == 1
            assert f"says {word}!" in page.evaluate("clickme.log.map((entry) => entry.what)")
            assert "1 of 10 rounds today" in page.text_content("#progress")
            page.evaluate("document.querySelector('aside details').open = true")
            page.click("#erase-me")
            assert "cannot be undone" in page.text_content("#erase-me-told")
            page.click("#erase-me")
            page.wait_for_selector("#welcome:not([hidden])")
            until(page, "document.getElementById('stage').hidden")
            assert stored(running).rounds == ()
    except BrowserMissing as reason:
        pytest.skip(str(reason))
