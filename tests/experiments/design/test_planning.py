"""Plans are functions of set, protocol, group and slot; studies that began do not change."""

import os
import random
import subprocess
import sys
from collections import Counter

import msgspec
import pytest

from rapidvision.errors import InputError
from rapidvision.experiments.design.planning import Planner, groups_of, make_plan, make_study
from rapidvision.formats.manifest import StimulusSet
from rapidvision.formats.protocol_file import preset
from rapidvision.plan import Ask, Gate, Page, Plan, Run, read_plans
from rapidvision.study import Study
from tests.conftest import ROOT
from tests.experiments.sets import PROTOCOLS, TASKS, protocol_of
from tests.experiments.version_1 import OF_NOISE, digest_of

change = msgspec.structs.replace


def began(study):
    """A study in which somebody has taken a slot."""
    study.ledger_path.write_text("{}\n")


@pytest.mark.parametrize("name", OF_NOISE)
def test_the_paper_s_plans_are_those_of_the_first_planner(noise_set, name):
    assert digest_of(noise_set, name) == OF_NOISE[name]


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_is_planned_and_its_plans_read_back_as_they_were_written(set_of, tmp_path, name):
    protocol = protocol_of(name)
    made = make_study(set_of(name), protocol, tmp_path / "study", n_slots=2)
    assert Study(tmp_path / "study").plans() == made
    assert Study(tmp_path / "study").protocol() == protocol
    for plan in made:
        trials = plan.trials()
        assert [t.trial for t in trials] == list(range(len(trials)))
        assert [step.trial for step in plan.steps if isinstance(step, Run)] == list(trials)
        assert msgspec.json.decode(msgspec.json.encode(plan), type=Plan) == plan
        for trial in trials:
            assert [phase.name for phase in trial.phases] == [phase.id for phase in protocol.phases]
            assert trial.correct_response is not None


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_plan_does_not_depend_on_others_nor_on_the_order_of_the_set_s_rows(set_of, name):
    whole = set_of(name)
    rows = list(whole.stimuli)
    random.Random(1).shuffle(rows)
    shuffled = StimulusSet(whole.folder, whole.description, tuple(rows))
    planner = Planner(whole, protocol_of(name))
    for group in groups_of(whole, protocol_of(name)):
        planner.plan(group, 3)
        of_many = planner.plan(group, 17)
        assert make_plan(shuffled, protocol_of(name), group=group, slot=17).digest == of_many.digest


@pytest.mark.parametrize("name", PROTOCOLS)
def test_groups_are_matched_trial_by_trial(set_of, name):
    planner = Planner(set_of(name), protocol_of(name))
    for slot in (0, 5):
        plans = [planner.plan(group, slot) for group in planner.conditions.groups]
        for other in plans[1:]:
            assert other.inputs == plans[0].inputs
            for a, b in zip(plans[0].trials(), other.trials(), strict=True):
                assert [i.image_id for i in a.images.values()] == [i.image_id for i in b.images.values()]
                assert [p.duration_ms for p in a.phases] == [p.duration_ms for p in b.phases]
                same = {n: v for n, v in a.factors.items() if n not in plans[0].between}
                assert same == {n: v for n, v in b.factors.items() if n not in other.between}
                assert {**b.factors, **plans[0].between} == {**a.factors}


def test_a_plan_has_practice_then_five_blocks_and_every_number_once(plans):
    trials = plans[0].trials()
    assert [t.trial for t in trials] == list(range(88))
    assert [t.phase for t in trials] == ["practice"] * 8 + ["main"] * 80
    assert [t.block for t in trials] == [-1] * 8 + [b for b in range(5) for _ in range(16)]
    said = [step.block for step in plans[0].steps if isinstance(step, Page) and step.block is not None]
    assert said == [-1, 0, 1, 2, 3, 4]
    assert {step.min_ms for step in plans[0].steps if isinstance(step, Page)} == {500}


