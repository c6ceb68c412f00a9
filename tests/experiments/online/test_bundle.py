"""A study as files: it opens and completes from a plain file server, and its results become the trials table."""

import functools
import http.server
import json
import threading
import zipfile
from contextlib import contextmanager

import pytest

from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.experiments.online.output.bundle import write_bundle
from rapidvision.experiments.online.output.result_files import from_files
from rapidvision.experiments.online.study.plans import open_study
from rapidvision.experiments.online.study.settings import OnlineSettings, Recruitment, Screening
from rapidvision.formats.trials_table import read_table

from .conftest import write_settings
from .test_kept import WAITING, wait_until
from .test_runner import SIZE, agree, press_through

SETTINGS = OnlineSettings(screening=Screening(fullscreen=False), recruitment=Recruitment(completion_code="DONE1"))


@contextmanager
def file_server(folder):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.browser
def test_a_bundle_completes_from_a_plain_file_server_and_its_file_becomes_the_table(chromium, study_folder, tmp_path):
    write_settings(study_folder, SETTINGS)
    assert main(["session", "bundle", str(study_folder), "--out", str(tmp_path / "site"), "--quiet"]) == 0
    context = chromium.new_context(viewport=SIZE, accept_downloads=True)
    page = context.new_page()
    with file_server(tmp_path / "site") as url:
        agree(page, f"{url}?plan=3&id=ann")
        press_through(page)
        with page.expect_download() as download:
            page.get_by_role("link", name="Save your answers").click()
        assert page.locator(".code").inner_text() == "DONE1"
    download.value.save_as(tmp_path / "result.json")
    context.close()
    out = tmp_path / "trials.csv"
    assert (
        main(["session", "export", str(study_folder), "--results", str(tmp_path / "result.json"), "--out", str(out)])
        == 0
    )
    rows = read_table(out)
    plan = list(open_study(study_folder).plans.values())[3]
    assert [row.image_id for row in rows] == [trial.image.image_id for trial in plan.trials()]
    assert {(row.group, row.slot) for row in rows} == {(plan.group, plan.slot)}
    assert json.loads((tmp_path / "result.json").read_text())["ids"] == {"id": "ann"}


@pytest.mark.browser
@pytest.mark.parametrize("target", ["jatos", "datapipe"])
def test_a_bundle_hands_its_result_to_the_host(chromium, study_folder, tmp_path, target):
    write_settings(study_folder, SETTINGS)
    arguments = ["--results-to", target, *(["--datapipe-id", "Ab12"] if target == "datapipe" else [])]
    assert main(["session", "bundle", str(study_folder), "--out", str(tmp_path / "site"), "--quiet", *arguments]) == 0
    got = []
    context = chromium.new_context(viewport=SIZE)
    if target == "jatos":
        (tmp_path / "site" / "jatos.js").write_text(
            "globalThis.jatos = {onLoad: (go) => setTimeout(go), urlQueryParameters: {PROLIFIC_PID: 'ann', plan: '2'},"
            "submitResultData: async (d) => console.log('GOT ' + d)}"
        )
    else:

        def pipe(route):
            if route.request.method == "POST":
                got.append(route.request.post_data_json)
            route.fulfill(status=201, body="{}", headers={"access-control-allow-origin": "*"})

        context.route("https://pipe.jspsych.org/**", pipe)
    page = context.new_page()
    page.on("console", lambda m: m.text.startswith("GOT ") and got.append({"data": m.text[4:]}))
    with file_server(tmp_path / "site") as url:
        agree(page, url)
        press_through(page)
    context.close()
    assert len(got) == 1 and len(json.loads(got[0]["data"])["trials"]) == 10
    if target == "jatos":
        result = json.loads(got[0]["data"])
        assert result["ids"] == {"PROLIFIC_PID": "ann"}
        assert result["plan_digest"] == list(open_study(study_folder).plans.values())[2].digest
    if target == "datapipe":
        assert got[0]["experimentID"] == "Ab12" and got[0]["filename"].endswith(".json")


