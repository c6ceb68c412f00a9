"""The runner in a real browser: a whole session by real keys, resume, newest tab, exclusion, simulated people."""

import time

import pytest

from rapidvision.experiments.online.api import open_online_store
from rapidvision.experiments.online.export import trial_records
from rapidvision.experiments.online.plans import open_study
from rapidvision.experiments.online.server import default_database
from rapidvision.experiments.online.settings import OnlineSettings, Screening

from .conftest import write_settings

pytestmark = pytest.mark.browser

SETTINGS = OnlineSettings(screening=Screening(fullscreen=False))
SIZE = {"width": 1000, "height": 700}


def stored(folder):
    served = open_study(folder)
    store = open_online_store(default_database(folder), served)
    try:
        return store.read(lambda connection: trial_records(connection, served))
    finally:
        store.close()


def agree(page, url):
    page.goto(url)
    page.get_by_role("button", name="I agree").click(timeout=20_000)


def press_through(page, *, until="document.body.dataset.done", limit_s=60):
    """Press both response keys in turn until the session is done; real, trusted key events."""
    end = time.monotonic() + limit_s
    while not page.evaluate(until):
        assert time.monotonic() < end, page.inner_text("body")
        page.keyboard.press("s")
        page.wait_for_timeout(40)
        page.keyboard.press("l")
        page.wait_for_timeout(40)


def test_a_session_by_real_keys_ends_with_a_code_and_every_trial_stored(chromium, study_folder, serve):
    write_settings(study_folder, SETTINGS)
    served = serve(study_folder)
    context = chromium.new_context(viewport=SIZE)
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    agree(page, f"{served.url}?PROLIFIC_PID=p1&STUDY_ID=s&SESSION_ID=x")
    press_through(page)
    code = page.locator(".code").first.inner_text()
    context.close()
    served.stop()
    rows = stored(study_folder)
    assert len(code) == 8 and not errors
    assert [row.trial for row in rows] == list(range(10))
    assert {row.observer for row in rows} == {"human"} and len({row.participant_id for row in rows}) == 1
    assert "aborted" not in {row.status for row in rows}
    assert all(row.stimulus_ms_shown is not None and 50 < row.refresh_hz < 70 for row in rows)
    assert any(row.response_ms is not None for row in rows)
    assert all(url.startswith((served.url, "blob:")) for url in asked), "a third party was asked"
