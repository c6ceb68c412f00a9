"""Responses and answers as people give them in a browser: touches, releases, ratings, typed words; pages that wait."""

import time

import msgspec
import pytest
import sqlalchemy as sa

from rapidvision.experiments.design.planning import make_study
from rapidvision.experiments.engine.participants import Observers
from rapidvision.experiments.online.database.schema import event, session
from rapidvision.experiments.online.service.answers import Simulated
from rapidvision.experiments.online.storage.adaptive_choices import state_before
from rapidvision.experiments.online.study.settings import OnlineSettings, Screening
from rapidvision.task.questions import Question
from rapidvision.task.session import Feedback, Practice

from .conftest import write_settings
from .mounted import Mounted, quick

pytestmark = pytest.mark.browser

SIZE = {"width": 1000, "height": 800}
PHONE = {"viewport": {"width": 390, "height": 800}, "is_mobile": True, "has_touch": True}
SETTINGS = OnlineSettings(screening=Screening(fullscreen=False, min_width_px=300, min_height_px=300))
AGE = Question(name="age", kind="number", ask="start", range=(18.0, 99.0), text="How old are you?")
REMARKS = Question(name="remarks", kind="text", ask="end", required=False)
replace = msgspec.structs.replace


def with_ms(protocol, **durations):
    """The protocol with other durations, and a limit where one is named."""
    limit = durations.pop("limit_ms", protocol.response.limit_ms)
    phases = tuple(replace(p, duration_ms=durations.get(p.id, p.duration_ms)) for p in protocol.phases)
    return replace(protocol, phases=phases, response=replace(protocol.response, limit_ms=limit))


def protocols():
    """What the tests of this module take part in."""
    few = {"images": 4, "blocks": 1, "practice": 0}
    touch = quick("sixteen-way", images=16, blocks=1, practice=0)
    paper = with_ms(quick("paper", **few), fixation=200)
    return {
        "touch": with_ms(touch, fixation=100, stimulus=50, mask=50, options=500, interval=50, limit_ms=500),
        "release": with_ms(quick("go-nogo", **few), fixation=400, wait=480, limit_ms=500),
        "rating": replace(
            with_ms(quick("confidence", **few), fixation=200),
            questions=(AGE, quick("confidence").questions[0], REMARKS),
        ),
        "lit": replace(touch, feedback=Feedback(practice="wrong", main="wrong", shows="option")),
        "lit-keys": replace(
            quick("paper", images=8, blocks=1), feedback=Feedback(practice="wrong", main="wrong", shows="option")
        ),
        "waits": replace(paper, breaks=replace(paper.breaks, page_ms=1500)),
        "threshold": with_ms(quick("threshold", **few), fixation=200),
        "gated": replace(paper, practice=Practice(n_trials=6, criterion=1.0, max_rounds=2, failed="stop")),
    }


@pytest.fixture(scope="module")
def server(set_of, tmp_path_factory):
    folder, folders = tmp_path_factory.mktemp("responses"), {}
    for name, protocol in protocols().items():
        folders[name] = folder / name
        make_study(set_of("sixteen-way" if name in ("touch", "lit") else "paper"), protocol, folders[name], n_slots=1)
        write_settings(folders[name], SETTINGS)
    guessers = Simulated(Observers(guessers=1.0, response_shift_ms=150, response_median_ms=150, no_answer=0.5), seed=1)
    made = Mounted(folders, simulated=guessers)
    yield made
    made.stop()


@pytest.fixture
def person(chromium, server):
    """A function: the page of somebody who agreed to take part in a study; closed after the test."""
    contexts = []

    def come(name, **options):
        contexts.append(chromium.new_context(**{"viewport": SIZE, **options}))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: pytest.fail(str(error)))
        page.goto(f"{server.url}/{name}/")
        page.get_by_role("button", name="I agree").click(timeout=30_000)
        return page

    yield come
    for context in contexts:
        context.close()


def press(page, *keys, until):
    """Press a key every 100 ms, one after another, until something is so."""
    for number in range(300):
        if page.evaluate(until):
            return
        page.keyboard.press(keys[number % len(keys)])
        page.wait_for_timeout(100)
    raise AssertionError(page.inner_text("body"))


def wait(page, condition, limit_s=60):
    """Wait until something is so; the page's policy lets no string be evaluated in it, so this process asks."""
    end = time.monotonic() + limit_s
    while not page.evaluate(condition):
        assert time.monotonic() < end, (condition, page.inner_text("body"))
        page.wait_for_timeout(10)


