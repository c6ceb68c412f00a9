"""What a browser is told about its plan: what it must do, and nothing about images, levels or maps."""

import json

import msgspec
import pytest

from rapidvision.errors import InputError
from rapidvision.experiments.design.planning import make_study
from rapidvision.experiments.online.pages.study_json import public_study
from rapidvision.experiments.online.study.payload import for_browser
from rapidvision.experiments.online.study.plans import open_study
from tests.experiments.sets import PROTOCOLS, protocol_of

from .mounted import quick


@pytest.fixture
def told(set_of, tmp_path):
    """A function: the name of a protocol -> its plan for slot 0 and what a browser gets of it."""

    def tell(name, protocol=None):
        make_study(set_of(name), protocol or quick(name), tmp_path / name, n_slots=1)
        served = open_study(tmp_path / name, verify=False)
        plan = next(iter(served.plans.values()))
        return served, plan, for_browser(plan, served)

    return tell


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_plan_names_files_by_hash_and_nothing_that_gives_an_image_away(told, name):
    served, plan, made = told(name)
    text = msgspec.json.encode(made).decode()
    steps = [step for step in made["steps"] if step["step"] == "run"]
    assert len(steps) == len(plan.trials())
    for step, trial in zip(steps, plan.trials(), strict=True):
        files = [phase["file"] for phase in step["phases"] if phase["file"]]
        kinds = [phase.kind for phase in trial.phases]
        assert len(files) == (0 if trial.choices else sum(kind in ("stimulus", "mask") for kind in kinds))
        assert set(files) <= set(made["suffixes"]) <= set(served.media)
        for image in trial.images.values():
            assert image.path not in text and image.image_id not in text
        assert not {"image_id", "category", "level_index", "map_source", "factors", "images", "choices"} & set(step)
    questions = served.protocol.questions
    assert all(word not in text for question in questions for words in question.synonyms.values() for word in words)
    json.loads(text)


@pytest.mark.parametrize(
    ("name", "practice", "main"),
    [("masked", True, False), ("paper", True, True), ("go-nogo", True, False), ("sixteen-way", True, True)],
)
def test_the_right_option_is_told_only_where_feedback_or_an_accuracy_needs_it(told, name, practice, main):
    _, _, made = told(name)
    for step in made["steps"]:
        if step["step"] == "run":
            assert (step["correct"] is not None) == (practice if step["phase"] == "practice" else main)


@pytest.mark.parametrize(
    ("name", "keyboard"), [("paper", True), ("sixteen-way", False), ("naming", False), ("cue", True)]
)
def test_a_device_without_keys_may_do_a_task_without_keys(told, name, keyboard):
    served, _, _ = told(name)
    assert public_study(served)["screening"].keyboard is keyboard


def test_a_task_that_no_browser_can_do_is_refused_and_a_slow_screen_too(told, set_of):
    with pytest.raises(InputError, match=r"breaks\.unlock"):
        told("cue", protocol_of("cue"))
    short = quick("two-masks")
    gap = msgspec.structs.replace(short.phases[3], duration_ms=9)
    short = msgspec.structs.replace(
        short,
        phases=(*short.phases[:3], gap, *short.phases[4:]),
        design=msgspec.structs.replace(short.design, factors=short.design.factors[1:]),
    )
    served, _, _ = told("two-masks", short)
    assert public_study(served)["screening"].min_hz > 60, "9 ms are no refresh at 55 Hz"