@pytest.mark.browser
def test_a_host_that_refuses_for_good_leaves_the_participant_the_file(chromium, study_folder, tmp_path):
    write_settings(study_folder, SETTINGS)
    arguments = ["--results-to", "datapipe", "--datapipe-id", "Ab12"]
    assert main(["session", "bundle", str(study_folder), "--out", str(tmp_path / "site"), "--quiet", *arguments]) == 0
    context = chromium.new_context(viewport=SIZE, accept_downloads=True)
    allow = {"access-control-allow-origin": "*", "access-control-allow-headers": "*"}
    refusal = {"status": 400, "body": '{"error":"EXPERIMENT_INACTIVE"}', "headers": allow}
    context.route("https://pipe.jspsych.org/**", lambda route: route.fulfill(**refusal))
    page = context.new_page()
    with file_server(tmp_path / "site") as url:
        agree(page, url)
        press_through(page)
        assert "EXPERIMENT_INACTIVE" in page.inner_text("body") and "DONE1" in page.inner_text("body")
        with page.expect_download() as download:
            page.get_by_role("link", name="Save your answers").click()
        download.value.save_as(tmp_path / "result.json")
    context.close()
    assert len(from_files(open_study(study_folder), [tmp_path / "result.json"])[0]) == 10


@pytest.mark.browser
def test_a_link_to_a_plan_that_is_none_says_so_and_is_not_kept(chromium, study_folder, tmp_path):
    write_settings(study_folder, SETTINGS)
    assert main(["session", "bundle", str(study_folder), "--out", str(tmp_path / "site"), "--quiet"]) == 0
    context = chromium.new_context(viewport=SIZE)
    page = context.new_page()
    with file_server(tmp_path / "site") as url:
        for wrong in ("9999", "-1", "x", "8"):
            agree(page, f"{url}?plan={wrong}&id=ann")
            page.get_by_text(f"no plan {wrong}; the last one is 7").wait_for(timeout=10_000)
        agree(page, f"{url}?plan=3&id=ann")
        page.get_by_text("You will see pictures").wait_for(timeout=20_000)
    context.close()


@pytest.mark.browser
def test_the_next_person_s_result_holds_none_of_the_former_ones_answers_which_can_be_saved(
    chromium, study_folder, tmp_path
):
    write_settings(study_folder, SETTINGS)
    assert main(["session", "bundle", str(study_folder), "--out", str(tmp_path / "site"), "--quiet"]) == 0
    context = chromium.new_context(viewport=SIZE, accept_downloads=True)
    page = context.new_page()
    with file_server(tmp_path / "site") as url:
        agree(page, f"{url}?plan=3")
        press_through(page, until="document.body.classList.contains('running')")
        wait_until(page, lambda: page.evaluate(WAITING) >= 2)
        page.close()
        page = context.new_page()
        page.goto(f"{url}?plan=3")
        page.get_by_role("button", name="somebody else").click(timeout=20_000)
        page.get_by_text("answers of the person who used this browser before you").wait_for(timeout=20_000)
        with page.expect_download() as download:
            page.get_by_role("link", name="Save these answers").click()
        download.value.save_as(tmp_path / "former.json")
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="I agree").click(timeout=20_000)
        press_through(page)
        with page.expect_download() as download:
            page.get_by_role("link", name="Save your answers").click()
        download.value.save_as(tmp_path / "next.json")
        page.reload()
        page.get_by_role("button", name="somebody else").click(timeout=20_000)
        page.get_by_text("10 answers of the person").wait_for(timeout=20_000)
    context.close()
    rows, _ = from_files(open_study(study_folder), [tmp_path / "former.json", tmp_path / "next.json"])
    sessions = {name: [row.trial for row in rows if row.session_id == name] for name in {r.session_id for r in rows}}
    former, following = sorted(sessions.values(), key=len)
    assert len(former) >= 2 and following == list(range(10))


def test_pilots_of_a_bundle_are_no_participants(study_folder, tmp_path, capsys):
    study = open_study(study_folder)
    for name, kind in (("a", "human"), ("b", "pilot")):
        result = result_of(study, session_id=name, observer_kind=kind)
        (tmp_path / f"{name}.json").write_text(json.dumps(result), encoding="utf-8")
    files = [str(tmp_path / f"{name}.json") for name in "ab"]
    out = tmp_path / "trials.csv"
    assert main(["session", "export", str(study_folder), "--results", *files, "--out", str(out)]) == 0
    assert "1 pilot" in capsys.readouterr().out and {row.session_id for row in read_table(out)} == {"a"}


