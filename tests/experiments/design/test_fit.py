"""A set and a protocol that do not fit are refused in one line that says what would fit; --fit makes them fit."""

import msgspec
import pytest

from rapidvision.errors import InputError
from rapidvision.experiments.design.fit import check_fit
from rapidvision.experiments.design.planning import Planner, make_study
from rapidvision.experiments.design.proposal import propose
from rapidvision.formats.manifest import StimulusSet
from rapidvision.formats.protocol_file import preset
from rapidvision.task.design import Factor, Pair
from tests.experiments.sets import PROTOCOLS, protocol_of

change = msgspec.structs.replace


def design(base, **fields):
    return change(base, design=change(base.design, **fields))


def practice(base, **fields):
    return change(base, practice=change(base.practice, **fields))


def response(base, **fields):
    return change(base, response=change(base.response, **fields))


def factors(base, *found):
    return design(base, factors=(*base.design.factors, *found))


PAPER, MASKED, THRESHOLD = preset("paper"), preset("masked"), preset("threshold")
LEVEL, SOURCE = PAPER.design.factors[1], PAPER.design.factors[0]
MASK_FACTOR = Factor(name="family", values=("noise", "nose"))
NO_LIMIT = Factor(name="deadline", values=(400, 500))

#: Protocol -> the whole message.
CASES = {
    "blocks and size": (
        design(PAPER, blocks=4),
        (
            "protocol: design.block_size: got blocks x block_size = 4 x 16 = 64, the images give 80 trials; 2 x 40 or 4 x 20 "
            "or 5 x 16 would fit"
        ),
    ),
    "blocks": (
        design(PAPER, blocks=7, block_size="auto"),
        "protocol: design.blocks: got 7, which does not divide 80 trials; these do: 2, 4, 5, 8, 10",
    ),
    "too many images": (
        design(PAPER, images=90),
        'protocol: design.images: got 90, the set has 80; write "all" or at most 80',
    ),
    "nothing said about levels": (
        design(PAPER, factors=(SOURCE,)),
        "protocol: design: the set has 12 values of level (0 to 11); make it a factor or fix one, as in fixed = { level = 11 }",
    ),
    "nothing said about sources": (
        design(PAPER, factors=(LEVEL,)),
        (
            "protocol: design: the set has 2 values of map_source (clickme, salicon); make it a factor or fix one, as in "
            'fixed = { map_source = "salicon" }'
        ),
    ),
    "fixed source": (
        design(PAPER, factors=(LEVEL,), fixed={"map_source": "salcon"}),
        'protocol: design.fixed.map_source: got "salcon", no map_source of the set. Did you mean "salicon"?',
    ),
    "fixed level": (
        design(PAPER, factors=(SOURCE,), fixed={"level": 12}),
        "protocol: design.fixed.level: got 12, no level of the set. Allowed: 0 to 11.",
    ),
    "a level that is text": (
        design(PAPER, factors=(SOURCE,), fixed={"level": "full"}),
        'protocol: design.fixed.level: got "full", no level of the set. Allowed: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11.',
    ),
    "a source of a factor": (
        design(PAPER, factors=(change(SOURCE, values=("clickme", "salcon")), LEVEL)),
        'protocol: design.factors[0].values: got "salcon", no map_source of the set. Did you mean "salicon"?',
    ),
    "a level of a factor": (
        design(PAPER, factors=(SOURCE, change(LEVEL, values=(1, 99)))),
        "protocol: design.factors[1].values: got 99, no level of the set. Allowed: 0 to 11.",
    ),
    "practice": (
        practice(PAPER, n_trials=40),
        "protocol: practice.n_trials: got 40, the set's 16 practice images allow 16; set it to 16 or add practice images",
    ),
    "mask": (
        change(MASKED, phases=tuple(change(p, mask="nose") if p.mask else p for p in MASKED.phases)),
        'protocol: phases[3].mask: got "nose", no masks of the set. Did you mean "noise"?',
    ),
    "mask of a factor": (
        change(
            factors(MASKED, MASK_FACTOR),
            phases=tuple(change(p, mask="family") if p.mask else p for p in MASKED.phases),
        ),
        'protocol: design.factors[0]: got "nose", no masks of the set. Did you mean "noise"?',
    ),
    "correct": (
        response(PAPER, correct="catgory"),
        'protocol: response.correct: got "catgory", no column or factor. Did you mean "category"?',
    ),
    "no option for a category": (
        design(preset("sixteen-way"), fixed={"map_source": "clickme", "level": 11}),
        (
            "protocol: response.options: no option is right for category = couch, refrigerator, table, umbrella, zebra; name it "
            "in an option's `matches` (now: knife, airplane, keyboard, elephant, bicycle, clock, oven, chair, bear, boat, cat, "
            "bottle, truck, car, bird, dog)"
        ),
    ),
    "a number is no truth value": (
        response(
            PAPER,
            options=tuple(change(o, matches=(int(o.matches[0]),)) for o in PAPER.response.options),
        ),
        "protocol: response.options: no option is right for target = false, true; name it in an option's `matches` (now: 1, 0)",
    ),
    "one candidate": (
        design(THRESHOLD, factors=(SOURCE, change(LEVEL, values=(3, 11)))),
        'protocol: adaptive.over: "level" has 1 values to choose from; at least 2 are needed',
    ),
    "groups of one name": (
        factors(PAPER, Factor(name="mood", vary="between", values=("a b", "a_b"))),
        'protocol: design.factors: two groups would be called "clickme-a_b" in file names; use other words as values',
    ),
    "images for conditions of blocks": (
        design(
            PAPER,
            images=77,
            blocks=2,
            block_size="auto",
            repetitions=2,
            factors=(SOURCE, LEVEL, Factor(name="speed", vary="block", values=("fast", "slow"))),
        ),
        "protocol: design.images: got 77; 2 conditions of blocks share them equally, so a multiple of 2 is needed: 76",
    ),
    "pairs": (
        design(
            PAPER,
            images=8,
            pair=Pair(same="category", share_same=0.75),
            blocks=1,
            block_size=4,
        ),
        "protocol: design.pair.share_same: got 0.75, 3 of 4 pairs; the images make 4 pairs, 0 of them with the same category",
    ),
}


