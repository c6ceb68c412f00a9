"""The desk in a process of its own: access, uploads, jobs, and a stranger who makes a study of own images in Chromium."""

import json
import re
import signal
import subprocess
import sys
import time

import httpx
import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from rapidvision.experiments.desk.app import ACTIONS
from rapidvision.experiments.desk.jobs import Jobs
from rapidvision.formats import trials_table
from rapidvision.formats.manifest import read_set
from tests import chromium
from tests.accessible import violations
from tests.conftest import missing


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A desk in a process of its own: its folder, its address with the token."""
    folder = tmp_path_factory.mktemp("desk")
    command = [sys.executable, "-m", "rapidvision", "desk", str(folder), "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    address = re.search(r"http://\S+", process.stdout.readline()).group(0)
    yield folder, address
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.fixture
def client(desk):
    with httpx.Client(base_url=desk[1].partition("/?")[0], follow_redirects=True) as found:
        assert found.get(desk[1]).status_code == 200
        yield found


def ended(client, number):
    """Wait until a job has ended and return its state."""
    while (now := client.get(f"/job/{number}/state").json())["state"] == "running":
        time.sleep(0.05)
    return now


def job_of(answer):
    assert answer.status_code == 200, answer.text
    return int(re.fullmatch(r"/job/(\d+)", answer.url.path).group(1))


@pytest.mark.parametrize(
    "ask",
    [
        httpx.get,
        lambda base: httpx.get(f"{base}/?token=guess"),
        lambda base: httpx.get(f"{base}/study/one"),
        lambda base: httpx.post(f"{base}/new", data={"name": "x", "images": "own"}),
    ],
)
def test_who_lacks_the_token_is_told_nothing_and_changes_nothing(desk, ask):
    before = sorted(path.name for path in desk[0].iterdir())
    assert ask(desk[1].partition("/?")[0]).status_code == 403
    assert sorted(path.name for path in desk[0].iterdir()) == before


def test_other_sites_and_other_names_of_this_computer_are_refused(client):
    form = {"name": "forged", "images": "own"}
    assert client.post("/new", data=form, headers={"origin": "http://other.example"}).status_code == 403
    assert client.post("/new", data=form, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert client.get("/", headers={"host": "lab.example"}).status_code == 403
    assert client.post("/new", content="name=x", headers={"content-type": "text/plain"}).status_code == 415
    assert "forged" not in client.get("/").text


def test_a_bad_name_is_answered_beside_the_form(client):
    answer = client.post("/new", data={"name": "<b>", "images": "own"})
    assert answer.status_code == 400
    assert "&lt;b&gt;" in answer.text
    assert "<b>" not in answer.text


@pytest.mark.parametrize("path", ["../../etc/passwd", "%2e%2e/secret", "a/../../b", "..%5Cb", "%00", "con/a.png"])
def test_uploads_stay_in_their_folder(client, desk, path):
    client.post("/new", data={"name": "kept", "images": "own"})
    before = sorted(desk[0].rglob("*"))
    assert client.put(f"/study/kept/upload/{path}", content=b"x").status_code in (400, 404, 405)
    assert client.get(f"/study/kept/file/{path}").status_code == 404
    assert sorted(desk[0].rglob("*")) == before


def test_a_file_is_uploaded_once_and_shown_without_power_over_the_desk(client):
    client.post("/new", data={"name": "once", "images": "own"})
    assert client.put("/study/once/upload/a b/ä.html", content=b"<script>1</script>").status_code == 200
    assert client.put("/study/once/upload/a b/ä.html", content=b"other").status_code == 409
    shown = client.get("/study/once/file/upload/a b/ä.html")
    assert shown.text == "<script>1</script>"
    assert "connect-src 'none'" in shown.headers["content-security-policy"]
    assert "form-action 'none'" in shown.headers["content-security-policy"]


def test_a_job_that_fails_says_why_and_one_that_is_stopped_can_be_started_again(client):
    client.post("/new", data={"name": "failing", "images": "own"})
    client.put("/study/failing/upload/note.txt", content=b"no image")
    number = job_of(client.post("/study/failing/do/init", data={}))
    now = ended(client, number)
    assert now["state"] == "failed"
    assert "image" in now["log"].splitlines()[-1]
    refused = client.post("/study/failing/do/plan", data={"n_per_group": "2"})
    assert refused.status_code == 400
    assert "build the stimuli first" in refused.text
    number = job_of(client.post("/study/failing/do/build-bundled", data={}))
    again = client.post("/study/failing/do/build-bundled", data={})
    assert again.status_code == 400
    assert f"is running already, as job {number}" in again.text
    client.post(f"/job/{number}/stop")
    assert ended(client, number)["state"] == "stopped"


def test_jobs_of_a_desk_that_was_killed_are_not_said_to_run(tmp_path):
    jobs = Jobs(tmp_path / "jobs", tmp_path)
    (tmp_path / "jobs" / "00004.json").write_text(
        json.dumps(
            {
                "number": 4,
                "project": "one",
                "action": "plan",
                "label": "",
                "steps": [],
                "python": [],
                "state": "running",
            }
        )
    )
    assert [job.state for job in jobs.all()] == ["running"]
    assert [job.state for job in Jobs(tmp_path / "jobs", tmp_path).all()] == ["stopped"]


def images(folder, n=16):
    """Photograph-like noise in folders of their categories, and a map of each."""
    rng = np.random.default_rng(8)
    for number in range(n):
        category = "cat" if number % 2 else "table"
        for name in (f"photos/{category}", "saliency", "network"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        pixels = gaussian_filter(rng.normal(size=(60, 80, 3)), (3, 3, 0))
        pixels = (255 * (pixels - pixels.min()) / np.ptp(pixels)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"photos/{category}/{category}_{number:02d}.png")
        for source in ("saliency", "network"):
            spot = np.zeros((60, 80))
            spot[tuple(rng.integers(15, 45, 2))] = 1
            spot = gaussian_filter(spot, 6)
            grey = Image.fromarray((255 * spot / spot.max()).astype(np.uint8))
            grey.save(folder / f"{source}/{category}_{number:02d}.png")


@pytest.mark.browser
def test_a_stranger_makes_and_reads_a_study_of_own_images(desk, tmp_path, node_modules):
    if chromium.PATH is None:
        missing("Chromium is not installed")
    images(tmp_path)
    folder, address = desk
    clicks = []
    with chromium.playwright_driver() as driver:
        browser = driver.chromium.launch(executable_path=chromium.PATH, args=chromium.ARGUMENTS)
        page = browser.new_page()
        troubles = []
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)

        def click(selector):
            clicks.append(selector)
            page.click(selector)

        def finish():
            page.wait_for_selector(".state-done, .state-failed, .state-stopped", timeout=240_000)
            assert page.locator("[role=status] .state-done").count() == 1, page.inner_text("pre")
            click("text=To the study")

        def look(name, shown=page):
            barriers[name] = violations(shown, node_modules)

        barriers = {}
        page.goto(address)
        look("studies")
        page.fill("#name", "own")
        click("text=my own images")
        click("text=Make the study")
        for name in ("photos", "saliency", "network"):
            with page.expect_navigation(timeout=60_000):
                page.set_input_files("#folder", tmp_path / name)
            if not page.locator("#folder").is_visible():
                click("summary:has-text('Upload images')")
        look("study")
        page.fill("#init-targets", "cat")
        click("button:has-text('Guess readers')")
        finish()
        click("text=Categories and targets")
        look("categories")
        assert page.locator("input[name='target:cat']").is_checked()
        assert page.locator(".thumb").evaluate_all(
            "all => all.every((one) => one.complete ? one.naturalWidth > 0 : true)"
        )
        click("button:has-text('Save') >> nth=0")
        click("button:has-text('Check and build')")
        finish()
        for label in ("Choose this task", "Plan the participants", "Simulate the participants", "Analyse"):
            button = f"button:has-text('{label}')"
            if not page.locator(button).is_visible():
                click(f"summary:has-text('{label}')")
            if label == "Plan the participants":
                page.fill("#plan-n_per_group", "4")
            click(button)
            if label == "Analyse":
                page.reload()  # progress survives it
            page.wait_for_selector(".state-done, .state-failed", timeout=240_000)
            look(label)
            finish()
        with page.expect_popup() as report:
            click("a:has-text('Report')")
        assert report.value.locator("h1").count() == 1
        look("report", report.value)
        browser.close()
    assert troubles == []
    assert {name: found for name, found in barriers.items() if found} == {}
    assert len(clicks) <= 25, clicks
    assert len(read_set(folder / "own/set").exemplars("main")) > 0
    assert len(trials_table.read_table(folder / "own/study/simulated.csv")) > 0
    assert (folder / "own/report/figures/fig2b.svg").is_file()


def test_every_action_stands_under_a_stage(client):
    client.post("/new", data={"name": "all", "images": "own"})
    page = client.get("/study/all").text
    assert all(f"/study/all/do/{action.name}" in page for action in ACTIONS)
