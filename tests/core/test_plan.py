"""Plans and studies: one digest from writing to running."""

import json
import ntpath
import types
from pathlib import PureWindowsPath

import msgspec
import pytest

from rapidvision import plan, study
from rapidvision.errors import InputError
from rapidvision.formats import manifest
from rapidvision.formats.protocol_file import preset
from rapidvision.observers import Answer, names_it, record
from rapidvision.plan import Ask, Gate, Page, Plan, Run
from rapidvision.task.trial import Choice, Trial, TrialImage, TrialPhase
from tests.core.test_manifest import DESCRIPTION, row

PAPER = preset("paper")


def image(number=0, level=2):
    return TrialImage(
        image_id=f"cat-{number}", category="cat", target=True, map_source="clickme", level_index=level,
        level_label="2.5", reveal_fraction=0.025, revealed_px=9, path=f"{number}-{level}.png", stimulus_sha256="0" * 64,
    )  # fmt: skip


PHASES = (
    TrialPhase(name="fixation", kind="fixation", duration_ms=1200, trigger=1),
    TrialPhase(name="stimulus", kind="stimulus", duration_ms=400, content="image", trigger=21),
    TrialPhase(name="blank", kind="blank", duration_ms=150, trigger=2),
)


def trial(number, phase="main", **changes):
    values = dict(trial=number, block=0, phase=phase, images={"image": image(number)}, phases=PHASES,
                  factors={"map_source": "clickme", "level": 2}, correct_response="target", limit_ms=550)  # fmt: skip
    return Trial(**{**values, **changes})


def make(slot=0, **changes):
    steps = (
        Page(part="start", text_id="welcome", min_ms=500),
        Run(part="practice-1", trial=trial(0, "practice")),
        Gate(part="practice-1", block=-1, at_least=0.8, skip=("practice-2",)),
        Run(part="main", trial=trial(1)),
        Ask(part="main", question="effort", block=0),
    )
    values = dict(study_id="s", slot=slot, group="clickme", between={"map_source": "clickme"},
                  inputs={"l": "target", "s": "distractor"}, protocol=PAPER, stimulus_set_digest="d",
                  texts={"welcome": "Hello"}, steps=steps)  # fmt: skip
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
    path = plan.write_plan(tmp_path, make(plan_version=1))
    with pytest.raises(InputError, match="plan version 1, this RapidVision reads 2"):
        plan.read_plan(path)
    stimulus_set = manifest.write_set(tmp_path / "set", DESCRIPTION, [row()])
    one = study.Study(tmp_path / "study")
    one.write_description(stimulus_set, PAPER, groups=("clickme",), n_slots=3)
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
    plan.write_plan(tmp_path, make(2, protocol=msgspec.structs.replace(PAPER, seed=3)))
    with pytest.raises(InputError, match="different protocols"):
        plan.read_plans(tmp_path)


def test_a_study_refuses_a_changed_protocol_and_another_stimulus_set(tmp_path):
    stimulus_set = manifest.write_set(tmp_path / "set", DESCRIPTION, [row()])
    one = study.Study(tmp_path / "study")
    with pytest.raises(InputError, match="no study here"):
        one.description()
    one.write_description(stimulus_set, PAPER, groups=("clickme",), n_slots=3)
    assert one.protocol() == PAPER
    assert one.stimulus_set().digest == stimulus_set.digest
    other = manifest.write_set(tmp_path / "other", DESCRIPTION, [row(level=1)])
    with pytest.raises(InputError, match="not the stimulus set"):
        one.stimulus_set(other.folder)
    one.protocol_path.write_text(
        one.protocol_path.read_text(encoding="utf-8").replace("blocks = 5", "blocks = 4"), encoding="utf-8"
    )
    with pytest.raises(InputError, match="changed after the plans were made"):
        one.protocol()


def recorded(answer, one=None, plan=None, **more):
    who = dict(observer="human", observer_kind="human", session_id="a", participant_id="p")
    return record(plan or make(), one or trial(1), answer, **who, **more)


def test_a_record_says_what_was_asked_and_what_came_back():
    done = recorded(Answer("distractor", 600.0, "s"), phases_ms={"stimulus": 400.1})
    assert (done.correct_response, done.input, done.response, done.correct, done.status) == (
        "target", "s", "distractor", False, "late",
    )  # fmt: skip
    assert done.more["stimulus_planned_ms"] == 400 and done.more["stimulus_ms"] == 400.1
    assert done.more["blank_ms"] is None and list(done.more)[:2] == ["fixation_planned_ms", "fixation_ms"]
    silent = recorded(Answer(None))
    assert (silent.input, silent.response, silent.correct, silent.status) == (None, "none", None, "none")
    void = recorded(Answer("target", 300.0, "l"), aborted=True)
    assert (void.response, void.correct, void.response_ms, void.status) == ("none", None, None, "aborted")


def test_a_record_holds_the_answers_and_the_chosen_value():
    rated = make(protocol=preset("confidence"))
    done = recorded(Answer("target", 300.0, "l", questions={"confidence": ("3", 812.5)}), plan=rated)
    assert (done.more["confidence"], done.more["confidence_ms"]) == (3, 812.5)
    adaptive = make(protocol=preset("threshold"))
    choices = tuple(Choice(value=level, images={"image": image(1, level)}) for level in (0, 4))
    done = recorded(Answer("target", 300.0, "l"), trial(1, choices=choices, track="all"), adaptive, chosen=4)
    assert (done.level_index, done.map_source) == (4, "clickme")


def test_an_adaptive_duration_is_put_into_its_phase():
    phases = (PHASES[0], msgspec.structs.replace(PHASES[1], duration_ms=None, factor="exposure"), PHASES[2])
    one = trial(1, phases=phases, choices=(Choice(value=20), Choice(value=100)), track="all")
    assert [p.duration_ms for p in one.chosen(one.choices[1]).phases] == [1200, 100, 150]
    assert one.chosen(None) is one and one.files() == {"1-2.png": "0" * 64}


def test_synonyms_name_an_image_too():
    assert names_it({"couch": ["sofa", "love seat"]}, "couch", "Love  Seat") is True
    assert names_it({"couch": ["sofa"]}, "bird", "sofa") is False
    assert names_it({}, None, "bird") is None


@pytest.mark.parametrize(
    ("target", "way"), [(r"C:\lab\set", "../set"), (r"C:\lab\study\José\set", "José/set"), (r"D:\set", "D:/set")]
)
def test_a_study_planned_on_windows_names_its_set_with_slashes(target, way, monkeypatch):
    monkeypatch.setattr(study, "os", types.SimpleNamespace(path=ntpath, sep="\\"))  # what os is there
    assert study._way(PureWindowsPath(r"C:\lab\study"), PureWindowsPath(target)) == way


def test_inputs_are_found_by_their_option():
    assert make().input_of("target") == "l"
    assert make().input_of("no-go") is None
