"""The runner in a real browser: a whole session by real keys, resume, newest tab, exclusion, simulated people."""

import json
import time
from pathlib import Path

import pytest

import rapidvision
from rapidvision.experiments import online
from rapidvision.experiments.online.study.plans import open_study
from rapidvision.experiments.online.study.settings import OnlineSettings, Screening

from .client import stored_trials
from .conftest import write_settings

pytestmark = pytest.mark.browser

SETTINGS = OnlineSettings(screening=Screening(fullscreen=False))
SIZE = {"width": 1000, "height": 700}


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
    rows = stored_trials(study_folder)
    assert len(code) == 8 and not errors
    assert [row.trial for row in rows] == list(range(10))
    assert {row.observer for row in rows} == {"human"} and len({row.participant_id for row in rows}) == 1
    assert "aborted" not in {row.status for row in rows}
    assert all(row.more["stimulus_ms"] is not None and 50 < row.refresh_hz < 70 for row in rows)
    assert any(row.response_ms is not None for row in rows)
    assert all(url.startswith((served.url, "blob:")) for url in asked), "a third party was asked"


@pytest.mark.parametrize("lost", ["session.js", "main.js", "style.css"])
def test_a_server_that_dies_while_the_page_loads_is_waited_for(chromium, study_folder, serve, lost):
    write_settings(study_folder, SETTINGS)
    served = serve(study_folder)
    context = chromium.new_context(viewport=SIZE)
    context.route(f"**/static/{lost}", lambda route: route.abort())
    page = context.new_page()
    page.goto(served.url)
    page.get_by_text("The server does not answer").wait_for(timeout=20_000)
    context.unroute_all()
    page.get_by_role("button", name="I agree").wait_for(timeout=30_000)
    context.close()


def test_a_browser_that_cannot_read_the_modules_is_told_so(chromium, study_folder, serve):
    served = serve(study_folder)
    context = chromium.new_context(viewport=SIZE)
    script = {"body": "const const = 1;", "content_type": "text/javascript"}
    context.route("**/static/main.js", lambda route: route.fulfill(**script))
    page = context.new_page()
    page.goto(served.url)
    page.get_by_text("too old").wait_for(timeout=20_000)
    context.close()


def session_of(context, url):
    """Open a page of a context and continue until its first trial was shown."""
    page = context.new_page()
    page.goto(url)
    page.locator("body.running").wait_for(timeout=30_000)
    return page


def test_a_reload_within_a_trial_marks_it_and_continues_with_the_next(chromium, study_folder, serve):
    write_settings(study_folder, SETTINGS)
    served = serve(study_folder, "--simulate", "--seed", "1")
    context = chromium.new_context(viewport=SIZE)
    page = session_of(context, f"{served.url}?simulate")
    page.reload()
    page.locator("body[data-done]").wait_for(timeout=60_000)
    context.close()
    served.stop()
    rows = stored_trials(study_folder)
    assert [row.trial for row in rows] == list(range(10))
    assert [row.status for row in rows].count("aborted") == 1
    assert {row.observer for row in rows} == {"simulated"}


def test_the_newest_tab_wins_and_the_old_one_says_so(chromium, study_folder, serve):
    write_settings(study_folder, SETTINGS)
    served = serve(study_folder, "--simulate", "--seed", "1")
    context = chromium.new_context(viewport=SIZE)
    old = session_of(context, f"{served.url}?simulate&id=ann")
    new = context.new_page()
    new.goto(f"{served.url}?simulate&id=ann")
    old.locator("body[data-stopped=elsewhere]").wait_for(timeout=30_000)
    assert "another tab" in old.inner_text("body")
    new.locator("body[data-done]").wait_for(timeout=60_000)
    context.close()
    served.stop()
    assert [row.trial for row in stored_trials(study_folder)] == list(range(10))


CUT_SHORT = """
    window.BroadcastChannel = class extends BroadcastChannel {
        constructor(name) { super(name); window.tabs = this; }
    };
    const animate = Element.prototype.animate;
    let calls = 0;
    Element.prototype.animate = function (...how) {
        if (document.body.classList.contains("running") && ++calls === 4) queueMicrotask(() => window.tabs.onmessage());
        return animate.apply(this, how);
    };
"""


def test_a_image_cut_short_by_a_newer_tab_is_no_error_and_no_measurement(chromium, study_folder, serve):
    """The news comes while the second trial's image is about to start: its two animations are not ready yet."""
    write_settings(study_folder, SETTINGS)
    served = serve(study_folder, "--simulate", "--seed", "1")
    context = chromium.new_context(viewport=SIZE)
    page = context.new_page()
    page.add_init_script(CUT_SHORT)
    page.goto(f"{served.url}?simulate")
    page.locator("body[data-stopped]").wait_for(timeout=30_000)
    page.wait_for_timeout(500)
    assert page.locator("body").get_attribute("data-stopped") == "elsewhere"
    assert "another tab" in page.inner_text("body")
    context.close()
    served.stop()
    assert [row.trial for row in stored_trials(study_folder)] == [0]