#: Every text that a page shows is kept.
KEEP_TEXTS = """
  window.texts = [];
  const note = () => {
    const words = document.querySelector("#page > .text")?.textContent;
    if (words && words !== window.texts[window.texts.length - 1]) window.texts.push(words);
  };
  window.lit = [];
  const light = () => {
    const found = document.querySelector("#page .options.feedback .lit");
    if (found && found !== window.last) window.lit.push((window.last = found).textContent);
  };
  new MutationObserver(light).observe(document, { childList: true, subtree: true });
  new MutationObserver(note).observe(document, { childList: true, subtree: true });
"""
DONE, RUNNING = "Boolean(document.body.dataset.done)", "document.body.classList.contains('running')"
OPTIONS_UP = """() => {
  const grid = document.querySelector("#stage .options");
  return document.body.classList.contains("running") && grid && getComputedStyle(grid).opacity === "1"
    && getComputedStyle(grid).pointerEvents === "auto";
}"""


def test_a_phone_takes_part_where_every_option_can_be_touched_and_the_last_touch_counts(person, server):
    page = person("touch", **PHONE)
    assert page.get_by_text("real keyboard").count() == 0
    for _ in range(600):
        if page.evaluate(DONE):
            break
        if page.evaluate(OPTIONS_UP):
            for name in ("dog", "bear"):
                box = page.locator(f'#stage [data-area="{name}"]').bounding_box()
                page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            wait(page, f"!({OPTIONS_UP})()")
        elif not page.evaluate(RUNNING):
            page.touchscreen.tap(195, 20)
        page.wait_for_timeout(20)
    rows = server.rows("touch")
    assert len(rows) == 16
    touched = [row for row in rows if row.response != "none"]
    assert len(touched) >= 12, [row.response for row in rows]  # a busy computer may touch too late
    assert {(row.input, row.response) for row in touched} <= {("area:bear", "bear"), ("area:dog", "dog")}
    assert sum(row.response == "bear" for row in touched) >= len(touched) - 3
    assert all(0 <= row.response_ms <= 500 and row.status == "ok" for row in touched)
    assert {row.correct for row in touched if row.response == "bear"} == {row.category == "bear" for row in touched}


def test_a_key_is_held_before_the_trial_and_its_release_is_the_response(person, server):
    page = person("release")
    hold = "document.body.innerText.includes('Hold')"
    press(page, "F9", until="Boolean(document.querySelector('.caps'))")
    press(page, "Space", until="Boolean(document.querySelector('.caps .tried'))")
    press(page, "F9", until=hold)
    page.keyboard.down("Space")
    wait(page, RUNNING)
    cross = "getComputedStyle(document.querySelector('.cross')).backgroundImage"
    assert "rgb(255, 255, 255)" in page.evaluate(cross), "white on the task's black"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(255, 255, 255)"
    page.wait_for_timeout(400 + 250)
    page.keyboard.up("Space")
    wait(page, hold)
    page.keyboard.down("Space")  # and held through the other trials
    wait(page, "document.body.innerText.includes('Thank you')")
    page.keyboard.up("Space")
    press(page, "Space", until=DONE)
    rows = server.rows("release")
    assert [row.response for row in rows] == ["go", "no-go", "no-go", "no-go"]
    assert {row.status for row in rows} == {"ok"} and rows[0].input == "space" and 0 < rows[0].response_ms < 500
    assert [row.correct for row in rows] == [row.correct_response == row.response for row in rows]


