"""End-to-end example: the game's maps, the stimuli, one plan in every runner, one table, one report."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rapidvision.experiments.recording.journal import read_journal
from rapidvision.formats.trials_table import read_table
from rapidvision.study import Study
from tests.chain import console
from tests.conftest import missing

ROOT = Path(__file__).parents[2]
ASKED = ("trial", "block", "phase", "correct_response")
SHOWN = ("image_id", "category", "target", "stimulus_sha256", "level_label")
ANSWERED = ("input", "response", "correct", "status")

pytestmark = [pytest.mark.browser, pytest.mark.display, pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def around(tmp_path_factory):
    """The folder that the example leaves, with small numbers."""
    if shutil.which("Xvfb") is None:
        missing("Xvfb is not installed")
    if shutil.which("chromium") is None and shutil.which("google-chrome") is None:
        missing("Chromium is not installed")
    out = tmp_path_factory.mktemp("around") / "circle"
    command = [sys.executable, "examples/circle.py", "--out", out, "--per-category", "1", "--n-players", "2"]
    environment = {**console.environment(), "HOME": str(tmp_path_factory.mktemp("home"))}
    done = subprocess.run(
        [*command, "--n-per-group", "2"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def sessions(path):
    """Group and slot → rows in the order of trials."""
    found = {}
    for row in sorted(read_table(path), key=lambda row: row.trial):
        found.setdefault((row.group, row.slot), []).append(row)
    return found


def columns(rows, names):
    return [tuple(getattr(row, name) for name in names) for row in rows]


def test_the_same_slot_is_the_same_list_of_trials_in_every_runner(around):
    plans = {(plan.group, plan.slot): plan for plan in Study(around / "study").plans()}
    seen = set()
    for name in ("lab", "browser", "simulated", "models"):
        for key, rows in sessions(around / f"{name}.csv").items():
            plan = plans[key]
            planned = [t for t in plan.trials() if name != "models" or t.phase == "main"]
            assert columns(rows, ASKED) == columns(planned, ASKED), (name, key)
            assert columns(rows, SHOWN) == columns([trial.image for trial in planned], SHOWN), (name, key)
            seen.add((name, *key))
    groups = {group for group, _ in plans}
    assert {(name, group, 0) for name in ("lab", "browser", "simulated", "models") for group in groups} <= seen


def test_every_runner_was_given_the_planned_fixation_times_and_keys(around):
    plans = {(plan.group, plan.slot): plan for plan in Study(around / "study").plans()}
    journals = sorted((around / "study" / "rehearsals" / "sessions").glob("*.jsonl"))
    assert len(journals) == 2
    for path in journals:
        header, _ = read_journal(path)
        assert header.plan_digest == plans[header.group, header.slot].digest
    asked = json.loads((around / "browser-plans.json").read_text(encoding="utf-8"))
    expected = {
        (
            *sorted(plan.inputs.items()),
            *((trial.image.stimulus_sha256, *(phase.duration_ms for phase in trial.phases)) for trial in plan.trials()),
        )
        for (_, slot), plan in plans.items()
        if slot == 0
    }
    given = {
        (
            *sorted(seat["inputs"].items()),
            *(
                (step["phases"][1]["file"], *(phase["ms"] for phase in step["phases"]))
                for step in seat["steps"]
                if step["step"] == "run"
            ),
        )
        for seat in asked
    }
    assert given == expected


def test_the_same_answers_get_the_same_response_correct_and_status_everywhere(around):
    simulated = sessions(around / "simulated.csv")
    compared = []
    for name in ("lab", "browser"):
        for key, rows in sessions(around / f"{name}.csv").items():
            assert columns(rows, ANSWERED) == columns(simulated[key], ANSWERED), (name, key)
            compared += rows
    assert len(compared) == 4 * 8
    assert {row.status for row in compared} <= {"ok", "none"}
    assert {row.response for row in compared} >= {"target", "distractor"}
    assert {row.correct for row in compared} >= {True}


def test_one_table_and_a_report_with_four_curves(around):
    rows = read_table(around / "trials.csv")
    assert len({row.session_id for row in rows}) == 2 + 2 + 4
    results = json.loads((around / "report" / "results.json").read_text(encoding="utf-8"))
    text = json.dumps(results)
    assert "compact-gala-maps" in text
    assert {row.group for row in rows} == {"clickme", "salicon"}
    for name in ("figures/fig2b.png", "figures/fig2b.svg", "report.html"):
        assert (around / "report" / name).stat().st_size > 1000, name
    figure = (around / "report" / "figures" / "fig2b.svg").read_text(encoding="utf-8")
    assert "clickme" in figure.lower()
    assert "compact-gala-maps" in figure


def test_the_maps_came_through_the_page_of_the_game(around):
    counts = json.loads((around / "maps" / "export.json").read_text(encoding="utf-8"))["counts"]
    assert counts["n_images"] == 8
    assert counts["n_players"] == 2
    assert counts["n_bubbles"] > 100