def test_both_groups_share_levels_order_fixations_and_keys(plans):
    clickme, salicon = plans[7], plans[67]
    assert (clickme.group, salicon.group, clickme.slot, salicon.slot) == ("clickme", "salicon", 7, 7)
    assert (clickme.between, salicon.between) == ({"map_source": "clickme"}, {"map_source": "salicon"})
    assert clickme.inputs == salicon.inputs
    for a, b in zip(clickme.trials(), salicon.trials(), strict=True):
        assert (a.image.image_id, a.image.level_index) == (b.image.image_id, b.image.level_index)
        assert a.phases[0] == b.phases[0]
        assert (a.image.map_source, b.image.map_source) == ("clickme", "salicon")


def test_an_image_comes_once_in_a_session_and_its_level_is_its_factor(plans):
    for plan in (plans[0], plans[119]):
        main = plan.trials("main")
        assert len({t.image.image_id for t in main}) == 80
        assert all(t.factors == {"map_source": plan.group, "level": t.image.level_index} for t in main)
        assert all(t.correct_response == ("target" if t.image.target else "distractor") for t in main)
        assert all(t.phases[1].trigger == 16 + 2 * t.image.level_index + t.image.target for t in main)


def test_the_study_on_disk_is_what_was_planned(study):
    assert [p.digest for p in read_plans(study.plans_folder)] == [p.digest for p in study.plans()]
    assert study.description().n_slots == 4
    assert study.description().groups == ("clickme", "salicon")
    assert study.protocol() == preset("paper")


def test_more_slots_may_be_added_after_sessions_began(noise_set, study):
    before = {(p.group, p.slot): p.digest for p in study.plans()}
    began(study)
    make_study(noise_set, preset("paper"), study.folder, n_slots=6)
    after = {(p.group, p.slot): p.digest for p in study.plans()}
    assert len(after) == 12
    assert before.items() <= after.items()


@pytest.mark.parametrize("changes", [{"seed": 7}, {"name": "other"}, {"language": "de"}])
def test_another_protocol_is_refused_after_sessions_began(noise_set, study, changes):
    began(study)
    with pytest.raises(InputError, match="sessions have begun"):
        make_study(noise_set, change(preset("paper"), **changes), study.folder, n_slots=4)
    assert study.protocol() == preset("paper")


def test_fewer_slots_are_refused_after_sessions_began(noise_set, study):
    began(study)
    with pytest.raises(InputError, match="at least as many slots"):
        make_study(noise_set, preset("paper"), study.folder, n_slots=3)


def test_a_study_that_did_not_begin_may_be_planned_anew(noise_set, study):
    make_study(noise_set, preset("authors-2017"), study.folder, n_slots=2)
    assert {p.slot for p in study.plans()} == {0, 1}
    assert Study(study.folder).protocol().response.ends_trial


def test_no_slots_are_refused(noise_set, tmp_path):
    with pytest.raises(InputError, match="got 0, at least 1"):
        make_study(noise_set, preset("paper"), tmp_path / "s", n_slots=0)


def test_a_group_that_does_not_exist_is_refused(noise_set):
    with pytest.raises(InputError, match=r'got "clickmee". Did you mean "clickme"'):
        make_plan(noise_set, preset("paper"), group="clickmee", slot=0)


@pytest.mark.parametrize(("n_levels", "n_slots"), [(3, 5), (7, 14), (13, 13)])
def test_any_number_of_levels_and_slots_makes_plans(set_maker, tmp_path, n_levels, n_slots):
    small = set_maker(tmp_path / "set", per_category=2, practice=1, n_levels=n_levels)
    paper = preset("paper")
    protocol = change(paper, design=change(paper.design, blocks=2, block_size=8))
    made = make_study(small, protocol, tmp_path / "s", n_slots=n_slots)
    assert len(made) == 2 * n_slots