def test_questions_are_answered_by_keys_clicks_and_words_and_a_reload_asks_none_of_them_again(person, server):
    page = person("rating")
    press(page, "x", until="Boolean(document.querySelector('form.question'))")
    page.context.route("**/api/answers/*", lambda route: route.abort())
    assert page.get_by_label("How old are you?").evaluate("field => field === document.activeElement")
    page.keyboard.type("200")
    page.keyboard.press("Enter")
    assert page.get_by_role("alert").inner_text() == "Please enter a number from 18 to 99."
    page.get_by_label("How old are you?").fill("33")
    page.keyboard.press("Enter")
    wait(page, "document.querySelector('.caps')")
    page.reload()
    page.get_by_role("button", name="I agree").click(timeout=30_000)
    wait(page, "(document.querySelector('#page .text')?.textContent.length ?? 0) > 20")
    assert page.get_by_label("How old are you?").count() == 0, "the answer waits on this disk"
    page.context.unroute_all()
    asked = "Boolean(document.querySelector('form.question'))"
    for by in ("key", "click", "key", "click"):
        press(page, "s", "l", until=asked)
        if page.locator("#question-remarks").count():
            break
        if by == "key":
            page.keyboard.press("3")
        else:
            page.get_by_role("button", name="2").click()
        wait(page, "!document.querySelector('form.question [data-option]')")
    press(page, "F9", until="Boolean(document.getElementById('question-remarks'))")
    page.keyboard.press("Enter")
    press(page, "s", "l", until=DONE)
    rows = server.rows("rating")
    given = [row.more["confidence"] for row in rows if row.status != "none"]
    assert len(rows) == 4 and set(given) <= {2, 3} and given
    assert all(row.more["confidence"] is None for row in rows if row.status == "none")
    from rapidvision.experiments.online.output.export import answer_table

    answers = server.read("rating", lambda c: answer_table(c, server.served["rating"]))
    assert [(a.question, a.answer) for a in answers] == [("age", "33"), ("remarks", None)]


def test_a_page_stands_for_its_time_before_a_key_counts(person):
    page = person("waits")
    wait(page, "(document.querySelector('#page .text')?.textContent.length ?? 0) > 20")
    first = page.inner_text("#page")
    for _ in range(5):
        page.keyboard.press("x")
        page.wait_for_timeout(100)
    assert page.inner_text("#page") == first
    press(page, "x", until="Boolean(document.querySelector('.caps'))")


def test_an_adaptive_session_that_was_reloaded_shows_what_follows_from_its_answers(chromium, server):
    context = chromium.new_context(viewport=SIZE)
    page = context.new_page()
    page.goto(f"{server.url}/threshold/?simulate")
    wait(page, RUNNING)
    page.wait_for_timeout(1500)
    page.reload()
    page.locator("body[data-done]").wait_for(timeout=60_000)
    context.close()
    rows = server.rows("threshold")
    assert [row.trial for row in rows] == [0, 1, 2, 3]
    seat = server.read("threshold", lambda c: c.execute(sa.select(session)).one())
    plan = server.served["threshold"].plans[seat.group_name, seat.slot]
    for row, trial in zip(rows, plan.trials(), strict=True):
        state = server.read("threshold", lambda c, n=trial.trial: state_before(c, plan, seat.session_id, n))
        assert row.level_index == state.choose(trial).images["image"].level_index
        assert row.stimulus_sha256 == state.choose(trial).images["image"].stimulus_sha256


def test_practice_that_misses_its_criterion_ends_the_session_and_says_so(chromium, server):
    context = chromium.new_context(viewport=SIZE)
    page = context.new_page()
    page.add_init_script(KEEP_TEXTS)
    page.goto(f"{server.url}/gated/?simulate=fast")
    page.locator("body[data-done]").wait_for(timeout=60_000)
    texts = page.evaluate("window.texts")
    context.close()
    plan = next(iter(server.served["gated"].plans.values()))
    assert plan.texts["practice_failed"] in texts
    assert plan.texts["end"] not in texts and plan.texts["main"] not in texts
    rows = server.rows("gated")
    assert [row.block for row in rows] == [-1] * 6 + [-2] * 6
    assert server.read("gated", lambda c: list(c.scalars(sa.select(session.c.last_step)))) == ["criterion missed"]
    assert "criterion_missed" in server.read("gated", lambda c: list(c.scalars(sa.select(event.c.kind))))


@pytest.mark.parametrize("name", ["lit", "lit-keys"])
def test_the_right_option_is_lit_after_wrong_responses(chromium, server, name):
    context = chromium.new_context(viewport=SIZE)
    page = context.new_page()
    page.add_init_script(KEEP_TEXTS)
    page.goto(f"{server.url}/{name}/?simulate=fast")
    page.locator("body[data-done]").wait_for(timeout=60_000)
    lit, texts = page.evaluate("window.lit"), page.evaluate("window.texts")
    context.close()
    rows = server.rows(name)
    wrong = [row.correct_response for row in rows if row.status in ("ok", "early") and row.correct is False]
    assert lit == wrong
    assert len(lit) >= 2
    plan = next(iter(server.served[name].plans.values()))
    assert not {plan.texts["wrong"], plan.texts["correct"]} & set(texts)
