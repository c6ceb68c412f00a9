"""Plans and studies: one digest from writing to running."""

import json
import ntpath
import types
from pathlib import PureWindowsPath

import pytest

from rapidvision import plan, study
from rapidvision.errors import InputError
from rapidvision.formats import manifest
from rapidvision.observers import Answer, record
from rapidvision.plan import Break, Feedback, Plan, Run, Save, Show
from rapidvision.protocol import Protocol
from rapidvision.trials import Trial
from tests.core.test_manifest import DESCRIPTION, row


def trial(number, phase="main"):
    return Trial(
        trial=number, block=0, phase=phase, image_id=f"cat-{number}", category="cat", target=True, map_source="clickme",
        level_index=2, level_label="2.5", reveal_fraction=0.025, revealed_px=9, path="x.png", stimulus_sha256="0" * 64, fixation_ms=1200,
    )  # fmt: skip


def make(slot=0, **changes):
    steps = (
        Show(text_id="welcome"),
        Run(trial=trial(0, "practice")),
        Feedback(block=-1),
        Run(trial=trial(1)),
        Break(),
        Save(),
    )
    values = dict(study_id="s", slot=slot, group="clickme", map_source="clickme", key_target="l", key_distractor="s",
                  protocol=Protocol(), stimulus_set_digest="d", texts={"welcome": "Hello"}, steps=steps)  # fmt: skip
    return Plan(**{**values, **changes})


def test_a_plan_reads_back_with_its_digest(tmp_path):
    path = plan.write_plan(tmp_path, make())
    assert plan.read_plan(path) == make()
    assert make().digest != make(slot=1).digest
    assert [one.trial for one in make().trials("main")] == [1]
    assert len(make().trials()) == 2


def test_a_plan_that_was_edited_is_refused(tmp_path):
    path = plan.write_plan(tmp_path, make())
    content = json.loads(path.read_text(encoding="utf-8"))
    content["plan"]["slot"] = 5
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InputError, match="changed after it was made"):
        plan.read_plan(path)


def test_plans_and_studies_of_another_version_are_refused(tmp_path):
    path = plan.write_plan(tmp_path, make(plan_version=2))
    with pytest.raises(InputError, match="plan version 2, this RapidVision reads 1"):
        plan.read_plan(path)
    stimulus_set = manifest.write_set(tmp_path / "set", DESCRIPTION, [row()])
    one = study.Study(tmp_path / "study")
    one.write_description(stimulus_set, Protocol(), groups=("clickme",), n_slots=3)
    text = one.description_path.read_text(encoding="utf-8")
    one.description_path.write_text(text.replace('"study_version": 1', '"study_version": 2'), encoding="utf-8")
    with pytest.raises(InputError, match="study version 2, this RapidVision reads 1"):
        one.description()


def test_a_folder_of_mixed_or_no_plans_is_refused(tmp_path):
    with pytest.raises(InputError, match="no plans here"):
        plan.read_plans(tmp_path)
    plan.write_plan(tmp_path, make(1))
    plan.write_plan(tmp_path, make(0))
    assert [one.slot for one in plan.read_plans(tmp_path)] == [0, 1]
    plan.write_plan(tmp_path, make(2, protocol=Protocol(seed=3)))
    with pytest.raises(InputError, match="different protocols"):
        plan.read_plans(tmp_path)


def test_a_study_refuses_a_changed_protocol_and_another_stimulus_set(tmp_path):
    stimulus_set = manifest.write_set(tmp_path / "set", DESCRIPTION, [row()])
    one = study.Study(tmp_path / "study")
    with pytest.raises(InputError, match="no study here"):
        one.description()
    one.write_description(stimulus_set, Protocol(), groups=("clickme",), n_slots=3)
    assert one.protocol() == Protocol()
    assert one.stimulus_set().digest == stimulus_set.digest
    other = manifest.write_set(tmp_path / "other", DESCRIPTION, [row(level=1)])
    with pytest.raises(InputError, match="not the stimulus set"):
        one.stimulus_set(other.folder)
    one.protocol_path.write_text(
        one.protocol_path.read_text(encoding="utf-8").replace("n_blocks = 5", "n_blocks = 4"), encoding="utf-8"
    )
    with pytest.raises(InputError, match="changed after the plans were made"):
        one.protocol()


def test_a_record_says_what_was_asked_and_what_came_back():
    done = record(
        make(),
        trial(1),
        Answer(target=False, response_ms=600.0),
        observer="human",
        observer_kind="human",
        session_id="a",
        participant_id="p",
    )
    assert (done.key_target, done.key_pressed, done.response, done.correct, done.status) == (
        "l",
        "s",
        "distractor",
        False,
        "late",
    )
    silent = record(
        make(),
        trial(1),
        Answer(target=None),
        observer="human",
        observer_kind="human",
        session_id="a",
        participant_id="p",
    )
    assert (silent.key_pressed, silent.response, silent.correct, silent.status) == (None, "none", None, "none")


@pytest.mark.parametrize(
    ("target", "way"), [(r"C:\lab\set", "../set"), (r"C:\lab\study\José\set", "José/set"), (r"D:\set", "D:/set")]
)
def test_a_study_planned_on_windows_names_its_set_with_slashes(target, way, monkeypatch):
    monkeypatch.setattr(study, "os", types.SimpleNamespace(path=ntpath, sep="\\"))  # what os is there
    assert study._way(PureWindowsPath(r"C:\lab\study"), PureWindowsPath(target)) == way