def whole(protocol):
    """The phases of a pair's trial show its images."""
    if protocol.design.pair is None:
        return protocol
    phases = tuple(change(p, image="first") if p.kind == "stimulus" else p for p in protocol.phases)
    return change(protocol, phases=phases, practice=change(protocol.practice, n_trials=0))


@pytest.mark.parametrize("case", CASES)
def test_a_misfit_is_said_in_one_line(set_of, tmp_path, case):
    protocol, message = CASES[case]
    with pytest.raises(InputError) as error:
        make_study(set_of("paper"), whole(protocol), tmp_path / "s", n_slots=2)
    assert str(error.value) == message
    assert not (tmp_path / "s").exists()


def test_a_message_has_the_line_of_the_protocol_s_file(set_of, tmp_path):
    path = tmp_path / "mine.toml"
    text = (
        "protocol = 2\n[[phases]]\nkind = 'stimulus'\nduration_ms = 400\n[response]\nlimit_ms = 400\n"
        "options = [{name = 'yes', matches = [true], keys = ['s']}, {name = 'no', matches = [false], keys = ['l']}]\n"
        "[design]\nblocks = 7\nfixed = {map_source = 'clickme', level = 11}\n"
    )
    path.write_text(text)
    from rapidvision.formats.protocol_file import read_protocol

    with pytest.raises(InputError, match=r"mine\.toml:9: design\.blocks: got 7, which does not divide 80 trials"):
        check_fit(set_of("paper"), read_protocol(path), source=path)


def test_several_misfits_are_all_said(set_of):
    protocol = practice(design(PAPER, blocks=7, block_size="auto"), n_trials=40)
    with pytest.raises(InputError) as error:
        check_fit(set_of("paper"), protocol)
    assert [line.split(":")[1].strip() for line in str(error.value).splitlines()] == [
        "design.blocks",
        "practice.n_trials",
    ]


def test_a_protocol_that_cannot_be_run_is_refused_before_the_set_is_looked_at(set_of):
    protocol = response(PAPER, opens="stimulos")
    with pytest.raises(InputError, match=r'response.opens: no phase "stimulos". Did you mean "stimulus"'):
        check_fit(set_of("paper"), protocol)


def test_an_adaptive_factor_may_not_decide_what_the_plan_fixes(set_of):
    exposure = Factor(name="exposure", values=(20, 50, 100))
    base = change(factors(THRESHOLD, exposure), adaptive=change(THRESHOLD.adaptive, over="exposure", per=()))
    open_ended = tuple(change(p, duration_ms="response") if p.id == "blank" else p for p in base.phases)
    with pytest.raises(InputError, match=r'response.limit_ms: got "exposure", which adapts'):
        check_fit(set_of("paper"), change(response(base, limit_ms="exposure"), phases=open_ended))
    cue = change(base.phases[0], kind="cue", name="cue", text="wait for {exposure}")
    with pytest.raises(InputError, match=r'phases\[0\].text: names "exposure", which adapts'):
        check_fit(set_of("paper"), change(base, phases=(cue, *base.phases[1:])))


