"""The real page in Chromium: painting by mouse, touch and keyboard, and one rule for both languages."""

import io
import time
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from rapidvision.experiments.clickme.game.rules import Rules, step_towards
from rapidvision.experiments.clickme.server import host
from rapidvision.experiments.clickme.simulation.browser_player import mind_of
from rapidvision.experiments.clickme.simulation.simulated_player import Player, stroke
from rapidvision.experiments.clickme.storage import tables
from rapidvision.experiments.clickme.storage.displayed import displayed_image
from rapidvision.experiments.clickme.storage.images import read_deck, read_maps
from tests.conftest import missing
from tests.experiments.clickme.blocked import Blocking
from tests.experiments.clickme.page import QUICK, BrowserMissing, chromium, contrast, join, over, paint, until, waiting
from tests.experiments.clickme.quickgame import stored
from tests.experiments.clickme.running import Running

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser():
    try:
        with chromium() as opened:
            yield opened
    except BrowserMissing as reason:
        missing(str(reason))


@pytest.fixture(scope="module")
def server(images, tmp_path_factory):
    data = tmp_path_factory.mktemp("page") / "game"
    with Running(images, data, game='show_view = "always"\n' + QUICK) as running:
        running.data = data
        yield running


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1100, "height": 800})
    opened = context.new_page()
    opened.problems = []
    opened.on("pageerror", lambda error: opened.problems.append(str(error)))
    opened.on(
        "request", lambda request: opened.problems.append(request.url) if "127.0.0.1" not in request.url else None
    )
    yield opened
    assert opened.problems == []
    context.close()


def record_of(running, round_id):
    return next(one for one in stored(running).rounds if one.round_id == round_id)


def painted(running, page):
    """The record of the round that is over: what the page painted, less what reached the server after the end."""
    round_id, placed, stored_ = page.evaluate("[clickme.round.id, clickme.round.placed, clickme.round.stored]")
    record = record_of(running, round_id)
    assert record.xy.tolist() == placed[: record.n_bubbles]
    assert record.n_bubbles >= max(stored_, 3)
    refusals = {one["what"] for one in page.evaluate("clickme.log") if one["what"].startswith("refused")}
    assert refusals <= {"refused over"}
    return record


def test_what_is_painted_with_the_mouse_is_what_the_server_stores(server, page):
    join(page, server.url, "Mouse")
    paint(page, n=14)
    over(page)
    record = painted(server, page)
    assert page.evaluate("clickme.way") == "socket"
    assert record.pointer == "mouse"
    assert record.automated  # a remote-controlled browser says so
    assert page.is_visible("#seen-image")


def test_touch_paints_too(server, browser):
    context = browser.new_context(viewport={"width": 768, "height": 1024}, has_touch=True, is_mobile=True)
    page = context.new_page()
    join(page, server.url, "Finger")
    box = page.locator("#canvas").bounding_box()
    touch = context.new_cdp_session(page)
    for k in range(10):
        point = {"x": box["x"] + 100 + 12 * k, "y": box["y"] + 100}
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove" if k else "touchStart", "touchPoints": [point]})
        page.wait_for_timeout(50)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    over(page)
    record = record_of(server, page.evaluate("clickme.round.id"))
    assert (record.pointer, record.is_mobile) == ("touch", True)
    assert record.n_bubbles >= 5
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


def test_a_whole_round_needs_nothing_but_a_keyboard(server, page):
    page.goto(server.url)
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.id") != "name":
        page.keyboard.press("Tab")
    page.keyboard.type("Keys only")
    page.keyboard.press("Enter")
    waiting(page)
    while page.evaluate("document.activeElement.id") != "canvas":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.down("ArrowRight")
    page.keyboard.down("ArrowDown")
    page.wait_for_timeout(600)
    page.keyboard.up("ArrowRight")
    page.keyboard.up("ArrowDown")
    over(page)
    record = record_of(server, page.evaluate("clickme.round.id"))
    assert record.pointer == "keyboard"
    assert (np.diff(record.xy, axis=0) >= 0).all()
    assert record.n_bubbles >= 5


def test_a_reload_in_a_round_continues_it(server, page):
    join(page, server.url, "Reloader")
    paint(page, n=5)
    round_id = page.evaluate("clickme.round.id")
    until(page, "clickme.round.stored >= 3")
    before = page.evaluate("clickme.round.stored")
    page.reload()
    page.wait_for_selector("body[data-state=painting], body[data-state=over], body[data-state=waiting]")
    if page.evaluate("clickme.round.id") == round_id:
        assert page.evaluate("clickme.round.placed.length") >= before
    assert record_after(server, page, round_id).n_bubbles >= before


def test_a_reload_before_the_press_does_not_start_the_clock(server, page):
    join(page, server.url, "Undecided")
    round_id = page.evaluate("clickme.round.id")
    for _ in range(3):
        page.reload()
        waiting(page)
    assert page.evaluate("clickme.round.id") == round_id
    page.wait_for_timeout(500)
    store = host.existing_store(server.data)
    try:
        started = sa.select(tables.rounds.c.started_utc).where(tables.rounds.c.round_id == round_id)
        assert store.read(lambda connection: connection.scalar(started)) is None
    finally:
        store.close()
    paint(page, n=8)
    over(page)
    assert record_of(server, round_id).n_bubbles >= 3


def record_after(server, page, round_id):
    for _ in range(100):
        for record in stored(server).rounds:
            if record.round_id == round_id:
                return record
        page.wait_for_timeout(50)
    raise AssertionError("the round never ended")