def test_practice_rounds_have_their_own_parts_draws_and_gates(set_of):
    plan = make_plan(set_of("cue"), protocol_of("cue"), group="clickme", slot=4)
    parts = list(dict.fromkeys(step.part for step in plan.steps))
    assert parts == ["start", "practice-1", "practice-2", "practice-3", "main", "end"]
    gates = [step for step in plan.steps if isinstance(step, Gate)]
    assert [(g.block, g.skip, g.otherwise) for g in gates] == [
        (-1, ("practice-2", "practice-3"), "continue"),
        (-2, ("practice-3",), "continue"),
        (-3, (), "stop"),
    ]
    rounds = [[t for t in plan.trials("practice") if t.block == -1 - k] for k in range(3)]
    assert [len(round_) for round_ in rounds] == [8, 8, 8]
    orders = [[(t.image.image_id, t.phases[0].duration_ms) for t in round_] for round_ in rounds]
    assert orders[0] != orders[1] != orders[2]
    for round_ in rounds:
        assert sum(t.image.target for t in round_) == 4
        assert len({t.image.image_id for t in round_}) == 8
        counts = Counter(t.factors["cue"] for t in round_)
        assert max(counts.values()) - min(counts.values()) <= 1


def test_questions_come_where_they_are_asked(set_of):
    plan = make_plan(set_of("cue"), protocol_of("cue"), group="clickme", slot=0)
    assert [(s.question, s.part, s.block) for s in plan.steps if isinstance(s, Ask)] == [
        ("age", "start", None),
        ("strategy", "end", None),
    ]
    effort = make_plan(set_of("speed-accuracy"), protocol_of("speed-accuracy"), group="clickme", slot=0)
    assert [(s.question, s.block) for s in effort.steps if isinstance(s, Ask)] == [("effort", b) for b in range(4)]
    naming = make_plan(set_of("naming"), protocol_of("naming"), group="clickme", slot=0)
    assert {t.ask for t in naming.trials()} == {("label", "visibility")}
    assert all(t.correct_response == t.image.category for t in naming.trials())
    assert naming.inputs == {}


def test_a_question_that_is_not_for_practice_is_not_asked_there(set_of):
    confidence = preset("confidence")
    quiet = change(confidence, questions=(change(confidence.questions[0], practice=False),))
    plan = make_plan(set_of("confidence"), quiet, group="clickme", slot=0)
    assert {(t.phase, t.ask) for t in plan.trials()} == {("practice", ()), ("main", ("confidence",))}


def test_pages_say_the_conditions_of_blocks_whose_order_turns_over_slots(set_of):
    planner = Planner(set_of("speed-accuracy"), protocol_of("speed-accuracy"))
    orders = Counter()
    for slot in range(8):
        plan = planner.plan("clickme", slot)
        said = [s.values["conditions"] for s in plan.steps if isinstance(s, Page) and s.text_id == "block"]
        shown = [{t.factors["deadline"] for t in plan.trials("main") if t.block == b} for b in range(4)]
        assert [f"deadline: {deadline}" for (deadline,) in shown] == said
        assert all(t.limit_ms == t.factors["deadline"] for t in plan.trials("main"))
        orders[plan.inputs["s"], said[0]] += 1
    assert set(orders.values()) == {2}  # hand and order are crossed, four combinations over eight slots


def test_breaks_are_as_the_protocol_wants_them(set_of):
    paper = preset("paper")
    protocol = change(
        paper,
        breaks=change(paper.breaks, every_blocks=2, rest_ms=30_000, unlock="experimenter"),
        display=change(paper.display, progress="blocks"),
    )
    plan = make_plan(set_of("paper"), protocol, group="clickme", slot=0)
    breaks = [s for s in plan.steps if isinstance(s, Page) and s.text_id == "break"]
    assert [(s.min_ms, s.leave, s.values) for s in breaks] == [
        (30_000, "experimenter", {"block": 2}),
        (30_000, "experimenter", {"block": 4}),
    ]
    assert plan.texts["break"].startswith("Block {block} of 5 is done.")
    assert "30 seconds" in plan.texts["break"]
    assert "experimenter" in plan.texts["break"]


