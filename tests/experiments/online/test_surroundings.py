"""Keyboards, clocks, colours and storage of real people's computers."""

import csv
import io

import pytest

from rapidvision.experiments.online.output import export
from rapidvision.experiments.online.storage.open_database import default_database, open_online_store
from rapidvision.experiments.online.study.plans import open_study
from rapidvision.experiments.online.study.settings import OnlineSettings, Screening

from .client import stored_trials
from .conftest import write_settings
from .test_runner import SIZE, agree

pytestmark = pytest.mark.browser

SETTINGS = OnlineSettings(screening=Screening(fullscreen=False))


@pytest.fixture
def served(study_folder, serve):
    write_settings(study_folder, SETTINGS)
    return serve(study_folder, "--simulate", "--seed", "1")


@pytest.mark.parametrize("typed", [("ы", "д"), ("Process", "Process"), ("Unidentified", "Unidentified")])
def test_keys_without_latin_letters_are_known_by_their_place(chromium, study_folder, served, typed):
    context = chromium.new_context(viewport=SIZE)
    page = context.new_page()
    agree(page, served.url)
    keys = context.new_cdp_session(page)
    sent = []
    page.on("request", lambda request: sent.append(request.url) if "/api/trials" in request.url else None)
    for turn in range(800):
        if page.evaluate("document.body.dataset.done"):
            break
        # A trial takes the first key after its onset: in strict turns that may always be the same one.
        place = len(sent) // 2 % 2 if sent else turn % 2
        for kind in ("keyDown", "keyUp"):
            keys.send("Input.dispatchKeyEvent", {"type": kind, "key": typed[place], "code": ("KeyS", "KeyL")[place]})
        page.wait_for_timeout(40)
    assert page.evaluate("document.body.dataset.done"), page.inner_text("body")
    context.close()
    served.stop()
    assert {row.input for row in stored_trials(study_folder)} >= {"s", "l"}


def test_a_latin_letter_is_what_it_types_and_strange_stamps_are_replaced(chromium, served):
    page = chromium.new_page()
    page.goto(served.url)
    found = page.evaluate(
        """async () => {
        const { keyMeant, pressedAt } = await import("./static/inputs.js");
        const { shiftWithin } = await import("./static/thread.js");
        return [
          [["S", "KeyS"], ["o", "KeyS"], ["s", "Semicolon"], ["ß", "KeyS"], ["ArrowLeft", "ArrowLeft"], ["é", "Digit2"]].map(
            ([key, code]) => keyMeant(key, code, ["s", "l", "2"])),
          [pressedAt(990, 1000), pressedAt(1.8e12, 1000), pressedAt(100, 900000)],
          [shiftWithin(3.05, 3, 3.1), shiftWithin(3600000, 3, 3.1)],
        ];
      }"""
    )
    page.close()
    assert found[0] == ["s", "o", "s", "s", "left", "2"]
    assert found[1] == [990, 1000, 900000] and found[2] == pytest.approx([3.05, 3.05])


@pytest.mark.parametrize(("presenter", "step_ms"), [("auto", 3_600_000), ("worker", -3_600_000)])
def test_a_wall_clock_that_was_set_after_the_page_loaded_holds_and_cuts_nothing(
    chromium, study_folder, serve, presenter, step_ms
):
    """The page's time origin is off by an hour against the drawing thread's, as after a step of the wall clock."""
    write_settings(study_folder, OnlineSettings(screening=Screening(fullscreen=False), presenter=presenter))
    served = serve(study_folder, "--simulate", "--seed", "1")
    context = chromium.new_context(viewport=SIZE)
    page = context.new_page()
    page.add_init_script(
        f"const origin = performance.timeOrigin;"
        f"Object.defineProperty(performance, 'timeOrigin', {{ get: () => origin + {step_ms} }});"
    )
    page.goto(f"{served.url}?simulate")
    page.locator("body[data-done]").wait_for(timeout=60_000)
    context.close()
    served.stop()
    rows = stored_trials(study_folder)
    assert len(rows) == 10 and "aborted" not in {row.status for row in rows}
    assert all(50 < row.more["fixation_ms"] < 500 and 30 < row.more["stimulus_ms"] < 400 for row in rows)
    assert any(row.response_ms is not None for row in rows)


def test_forced_colours_leave_the_stage_alone_and_are_recorded(chromium, study_folder, served):
    context = chromium.new_context(viewport=SIZE, forced_colors="active")
    page = context.new_page()
    page.goto(f"{served.url}?simulate")
    page.locator("body.running").wait_for(timeout=30_000)
    colour = "(id) => getComputedStyle(document.querySelector(id)).backgroundColor"
    assert page.evaluate(colour, "#stage") == "rgb(255, 255, 255)"
    assert "rgb(0, 0, 0)" in page.evaluate("getComputedStyle(document.querySelector('.cross')).backgroundImage")
    page.locator("body[data-done]").wait_for(timeout=60_000)
    context.close()
    served.stop()
    study = open_study(study_folder)
    store = open_online_store(default_database(study_folder), study, reading=True)
    text = store.read(lambda c: export.sessions_csv(c, study, observers=("simulated",)))
    store.close()
    assert [row["forced_colors"] for row in csv.DictReader(io.StringIO(text))] == ["true"]


@pytest.mark.parametrize(
    "blocked",
    [
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } });",
        "IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); };",
    ],
    ids=["cookies", "databases"],
)
def test_a_browser_that_keeps_nothing_is_told_so_before_consent(chromium, study_folder, served, blocked):
    context = chromium.new_context(viewport=SIZE)
    page = context.new_page()
    page.add_init_script(blocked)
    page.goto(served.url)
    page.get_by_text("allow cookies").wait_for(timeout=20_000)
    assert page.get_by_role("button").count() == 0
    context.close()
    served.stop()
    assert stored_trials(study_folder) == []