def test_a_phone_and_a_small_window_are_turned_away_before_consent_and_counted(chromium, study_folder, serve):
    write_settings(study_folder, SETTINGS)
    served = serve(study_folder)
    for options, words in (
        ({"viewport": {"width": 390, "height": 800}, "is_mobile": True, "has_touch": True}, "real keyboard"),
        ({"viewport": {"width": 700, "height": 500}}, "too small"),
    ):
        context = chromium.new_context(**options)
        page = context.new_page()
        page.goto(served.url)
        page.get_by_text(words).wait_for(timeout=20_000)
        assert page.get_by_role("button").count() == 0
        context.close()
    served.stop()
    assert stored_trials(study_folder) == []


def test_who_does_not_agree_leaves_no_trace(chromium, study_folder, serve):
    write_settings(study_folder, SETTINGS)
    served = serve(study_folder)
    context = chromium.new_context(viewport=SIZE)
    page = context.new_page()
    page.goto(f"{served.url}?PROLIFIC_PID=ann")
    page.get_by_role("button", name="I do not agree").click(timeout=20_000)
    page.get_by_text("Nothing was stored").wait_for()
    context.close()
    served.stop()
    assert not any(b"PROLIFIC_PID" in path.read_bytes() for path in (study_folder / "online").iterdir())


def test_a_damaged_image_stops_the_session_with_plain_words(chromium, study_folder, serve):
    write_settings(study_folder, SETTINGS)
    served = serve(study_folder, "--simulate")
    context = chromium.new_context(viewport=SIZE)
    context.route("**/stimuli/*", lambda route: route.fulfill(body=b"not the image", content_type="image/png"))
    page = context.new_page()
    page.goto(f"{served.url}?simulate=fast")
    page.get_by_text("arrived damaged").wait_for(timeout=30_000)
    context.close()


def test_a_fast_simulated_session_gives_the_engines_table(chromium, study_folder, serve):
    from rapidvision.experiments.engine.participants import Observers
    from rapidvision.experiments.engine.simulate import simulate_study

    write_settings(study_folder, SETTINGS)
    served = serve(study_folder, "--simulate", "--seed", "9")
    for _ in range(2):
        context = chromium.new_context(viewport=SIZE)
        page = context.new_page()
        page.goto(f"{served.url}?simulate=fast")
        page.locator("body[data-done]").wait_for(timeout=60_000)
        context.close()
    served.stop()
    rows = stored_trials(study_folder)
    study = open_study(study_folder)
    plans = [study.plans[key] for key in dict.fromkeys((row.group, row.slot) for row in rows)]
    expected = simulate_study(plans, Observers(), seed=9)
    same = ("group", "slot", "trial", "image_id", "level_index", "input", "response", "correct", "status")
    assert len(rows) == 20
    assert [[getattr(r, name) for name in same] for r in rows] == [
        [getattr(r, name) for name in same] for r in expected
    ]
    assert [r.response_ms for r in rows] == pytest.approx([r.response_ms for r in expected], abs=0.002, nan_ok=True)


def test_the_rules_about_time_are_those_of_the_lab(chromium, study_folder, serve):
    served = serve(study_folder)
    page = chromium.new_page()
    page.goto(served.url)
    vectors = Path(rapidvision.__file__).parent / "vectors"
    refreshes = json.loads((vectors / "refreshes.json").read_text())["cases"]
    judged = json.loads((vectors / "judge.json").read_text())["cases"]
    assert len(refreshes) > 20 and len(judged) > 10
    found = page.evaluate(
        """async ([refreshes, judged]) => {
        const rules = await import("./static/timing.js");
        return [
          refreshes.map((c) => rules.refreshes(c.duration_ms, c.refresh_hz)),
          judged.map(({ given: c }) => rules.judge({ response: c.response, correctResponse: c.correct_response, responseMs:
              c.response_ms, limitMs: c.limit_ms, earlyMs: c.early_ms, withheld: c.withheld })),
        ];
      }""",
        [refreshes, judged],
    )
    page.close()
    assert found[0] == [case["refreshes"] for case in refreshes]
    assert found[1] == [case["outcome"] for case in judged]


def test_hashes_made_by_hand_are_the_browsers(chromium, study_folder, serve):
    served = serve(study_folder)
    page = chromium.new_page()
    page.goto(served.url)
    found = page.evaluate(
        """async () => {
        const { sha256, sha256ByHand } = await import("./static/sha256.js");
        const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
        const pairs = [];
        for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000, 70001]) {
          const data = new Uint8Array(length).map((_, i) => (i * 7 + length) % 256);
          pairs.push([await sha256(data.buffer), hex(sha256ByHand(data))]);
        }
        return pairs;
      }"""
    )
    page.close()
    assert len(found) == 11 and all(browser == by_hand for browser, by_hand in found)


def test_the_runner_is_small():
    folder = Path(online.__file__).parent / "static" / "runner"
    assert sum(path.stat().st_size for path in folder.iterdir() if path.suffix in (".js", ".css")) <= 150_000
