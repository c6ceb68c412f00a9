"""Answers are never dropped: lapsed sessions, refusals, next persons, a server that is away; in a real browser."""

import json

import pytest
import sqlalchemy as sa

from rapidvision.experiments.online.database import schema
from rapidvision.experiments.online.output.trials_table import from_files
from rapidvision.experiments.online.storage.open_database import default_database, open_online_store
from rapidvision.experiments.online.study.plans import open_study
from rapidvision.experiments.online.study.settings import OnlineSettings, Screening

from .client import stored_trials
from .conftest import write_settings
from .test_runner import SIZE, agree, press_through, session_of

pytestmark = pytest.mark.browser

SETTINGS = OnlineSettings(screening=Screening(fullscreen=False))
BRIEF = OnlineSettings(screening=Screening(fullscreen=False), lapse_minutes=0.02)
WAITING = """async () => {
  let n = 0;
  for (const { name } of await indexedDB.databases()) {
    if (!name.startsWith("rapidvision-")) continue;
    const database = await new Promise((done) => {
      const request = indexedDB.open(name);
      request.onsuccess = () => done(request.result);
    });
    n += await new Promise((done) => {
      const request = database.transaction("finished").objectStore("finished").count();
      request.onsuccess = () => done(request.result);
    });
    database.close();
  }
  return n;
}"""


def states(folder):
    store = open_online_store(default_database(folder), open_study(folder), reading=True)
    try:
        return store.read(lambda c: sorted(c.scalars(sa.select(schema.session.c.state))))
    finally:
        store.close()


def wait_until(page, true, limit_s=30):
    for _ in range(limit_s * 5):
        if true():
            return
        page.wait_for_timeout(200)
    raise AssertionError(page.inner_text("body"))


def test_a_session_that_lapsed_while_offline_loses_no_answer(chromium, study_folder, serve):
    write_settings(study_folder, BRIEF)
    served = serve(study_folder, "--simulate", "--seed", "1")
    context = chromium.new_context(viewport=SIZE)
    page = session_of(context, f"{served.url}?simulate")
    context.set_offline(True)
    wait_until(page, lambda: states(study_folder) == ["lapsed"])
    wait_until(page, lambda: page.evaluate(WAITING) >= 5)
    context.set_offline(False)
    page.locator("body[data-done]").wait_for(timeout=60_000)
    assert page.evaluate(WAITING) == 0
    context.close()
    served.stop()
    rows = stored_trials(study_folder)
    assert [row.trial for row in rows] == list(range(10)) and states(study_folder) == ["finished"]
    assert sum("after_lapse" in (row.flags or "") for row in rows) >= 5


def test_a_page_that_is_loaded_again_after_the_lapse_sends_what_it_kept_and_stops(chromium, study_folder, serve):
    write_settings(study_folder, BRIEF)
    served = serve(study_folder, "--simulate", "--seed", "1")
    context = chromium.new_context(viewport=SIZE)
    page = session_of(context, f"{served.url}?simulate")
    context.route("**/api/trials/*", lambda route: route.abort())
    wait_until(page, lambda: page.evaluate(WAITING) >= 3)
    page.goto("about:blank")
    wait_until(page, lambda: states(study_folder) == ["lapsed"])
    context.unroute_all()
    page.goto(f"{served.url}?simulate")
    page.locator("body[data-stopped=lapsed]").wait_for(timeout=30_000)
    assert "too long ago" in page.inner_text("body") and page.evaluate(WAITING) == 0
    context.close()
    served.stop()
    rows = stored_trials(study_folder)
    assert len(rows) >= 3 and {"lapsed"} <= set.intersection(*(set(row.flags.split()) for row in rows))