def test_an_archive_for_jatos_holds_the_files_and_one_component(study_folder, tmp_path, capsys):
    write_settings(study_folder, SETTINGS)
    out, again = tmp_path / "a.jzip", tmp_path / "b.jzip"
    assert main(["session", "bundle", str(study_folder), "--out", str(out), "--results-to", "jatos"]) == 0
    assert "import it in JATOS" in capsys.readouterr().out
    write_bundle(study_folder, again, target="jatos")
    assert out.read_bytes() == again.read_bytes(), "the same study gives the same archive"
    write_bundle(study_folder, tmp_path / "folder", target="jatos")
    with zipfile.ZipFile(out) as archive:
        (properties,) = (name for name in archive.namelist() if name.endswith(".jas"))
        study = json.loads(archive.read(properties))
        assert study["version"] == "3"
        folder, (component,) = study["data"]["dirName"], study["data"]["componentList"]
        assert properties == f"{folder}.jas" and component["htmlFilePath"] == "index.html" and component["reloadable"]
        assert len({study["data"]["uuid"], component["uuid"]}) == 2
        written = {
            path.relative_to(tmp_path / "folder").as_posix(): path for path in (tmp_path / "folder").rglob("*.*")
        }
        assert set(archive.namelist()) == {properties, *(f"{folder}/{name}" for name in written)}
        assert all(archive.read(f"{folder}/{name}") == path.read_bytes() for name, path in written.items())
        assert b'<script src="jatos.js">' in archive.read(f"{folder}/index.html")


def test_an_archive_is_for_jatos_only(study_folder, tmp_path):
    with pytest.raises(InputError, match="--results-to jatos"):
        write_bundle(study_folder, tmp_path / "a.jzip")


def result_of(study, **changes):
    plan = next(iter(study.plans.values()))
    trial = plan.trials()[0]
    measured = {"files": [trial.image.stimulus_sha256], "input": plan.input_of("target"), "response_ms": 150.0}
    made = {
        "form": 2,
        "study_id": study.study_id,
        "plan_digest": plan.digest,
        "session_id": "s1",
        "participant_id": "p1",
        "ids": {},
        "consent_sha256": "0" * 64,
        "device": {},
        "trials": {"0": measured},
    }
    return {**made, **changes}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"plan_digest": "0" * 64}, "none of this study's"),
        ({"trials": {"99": {"files": ["0" * 64]}}}, "no such trial"),
        ({"trials": {"0": {"files": ["0" * 64]}}}, "other images"),
        ({"trials": {"x": {"files": ["0" * 64]}}}, "no such trial"),
        ({"form": 1}, "not a session's result"),
        ({"score": 1}, "not a session's result"),
    ],
)
def test_a_file_that_is_no_result_of_the_study_is_named(study_folder, tmp_path, changes, words):
    study = open_study(study_folder)
    (tmp_path / "a.json").write_text(json.dumps(result_of(study, **changes)))
    with pytest.raises(InputError, match=rf"a\.json: .*{words}"):
        from_files(study, [tmp_path / "a.json"])


def test_a_result_that_holds_a_trial_twice_is_refused(study_folder, tmp_path):
    study = open_study(study_folder)
    text = json.dumps(result_of(study))
    (tmp_path / "a.json").write_text(text[:-2] + ', "0": {"files": ["' + "0" * 64 + '"]}}}')
    with pytest.raises(InputError, match=r'a\.json: the key "0" stands twice'):
        from_files(study, [tmp_path / "a.json"])


def test_the_same_session_twice_is_refused(study_folder, tmp_path):
    study = open_study(study_folder)
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text(json.dumps(result_of(study)))
    with pytest.raises(InputError, match="same session"):
        from_files(study, [tmp_path / "a.json", tmp_path / "b.json"])


def test_a_bundle_does_not_write_over_anything(study_folder, tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(InputError, match="not empty"):
        write_bundle(study_folder, tmp_path)
    with pytest.raises(InputError, match="go together"):
        write_bundle(study_folder, tmp_path / "site", target="datapipe")


def test_collecting_without_a_database_says_what_to_do(study_folder, capsys):
    assert main(["session", "export", str(study_folder), "--source", "online"]) == 2
    assert "serve the study first" in capsys.readouterr().err