def test_the_intact_image_is_no_candidate_and_tracks_follow_the_map_source(set_of):
    plan = make_plan(set_of("threshold"), preset("threshold"), group="all", slot=1)
    for trial in plan.trials("main"):
        assert [choice.value for choice in trial.choices] == list(range(11))
        assert trial.track == trial.factors["map_source"]
        assert "level" not in trial.factors
        for choice in trial.choices:
            image = choice.images["image"]
            assert (image.image_id, image.level_index) == (trial.image.image_id, choice.value)
            assert image.map_source == trial.factors["map_source"]
            assert image.reveal_fraction is not None
            code = 16 + 2 * choice.value + image.target
            assert trial.chosen(choice).phases[1].trigger == code
    assert all(not t.choices and not t.track for t in plan.trials("practice"))
    assert Counter(t.track for t in plan.trials("main")) == {"clickme": 40, "salicon": 40}


def test_a_trigger_of_the_protocol_stays_whatever_is_chosen(set_of):
    threshold = preset("threshold")
    named = tuple(change(phase, trigger=77) if phase.kind == "stimulus" else phase for phase in threshold.phases)
    plan = make_plan(set_of("threshold"), change(threshold, phases=named), group="all", slot=0)
    trial = plan.trials("main")[0]
    assert {trial.chosen(choice).phases[1].trigger for choice in trial.choices} == {77}
    assert {t.phases[1].trigger for t in plan.trials()} == {77}


def test_an_adaptive_duration_is_left_open_in_its_phase(set_of):
    naming = protocol_of("naming")
    answered = preset("paper").response
    protocol = change(
        naming,
        questions=(),
        phases=(*naming.phases[:2], change(preset("masked").phases[-1])),
        response=change(answered, limit_ms=900),
        adaptive=change(preset("threshold").adaptive, over="exposure", per=()),
    )
    plan = make_plan(set_of("naming"), protocol, group="clickme", slot=0)
    for trial in plan.trials("main"):
        shown = trial.phases[1]
        assert (shown.duration_ms, shown.factor) == (None, "exposure")
        assert [choice.value for choice in trial.choices] == [20, 50, 100, 200]
        assert trial.track == "all"
        assert trial.chosen(trial.choices[2]).phases[1].duration_ms == 100
    assert {t.phases[1].duration_ms for t in plan.trials("practice")} == {200}
    turned = tuple(change(f, values=f.values[::-1]) if f.name == "exposure" else f for f in protocol.design.factors)
    other = change(protocol, design=change(protocol.design, factors=turned))
    plan = make_plan(set_of("naming"), other, group="clickme", slot=0)
    assert [choice.value for choice in plan.trials("main")[0].choices] == [20, 50, 100, 200]


def test_an_image_s_own_mask_is_chosen_and_others_are_drawn(set_of):
    naming = make_plan(set_of("naming"), protocol_of("naming"), group="clickme", slot=2)
    for trial in naming.trials():
        assert trial.phases[2].content == f"masks/{trial.image.image_id}.phase-scrambled.png"
    masked = [make_plan(set_of("masked"), preset("masked"), group="all", slot=slot) for slot in (0, 1)]
    drawn = [[t.phases[3].content for t in plan.trials()] for plan in masked]
    assert len(set(drawn[0])) > 10
    assert drawn[0] != drawn[1]
    assert set(drawn[0]) <= {f"masks/noise-{n:02d}.png" for n in range(20)}
    assert all(len(t.phases[3].sha256) == 64 for t in masked[0].trials())


def test_a_mask_between_two_images_is_that_of_the_one_before(set_of):
    task = protocol_of("same-different")
    own = tuple(change(phase, mask="phase-scrambled") if phase.mask else phase for phase in task.phases)
    forward = (change(own[2], name="forward"), *own[1:])
    planner = Planner(set_of("same-different"), change(task, phases=forward))
    for trial in planner.plan("all", 0).trials():
        first = f"masks/{trial.images['first'].image_id}.phase-scrambled.png"
        assert (trial.phases[0].content, trial.phases[2].content) == (first, first)
    after = change(own[2], name="last")
    planner = Planner(set_of("same-different"), change(task, phases=(*own, after)))
    for trial in planner.plan("all", 0).trials("main"):
        assert trial.phases[-1].content == f"masks/{trial.images['second'].image_id}.phase-scrambled.png"


