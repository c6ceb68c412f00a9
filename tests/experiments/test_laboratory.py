"""PsychoPy in the timing laboratory: what its sessions record is what was seen from outside. Figures are benchmarks."""

import importlib.util
import shutil

import pytest

from tests.conftest import missing
from tests.experiments.laboratory.window import window_trials

pytestmark = pytest.mark.display


@pytest.fixture(scope="module")
def joined(study_maker, tmp_path_factory):
    """Trials of one session, each with what the diode saw of it."""
    if shutil.which("Xvfb") is None:
        missing("no Xvfb on this computer")
    if importlib.util.find_spec("psychopy") is None:
        missing("PsychoPy is not installed")
    return window_trials(study_maker(tmp_path_factory.mktemp("laboratory")), 8, hz=60)[1]


def test_every_picture_is_seen_once_from_outside(joined):
    assert [trial["trial"] for trial, _ in joined] == list(range(8))
    assert all(seen is not None and seen.off_ms > seen.on_ms for _, seen in joined)


def test_every_press_of_the_robot_is_the_answer_to_its_picture(joined):
    for trial, seen in joined:
        assert seen.on_ms < seen.key_ms
        assert trial["response_key"] == "s"
        assert [key for key, _, down in trial["presses"] if down] == ["s"]


def test_a_picture_stands_as_long_as_the_session_says(joined):
    """The median, because a busy machine may let the diode look late now and then."""
    shares = sorted(seen.duration_ms / trial["stimulus_ms"] for trial, seen in joined)
    assert shares[len(shares) // 2] == pytest.approx(1, abs=0.1)