def test_a_second_window_takes_over_and_the_first_says_so(server, browser):
    context = browser.new_context()
    first, second = context.new_page(), context.new_page()
    join(first, server.url, "Two windows")
    second.goto(server.url)
    waiting(second)
    first.wait_for_selector("#notice:visible")
    assert "another window" in first.text_content("#notice-text")
    first.click("#again")
    waiting(first)
    second.wait_for_selector("#notice:visible")
    context.close()


def test_where_sockets_are_blocked_the_same_game_is_played_by_post(server, browser):
    with Blocking(server.url) as proxy:
        context = browser.new_context(viewport={"width": 1100, "height": 800})
        page = context.new_page()
        join(page, proxy.url, "Behind a wall")
        assert page.evaluate("clickme.way") == "post"
        assert proxy.n_refused >= 1
        paint(page, n=14)
        over(page)
        round_id = painted(server, page).round_id
        page.click("#next")
        waiting(page)
        assert page.evaluate("clickme.round.id") != round_id
        second = context.new_page()
        second.goto(proxy.url)
        waiting(second)
        page.wait_for_selector("#notice:visible")
        context.close()


def test_a_server_that_comes_back_is_found_again_and_by_socket(browser, images, tmp_path):
    with Running(images, tmp_path / "game", game=QUICK) as running:
        context = browser.new_context()
        page = context.new_page()
        join(page, running.url, "Patient")
        before = page.evaluate("clickme.round.id")
        running.kill()
        until(page, "document.getElementById('status').textContent.includes('Connection lost')")
        with Running(images, tmp_path / "game", port=running.port):
            until(page, f"clickme.round.id !== '{before}'")  # the server that died has closed the round
            waiting(page)
            paint(page, n=6)
            over(page)
            assert page.evaluate("clickme.way") in ("socket", "post")
        context.close()


@pytest.mark.parametrize(("width", "height"), [(390, 844), (820, 1180), (1440, 900)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_phones_tablets_and_screens_by_day_and_night(server, browser, width, height, scheme):
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    page.goto(server.url)
    page.wait_for_selector("#welcome:visible")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    join(page, server.url, f"Fits {width} {scheme}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for name in ("#word", "#canvas", "#skip", "#poor", "#wrong"):
        box = page.locator(name).bounding_box()
        assert box["x"] >= 0, name
        assert box["x"] + box["width"] <= width, name
        assert box["y"] + box["height"] <= height, f"{name} is below the screen"
        if name in ("#skip", "#poor", "#wrong"):
            assert min(box["height"], box["width"]) >= 44, f"{name} is too small for a finger"
    assert page.locator("#canvas").bounding_box()["width"] >= min(256, width - 40)
    assert contrast(page, "#word") >= 4.5
    assert contrast(page, "#own-rank") >= 4.5
    context.close()


def test_a_name_that_is_taken_or_offensive_is_explained_beside_the_field(server, page):
    join(page, server.url, "Taken")
    page.context.clear_cookies()
    page.goto(server.url)
    for name, words in (("taken", "Somebody has this one"), ("f.u.c.k", "choose another")):
        page.fill("#name", name)
        page.click("#join button")
        until(page, f"document.getElementById('join-problem').textContent.includes('{words}')")


def test_steps_in_the_page_are_the_server_s_steps(server, page):
    rng = np.random.default_rng(1)
    cases = [(tuple(a), tuple(b)) for a, b in rng.integers(0, 256, (2000, 2, 2)).tolist()]
    page.goto(server.url)
    script = "async (cases) => { const { stepTowards } = await import('./static/rules.js'); return cases.map(([a, b]) => stepTowards(a, b, 7)); }"
    found = page.evaluate(script, cases)
    assert [tuple(one) for one in found] == [step_towards(a, b, 7) for a, b in cases]


def test_the_page_is_light():
    folder = Path(host.__file__).parents[1] / "page"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 40_000


def test_a_simulated_player_paints_what_it_has_in_mind_through_the_page(server, page, images):
    deck = read_deck(images)
    maps = read_maps(deck, "truth", 256)
    mind = mind_of({name: displayed_image(card.path, 256).pixels for name, card in deck.cards.items()}, maps)
    join(page, server.url, "Painter")
    shares = []
    for number in range(3):
        round_id = page.evaluate("clickme.round.id")
        answer = page.request.get(f"{server.url}api/rounds/{round_id}/image.png")
        image = np.asarray(Image.open(io.BytesIO(answer.body())).convert("RGB"))
        importance = mind(image)
        box = page.locator("#canvas").bounding_box()
        scale = box["width"] / 256
        moves = stroke(Player("painter", sharpness=4), importance, Rules(), rng=np.random.default_rng(number))
        began = None
        for move in moves:
            page.mouse.move(box["x"] + scale * (move.x + 0.5), box["y"] + scale * (move.y + 0.5))
            if began is None:
                page.mouse.down()
                page.mouse.up()
                began = time.monotonic()
            if page.evaluate("clickme.round.phase") != "painting":
                break
            time.sleep(max(0.0, move.at_ms / 1000 - (time.monotonic() - began)))
        over(page)
        record = record_of(server, round_id)
        shares.append(float((importance[record.xy[:, 1], record.xy[:, 0]] > 0.1 * importance.max()).mean()))
        page.click("#next")
        waiting(page)
    assert np.mean(shares) > 0.4  # a mind elsewhere would have about 0.06