def test_a_mask_of_the_family_none_leaves_the_phase_blank(set_of):
    plan = make_plan(set_of("two-masks"), protocol_of("two-masks"), group="all", slot=0)
    for trial in plan.trials():
        backward = trial.phases[4]
        none = trial.factors["second_mask"] == "none"
        assert (backward.kind, backward.content == "") == (("blank", True) if none else ("mask", False))
        assert trial.phases[3].duration_ms == trial.factors["delay"]


def test_a_cue_says_the_value_of_its_factor(set_of):
    plan = make_plan(set_of("cue"), protocol_of("cue"), group="salicon", slot=0)
    assert all(t.phases[1].content == t.factors["cue"] for t in plan.trials())


def test_go_nogo_is_held_and_the_option_without_keys_has_no_input(set_of):
    plan = make_plan(set_of("go-nogo"), preset("go-nogo"), group="all", slot=1)
    assert plan.inputs == {"space": "go"}
    assert {t.correct_response for t in plan.trials()} == {"go", "no-go"}
    assert "the space bar" in plan.texts["hold"]


def test_sixteen_areas_never_move_and_practice_has_each_category(set_of):
    planner = Planner(set_of("sixteen-way"), preset("sixteen-way"))
    plans = [planner.plan("all", slot) for slot in range(3)]
    assert plans[0].inputs == plans[1].inputs == plans[2].inputs
    assert plans[0].inputs["area:bear"] == "bear"
    for plan in plans:
        assert Counter(t.image.category for t in plan.trials("practice")).most_common(1)[0][1] == 1
        assert all(t.correct_response == t.image.category for t in plan.trials())
    inputs_page = next(s for s in plans[0].steps if isinstance(s, Page) and s.text_id == "inputs")
    assert inputs_page.leave == "key"


def test_options_turn_over_all_devices_but_areas(set_of):
    task = protocol_of("two-masks")
    options = tuple(change(option, area=True) for option in task.response.options)
    shown = tuple(change(phase, overlay="options") if phase.id == "wait" else phase for phase in task.phases)
    protocol = change(task, phases=shown, response=change(task.response, options=options))
    planner = Planner(set_of("two-masks"), protocol)
    first, second = planner.plan("all", 0).inputs, planner.plan("all", 1).inputs
    assert first["f"] == first["button:1"] == second["j"] == second["button:2"] == "animal"
    assert first["area:animal"] == second["area:animal"] == "animal"


def test_groups_are_all_combinations_of_factors_between_participants(set_of):
    paper = preset("paper")
    factor = paper.design.factors[0]
    both = (factor, change(factor, name="mood", values=("calm", "in a hurry")), paper.design.factors[1])
    protocol = change(paper, design=change(paper.design, factors=both))
    planner = Planner(set_of("paper"), protocol)
    assert list(planner.conditions.groups) == [
        "clickme-calm",
        "clickme-in_a_hurry",
        "salicon-calm",
        "salicon-in_a_hurry",
    ]
    assert planner.plan("salicon-in_a_hurry", 0).between == {"map_source": "salicon", "mood": "in a hurry"}


def test_the_tasks_of_the_tests_are_the_five_that_are_meant():
    assert TASKS == ("cue", "naming", "same-different", "speed-accuracy", "two-masks")


DIGESTS = """
import sys
from rapidvision.experiments.design.planning import Planner
from rapidvision.formats.manifest import read_set
from tests.experiments.sets import PROTOCOLS, protocol_of
for name in PROTOCOLS:
    planner = Planner(read_set(sys.argv[1 + (name == "sixteen-way")]), protocol_of(name))
    print(name, *(planner.plan(group, 7).digest for group in planner.conditions.groups))
"""


def test_plans_do_not_depend_on_the_process_nor_on_its_locale(set_of):
    """Another hash seed orders sets of words otherwise; another locale compares and capitalises them otherwise."""
    found = []
    for hash_seed, locale in (("1", "C"), ("2", "tr_TR.UTF-8")):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "LC_ALL": locale, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", DIGESTS, str(set_of("paper").folder), str(set_of("sixteen-way").folder)],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False, encoding="utf-8",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found.append(done.stdout)
    assert found[0] == found[1]
    assert len(found[0].splitlines()) == len(PROTOCOLS)