def test_what_the_server_refuses_stays_and_can_be_saved_or_sent_again(chromium, study_folder, serve, tmp_path):
    write_settings(study_folder, SETTINGS)
    served = serve(study_folder)
    context = chromium.new_context(viewport=SIZE, accept_downloads=True)
    refusal = json.dumps({"error": "token", "text": "this token is not valid"})
    context.route("**/api/trials/2", lambda r: r.fulfill(status=401, body=refusal, content_type="application/json"))
    page = context.new_page()
    agree(page, f"{served.url}?id=ann")
    press_through(page, until="document.body.dataset.stopped")
    page.get_by_text("only in this browser").wait_for(timeout=10_000)
    with page.expect_download() as download:
        page.get_by_role("link", name="Save your answers").click()
    download.value.save_as(tmp_path / "kept.json")
    served_study = open_study(study_folder)
    rows = from_files(served_study, [tmp_path / "kept.json"])
    assert 2 in [row.trial for row in rows] and {row.observer_kind for row in rows} == {"human"}
    assert {row.session_id for row in rows} == {row.session_id for row in stored_trials(study_folder)}
    context.unroute_all()
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("button", name="I agree").click(timeout=20_000)
    press_through(page)
    context.close()
    served.stop()
    assert [row.trial for row in stored_trials(study_folder)] == list(range(10))


def test_the_next_person_is_asked_and_never_sees_the_former_ones_code(chromium, study_folder, serve):
    write_settings(study_folder, SETTINGS)
    served = serve(study_folder, "--simulate", "--seed", "1")
    context = chromium.new_context(viewport=SIZE)
    page = context.new_page()
    agree(page, served.url)
    press_through(page)
    code = page.locator(".code").first.inner_text()
    page.reload()
    page.get_by_text("Was that you?").wait_for(timeout=20_000)
    assert code not in page.inner_text("body")
    page.get_by_role("button", name="Yes").click()
    page.get_by_role("button", name="I agree").click(timeout=20_000)
    page.get_by_text(code).wait_for(timeout=20_000)
    robot = context.new_page()
    robot.goto(f"{served.url}?simulate=fast")
    robot.locator("body[data-done]").wait_for(timeout=30_000)
    assert page.locator("body").get_attribute("data-stopped") is None
    other = context.new_page()
    other.goto(served.url)
    other.get_by_role("button", name="somebody else").click(timeout=20_000)
    other.get_by_role("button", name="I agree").click(timeout=20_000)
    press_through(other)
    assert other.locator(".code").first.inner_text() != code
    context.close()
    served.stop()
    kinds = [(row.observer_kind, row.session_id) for row in stored_trials(study_folder)]
    assert sorted(kind for kind, _ in set(kinds)) == ["human", "human", "simulated"]


def test_what_a_former_person_could_not_send_is_sent_by_the_next_ones_page(chromium, study_folder, serve):
    write_settings(study_folder, SETTINGS)
    served = serve(study_folder)
    context = chromium.new_context(viewport=SIZE)
    context.route("**/api/trials/*", lambda route: route.abort())
    page = context.new_page()
    agree(page, f"{served.url}?id=ann")
    press_through(page, until="document.body.classList.contains('running')")
    wait_until(page, lambda: page.evaluate(WAITING) >= 2)
    served.stop()  # a page that is closed tries once more, past routes and the page's own connection
    page.close()
    context.unroute_all()
    assert stored_trials(study_folder) == []
    served.start()
    other = context.new_page()
    agree(other, f"{served.url}?id=bob")
    wait_until(other, lambda: len(stored_trials(study_folder)) >= 2)
    context.close()


def test_without_connection_a_notice_is_shown_between_trials_and_at_the_start(chromium, study_folder, serve):
    write_settings(study_folder, SETTINGS)
    served = serve(study_folder, "--simulate", "--seed", "1")
    context = chromium.new_context(viewport=SIZE)
    page = session_of(context, f"{served.url}?simulate")
    context.set_offline(True)
    page.locator("#connection").wait_for(state="visible", timeout=20_000)
    assert "No connection" in page.inner_text("#connection")
    context.set_offline(False)
    page.locator("#connection").wait_for(state="hidden", timeout=20_000)
    page.locator("body[data-done]").wait_for(timeout=60_000)
    start = context.new_page()
    context.route("**/api/study", lambda route: route.abort())
    start.goto(served.url)
    start.locator("#connection").wait_for(state="visible", timeout=20_000)
    context.close()


def test_a_link_that_asks_for_simulation_is_refused_where_there_is_none(chromium, study_folder, serve):
    write_settings(study_folder, SETTINGS)
    served = serve(study_folder)
    page = chromium.new_page()
    page.goto(f"{served.url}?simulate")
    page.get_by_text("no simulated participants").wait_for(timeout=20_000)
    page.close()
    served.stop()
    assert stored_trials(study_folder) == [] and states(study_folder) == []