def test_a_set_without_masks_says_how_to_get_them(noise_set):
    with pytest.raises(InputError, match=r'got "noise", no masks of the set. It has none. Build the set again'):
        check_fit(noise_set, MASKED)


def test_a_missing_level_is_named(set_maker, tmp_path):
    whole_set = set_maker(tmp_path / "set", per_category=2, practice=0, n_levels=4)
    hole = tuple(s for s in whole_set.stimuli if s.stimulus_id != "cat-01.salicon.10")
    broken = StimulusSet(whole_set.folder, whole_set.description, hole)
    protocol = practice(design(PAPER, blocks=2, block_size=8), n_trials=0)
    with pytest.raises(InputError, match="the set has no image of cat-01 for salicon at level 10"):
        check_fit(broken, protocol)


def test_a_set_with_targets_only_is_refused(set_maker, tmp_path):
    whole_set = set_maker(tmp_path / "set", per_category=4, practice=0, n_levels=3)
    targets = StimulusSet(whole_set.folder, whole_set.description, tuple(s for s in whole_set.stimuli if s.target))
    with pytest.raises(
        InputError, match=r"response.correct: every image has target = true; nothing is to be told apart"
    ):
        check_fit(targets, practice(design(PAPER, blocks=2, block_size=8), n_trials=0))


def test_a_category_that_is_too_small_for_a_sample_is_named(set_maker, tmp_path):
    whole_set = set_maker(tmp_path / "set", per_category=4, practice=0, n_levels=3)
    fewer = tuple(s for s in whole_set.stimuli if s.image_id not in ("cat-02", "cat-03"))
    uneven = StimulusSet(whole_set.folder, whole_set.description, fewer)
    protocol = practice(design(PAPER, images=24, blocks=2, block_size="auto"), n_trials=0)
    with pytest.raises(InputError, match=r"got 24, 3 of each of 8 categories, but cat has 2; at most 16 would fit"):
        check_fit(uneven, protocol)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_what_fits_is_not_changed(set_of, name):
    assert propose(set_of(name), protocol_of(name)) == (protocol_of(name), ())


PROPOSALS = {
    "blocks": (design(PAPER, blocks=7), ["design.blocks: 7 -> 5"]),
    "blocks and size": (
        design(PAPER, blocks=3, block_size=26),
        ["design.blocks: 3 -> 4", "design.block_size: 26 -> 20"],
    ),
    "practice": (practice(PAPER, n_trials=40), ["practice.n_trials: 40 -> 16"]),
    "levels": (design(PAPER, factors=(SOURCE,)), ["design.fixed.level: nothing -> 11"]),
    "source": (
        design(PAPER, factors=(LEVEL,), fixed={"map_source": "gaze"}),
        ["design.fixed.map_source: gaze -> clickme"],
    ),
    "more images than there are": (
        design(PAPER, images=96, blocks=6),
        ["design.images: 96 -> all", "design.blocks: 6 -> 5"],
    ),
    "size left open": (design(PAPER, blocks=6, block_size="auto"), ["design.blocks: 6 -> 5"]),
    "several": (
        practice(design(PAPER, blocks=9, factors=(SOURCE,)), n_trials=17),
        ["design.fixed.level: nothing -> 11", "design.blocks: 9 -> 5", "practice.n_trials: 17 -> 16"],
    ),
}


@pytest.mark.parametrize("case", PROPOSALS)
def test_a_proposal_fits_and_says_every_change(set_of, case):
    protocol, changes = PROPOSALS[case]
    proposal = propose(set_of("paper"), protocol)
    assert list(proposal.changes) == changes
    check_fit(set_of("paper"), proposal.protocol)
    planner = Planner(set_of("paper"), proposal.protocol)
    assert planner.plan(next(iter(planner.conditions.groups)), 0).trials("main")


@pytest.mark.parametrize(("per_category", "kept"), [(1, 1), (3, 3), (7, 7), (11, 11), (13, 13)])
def test_any_number_of_images_gets_a_study(set_maker, tmp_path, per_category, kept):
    small = set_maker(tmp_path / "set", per_category=per_category, practice=0, n_levels=3)
    proposal = propose(small, PAPER)
    check_fit(small, proposal.protocol)
    found = proposal.protocol.design
    n_images = 8 * per_category if found.images == "all" else found.images
    assert n_images == 8 * kept
    assert found.blocks * found.block_size == n_images
    assert proposal.protocol.practice.n_trials == 0
    changed = {line.split(":")[0] for line in proposal.changes}
    assert "practice.n_trials" in changed


def test_what_cannot_be_decided_stays_and_is_named(noise_set):
    proposal = propose(noise_set, MASKED)
    assert not proposal.changes
    with pytest.raises(InputError, match="no masks of the set"):
        check_fit(noise_set, proposal.protocol)
