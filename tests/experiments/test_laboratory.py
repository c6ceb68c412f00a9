"""PsychoPy in the timing laboratory: what its sessions record is what was seen from outside. Figures are benchmarks."""

import importlib.util
import json
import shutil

import pytest

from rapidvision.cli import main
from rapidvision.experiments.design.rehearsals import Rehearsals
from rapidvision.experiments.interfaces import TrialData
from rapidvision.experiments.recording.journal import read_journal
from tests.conftest import missing
from tests.experiments.laboratory import start_screen
from tests.experiments.laboratory.window import PATCH_PX, SENSOR, SIZE, window_trials

pytestmark = pytest.mark.display


@pytest.fixture(scope="module", autouse=True)
def parts():
    if shutil.which("Xvfb") is None:
        missing("no Xvfb on this computer")
    if importlib.util.find_spec("psychopy") is None:
        missing("PsychoPy is not installed")


@pytest.fixture(scope="module")
def joined(study_maker, tmp_path_factory):
    """Trials of one session, each with what the diode saw of it."""
    return window_trials(study_maker(tmp_path_factory.mktemp("laboratory")), 8, hz=60)[1]


def test_every_image_is_seen_once_from_outside(joined):
    assert [trial["trial"] for trial, _ in joined] == list(range(8))
    assert all(seen is not None and seen.off_ms > seen.on_ms for _, seen in joined)


def test_every_press_of_the_robot_is_the_answer_to_its_image(joined):
    for trial, seen in joined:
        assert seen.on_ms < seen.key_ms
        assert trial["input"] == "s"
        assert [key for key, _, down in trial["presses"] if down] == ["s"]


def test_a_image_stands_as_long_as_the_session_says(joined):
    """The median, because a busy machine may let the diode look late now and then."""
    shares = sorted(seen.duration_ms / trial["stimulus_ms"] for trial, seen in joined)
    assert shares[len(shares) // 2] == pytest.approx(1, abs=0.1)


def test_the_timing_report_reads_what_the_diode_saw(quick_study, session_command, tmp_path):
    options = ["--simulate", "--paced", 60, "--window", "400x300", "--photodiode-px", PATCH_PX, "--accept", "timing"]
    with start_screen(width=SIZE[0], height=SIZE[1]) as screen:
        screen.watch(*SENSOR, key=None)
        process = session_command("run", quick_study.folder, "--participant", "p1", *options, display=screen.display)
        out, err = process.communicate(timeout=250)
        assert process.returncode == 0, out + err
        _, episodes = screen.read()
    path = next(Rehearsals(quick_study.folder).sessions_folder.glob("*.jsonl"))
    trials = [entry for entry in read_journal(path)[1] if isinstance(entry, TrialData)]
    begin, end = 1000 * trials[0].flips_s[0], 1000 * trials[-1].flips_s[-1]
    images = [seen for seen in episodes if begin < seen.on_ms < end]
    rows = [f"{ms / 1000:.4f},{int(not any(p.on_ms <= ms < p.off_ms for p in images))}" for ms in _every_ms(begin, end)]
    (tmp_path / "trace.csv").write_text("\n".join(["time_s,light", *rows]))
    words = ["--photodiode-trace", str(tmp_path / "trace.csv"), "--out", str(tmp_path / "timing.json")]
    assert main(["session", "report", str(quick_study.folder), "p1", *words]) == 0
    found = json.loads((tmp_path / "timing.json").read_text())["diode_trials"]
    assert [trial["trial"] for trial in found] == list(range(16))
    # The median, because a busy machine may let the diode look late now and then.
    assert sorted(abs(trial["duration_error_ms"]) for trial in found)[8] < 1000 / 60


def _every_ms(begin, end):
    return [begin + n for n in range(int(end - begin))]
