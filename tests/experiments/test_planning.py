"""Plans are functions of set, protocol, group and slot; studies that began do not change."""

import msgspec
import pytest

from rapidvision.errors import InputError
from rapidvision.experiments.design.planning import make_plan, make_study
from rapidvision.experiments.lab.ledger import Ledger
from rapidvision.plan import Feedback, Run, Save, read_plans
from rapidvision.protocol import Practice, Protocol, preset
from rapidvision.study import Study


def test_a_plan_has_practice_then_five_blocks_and_every_number_once(plans):
    trials = plans[0].trials()
    assert [t.trial for t in trials] == list(range(88))
    assert [t.phase for t in trials] == ["practice"] * 8 + ["main"] * 80
    assert [t.block for t in trials] == [-1] * 8 + [b for b in range(5) for _ in range(16)]
    assert [s.block for s in plans[0].steps if isinstance(s, Feedback)] == [-1, 0, 1, 2, 3, 4]


def test_every_block_is_saved_before_its_feedback(plans):
    steps = plans[0].steps
    for i, step in enumerate(steps):
        if isinstance(step, Feedback) and step.block >= 0:
            assert isinstance(steps[i - 1], Save)
            assert isinstance(steps[i - 2], Run)


def test_both_groups_share_levels_order_fixations_and_keys(plans):
    clickme, salicon = plans[7], plans[67]
    assert (clickme.group, salicon.group, clickme.slot, salicon.slot) == ("clickme", "salicon", 7, 7)
    assert clickme.key_target == salicon.key_target
    for a, b in zip(clickme.trials(), salicon.trials(), strict=True):
        assert (a.image_id, a.level_index, a.fixation_ms) == (b.image_id, b.level_index, b.fixation_ms)
        assert (a.map_source, b.map_source) == ("clickme", "salicon")


def test_a_plan_does_not_depend_on_how_many_are_made(noise_set, plans):
    alone = make_plan(noise_set, Protocol(), group="salicon", slot=41)
    assert alone.digest == plans[60 + 41].digest


def test_the_texts_name_the_session_s_own_keys(plans):
    for plan in (plans[0], plans[1]):
        assert f"Press {plan.key_target.upper()} when there is an animal" in plan.texts["keys"]
        assert plan.texts["reminder"].startswith(plan.key_target.upper())


def test_the_study_on_disk_is_what_was_planned(study):
    assert [p.digest for p in read_plans(study.plans_folder)] == [p.digest for p in study.plans()]
    assert study.description().n_slots == 4
    assert study.protocol() == Protocol()


def test_more_slots_may_be_added_after_sessions_began(noise_set, study):
    before = {(p.group, p.slot): p.digest for p in study.plans()}
    Ledger(study).take("p1")
    make_study(noise_set, Protocol(), study.folder, n_slots=6)
    after = {(p.group, p.slot): p.digest for p in study.plans()}
    assert len(after) == 12
    assert before.items() <= after.items()


@pytest.mark.parametrize("change", [{"seed": 7}, {"keys": ("a", "l")}, {"language": "de"}])
def test_another_protocol_is_refused_after_sessions_began(noise_set, study, change):
    Ledger(study).take("p1")
    with pytest.raises(InputError, match="sessions have begun"):
        make_study(noise_set, msgspec.structs.replace(Protocol(), **change), study.folder, n_slots=4)
    assert study.protocol() == Protocol()


def test_fewer_slots_are_refused_after_sessions_began(noise_set, study):
    Ledger(study).take("p1")
    with pytest.raises(InputError, match="at least as many slots"):
        make_study(noise_set, Protocol(), study.folder, n_slots=3)


def test_a_study_that_did_not_begin_may_be_planned_anew(noise_set, study):
    make_study(noise_set, preset("authors-2017"), study.folder, n_slots=2)
    assert {p.slot for p in study.plans()} == {0, 1}
    assert Study(study.folder).protocol().timing.response_ends_trial


@pytest.mark.parametrize(
    ("protocol", "message"),
    [
        (Protocol(n_blocks=4), "80 pictures in the main phase, the protocol needs n_blocks x block_size = 4 x 16 = 64"),
        (Protocol(practice=Practice(n_trials=40)), "set practice.n_trials to 16"),
        (Protocol(groups=("clickme", "salcon")), 'no map source "salcon". Did you mean "salicon"'),
        (Protocol(language="xx"), '"xx" does not come with the suite'),
    ],
)
def test_a_protocol_that_does_not_fit_the_set_is_refused(noise_set, tmp_path, protocol, message):
    with pytest.raises(InputError, match=message):
        make_study(noise_set, protocol, tmp_path / "s", n_slots=2)
    assert not (tmp_path / "s").exists()


def test_no_slots_are_refused(noise_set, tmp_path):
    with pytest.raises(InputError, match="got 0, at least 1"):
        make_study(noise_set, Protocol(), tmp_path / "s", n_slots=0)


def test_a_missing_level_is_named(set_maker, tmp_path):
    whole = set_maker(tmp_path / "set", per_category=2, practice=0, n_levels=4)
    hole = [s for s in whole.stimuli if s.stimulus_id != "cat-01.salicon.10"]
    broken = type(whole)(whole.folder, whole.description, tuple(hole))
    protocol = Protocol(n_blocks=2, block_size=8, practice=Practice(n_trials=0))
    with pytest.raises(InputError, match="cat-01 has no picture for salicon at level 10"):
        make_study(broken, protocol, tmp_path / "s", n_slots=2)


def test_a_set_with_targets_only_is_refused(set_maker, tmp_path):
    whole = set_maker(tmp_path / "set", per_category=4, practice=0, n_levels=3)
    targets = type(whole)(whole.folder, whole.description, tuple(s for s in whole.stimuli if s.target))
    protocol = Protocol(n_blocks=2, block_size=8, practice=Practice(n_trials=0))
    with pytest.raises(InputError, match="needs targets and distractors"):
        make_study(targets, protocol, tmp_path / "s", n_slots=2)


@pytest.mark.parametrize(("n_levels", "n_slots"), [(3, 5), (7, 14), (13, 13)])
def test_any_number_of_levels_and_slots_makes_plans(set_maker, tmp_path, n_levels, n_slots):
    small = set_maker(tmp_path / "set", per_category=2, practice=1, n_levels=n_levels)
    made = make_study(small, Protocol(n_blocks=2, block_size=8), tmp_path / "s", n_slots=n_slots)
    assert len(made) == 2 * n_slots
