"""Every preset in a real window on an X server: a few trials of each, to the end, as on the virtual screen."""

import itertools
import json
import os
import subprocess
import sys

import msgspec
import pytest

from rapidvision.experiments.design.planning import make_study
from rapidvision.experiments.engine.scripted import scripted
from rapidvision.experiments.engine.session import Session
from rapidvision.experiments.engine.virtual import MemoryJournal, VirtualScreen
from rapidvision.experiments.interfaces import AnswerData, TrialData
from rapidvision.experiments.recording.rows import rows_of
from rapidvision.formats.protocol_file import PRESETS, preset
from rapidvision.plan import Gate, Page, Run, write_plan

pytestmark = pytest.mark.display
WHO = {"observer": "simulated", "observer_kind": "simulated", "session_id": "s", "participant_id": "p"}
N_RUNS = {"practice": 1, "main": 3}

SESSIONS = """
import json, sys
from pathlib import Path
import msgspec
from rapidvision.experiments.engine.participants import Watched
from rapidvision.experiments.engine.refresh import estimate
from rapidvision.experiments.engine.scripted import scripted
from rapidvision.experiments.engine.session import Session
from rapidvision.experiments.engine.virtual import MemoryJournal
from rapidvision.experiments.lab.display_checks import measure_flips
from rapidvision.experiments.lab.file_checks import check_images
from rapidvision.experiments.lab.psychopy_display import PsychoPyScreen
from rapidvision.formats.manifest import read_set
from rapidvision.plan import read_plan
found = {}
for name, folder in json.loads(sys.argv[1]).items():
    plan = read_plan(next(Path(sys.argv[2], name).glob("*.json")))
    paths = check_images(read_set(folder), plan)
    with PsychoPyScreen(background=plan.protocol.display.background, window_px=(400, 300), paced_hz=60) as screen:
        screen.drawings.load(plan, paths, side_px=64, icons={})
        screen.use_refresh(estimate(measure_flips(screen.flip, seconds=0.5)))
        flips, flip = [], screen.flip
        def log(frame):
            time_s = flip(frame)
            flips.append((frame.kind, frame.phase, frame.trial, time_s))
            return time_s
        screen.flip = log
        person, journal = scripted(plan, seed=1, clock=screen.now), MemoryJournal()
        session = Session(plan, Watched(screen, person.see), person, journal)
        person.choose = session.state.choose
        session.run()
    found[name] = {"entries": msgspec.to_builtins(journal.entries), "flips": flips, "period_s": screen.period_s}
print(json.dumps(found))
"""


def shortened(plan):
    """The plan with a few of its trials; what surrounds them stays, the practice criterion does not."""
    left, steps = dict(N_RUNS), []
    for step in plan.steps:
        if isinstance(step, Gate) or (step.part == "main" and not left["main"]):
            continue
        if isinstance(step, Run):
            if not left[step.trial.phase]:
                continue
            left[step.trial.phase] -= 1
        steps.append(msgspec.structs.replace(step, min_ms=50) if isinstance(step, Page) else step)
    return msgspec.structs.replace(plan, steps=tuple(steps))


@pytest.fixture(scope="module")
def plans_of_presets(set_of, tmp_path_factory):
    folder = tmp_path_factory.mktemp("presets")
    return {name: shortened(make_study(set_of(name), preset(name), folder / name, n_slots=1)[0]) for name in PRESETS}


@pytest.fixture(scope="module")
def run_in_the_window(plans_of_presets, set_of, x_display, tmp_path_factory):
    folder = tmp_path_factory.mktemp("window")
    for name, plan in plans_of_presets.items():
        write_plan(folder / name, plan)
    sets = json.dumps({name: str(set_of(name).folder) for name in plans_of_presets})
    done = subprocess.run(
        [sys.executable, "-c", SESSIONS, sets, str(folder)],
        env={**os.environ, "DISPLAY": x_display, "HOME": str(folder), "LP_NUM_THREADS": "0"},
        timeout=300, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def on_the_virtual_screen(plan):
    screen, journal = VirtualScreen(60), MemoryJournal()
    person = scripted(plan, seed=1, clock=lambda: screen.now_s)
    screen.see = person.see
    session = Session(plan, screen, person, journal)
    person.choose = session.state.choose
    session.run()
    return journal.entries


def told(plan, entries):
    """What a table says of each trial, and the other answers."""
    rows = rows_of(plan, entries, **WHO)
    answers = [(entry.question, entry.value, entry.trial) for entry in entries if isinstance(entry, AnswerData)]
    return [(row.trial, row.response, row.input, row.correct, row.status) for row in rows], answers


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_runs_to_its_end_in_the_window_as_on_the_virtual_screen(plans_of_presets, run_in_the_window, name):
    plan = plans_of_presets[name]
    kinds = {"trial": TrialData, "answer": AnswerData}
    found = run_in_the_window[name]["entries"]
    assert found[-1]["what"] == "finished"
    entries = [msgspec.convert(entry, kinds[entry["kind"]]) for entry in found if entry["kind"] in kinds]
    assert told(plan, entries) == told(plan, on_the_virtual_screen(plan))
    assert len([entry for entry in entries if isinstance(entry, TrialData)]) == len(plan.trials())


@pytest.mark.parametrize("name", ["masked", "sixteen-way"])
def test_what_follows_an_image_comes_up_at_the_refresh_that_ends_it(plans_of_presets, run_in_the_window, name):
    """The mask is the very next flip after the image's last one, or the gap is that the protocol puts between."""
    flips, period_s = run_in_the_window[name]["flips"], run_in_the_window[name]["period_s"]
    trials = [entry for entry in run_in_the_window[name]["entries"] if entry["kind"] == "trial"]
    unsure = {data["trial"]: any(flag.startswith("unsynchronised") for flag in data["flags"]) for data in trials}
    order = [phase.name for phase in plans_of_presets[name].trials()[0].phases]
    following = order[order.index("stimulus") + 1]
    n = 0
    for (kind, _, trial, time_s), (_, phase, other, next_s) in itertools.pairwise(flips):
        if kind == "stimulus" and phase != "stimulus":
            assert (phase, other) == (following, trial)
            if not unsure[trial]:  # where the computer was too busy for refreshes, the trial says so
                n_refreshes = (next_s - time_s) / period_s
                assert n_refreshes == pytest.approx(max(1, round(n_refreshes)), abs=0.1)
            n += 1
    assert n == len(plans_of_presets[name].trials())
