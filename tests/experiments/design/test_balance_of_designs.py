"""Whole rounds of slots are even for any factors, samples, repetitions and pairs; single sessions nearly so."""

import itertools
import math
from collections import Counter

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rapidvision.experiments.design.assignment.cells import cell_order, cells_of_round, even_order
from rapidvision.experiments.design.assignment.squares import williams_square
from rapidvision.experiments.design.assignment.units import n_samples, pairs, sample
from rapidvision.experiments.design.balance import balance_of
from rapidvision.experiments.design.planning import Planner
from rapidvision.formats.manifest import Exemplar
from rapidvision.formats.protocol_file import preset
from rapidvision.grammar.rules import problems
from rapidvision.task.design import Design, Factor, Pair
from tests.experiments.sets import protocol_of

change = msgspec.structs.replace


def images(per_category=10, categories=8, phase="main"):
    return [
        Exemplar(f"{c}-{i:02d}", f"category-{c}", c < categories // 2, phase)
        for c in range(categories)
        for i in range(per_category)
    ]


sizes_of_factors = st.lists(st.integers(1, 5), max_size=3).map(tuple)


@given(sizes=sizes_of_factors)
def test_the_even_order_has_every_combination_once(sizes):
    assert sorted(even_order(sizes)) == sorted(itertools.product(*map(range, sizes)))


@settings(max_examples=50)
@given(sizes=st.lists(st.integers(1, 4), max_size=3).map(tuple), n_blocks=st.integers(1, 4))
def test_block_conditions_take_turns_in_the_order_of_cells(sizes, n_blocks):
    order = cell_order(sizes, n_blocks)
    assert len(set(order)) == len(order) == math.prod(sizes) * n_blocks
    conditions = [condition for _, condition in order] * 2
    for i in range(len(order)):
        assert len(set(conditions[i : i + n_blocks])) == n_blocks


@settings(max_examples=40)
@given(
    sizes=sizes_of_factors,
    n_blocks=st.integers(1, 3),
    per_category=st.integers(1, 6),
    categories=st.sampled_from([2, 4, 6]),
    round_=st.integers(0, 3),
    seed=st.integers(0, 99),
)
def test_over_a_round_each_image_is_once_in_each_cell(sizes, n_blocks, per_category, categories, round_, seed):
    shown = images(per_category, categories)
    n = math.prod(sizes) * n_blocks
    cells = cells_of_round(shown, sizes, n_blocks, round_=round_, seed=seed)
    assert set(cells) == {image.image_id for image in shown}
    assert all(sorted(row) == list(range(n)) for row in cells.values())
    for slot in range(n):
        conditions = Counter(row[slot] % n_blocks for row in cells.values())
        most, least = max(conditions.values()), min(conditions[b] for b in range(n_blocks))
        assert most - least <= (0 if len(shown) % n_blocks == 0 else 1)


def test_two_factors_are_even_by_themselves_in_every_session(set_of):
    planner = Planner(set_of("within"), preset("within"))
    for slot in range(24):
        main = planner.plan("all", slot).trials("main")
        sources = Counter(t.factors["map_source"] for t in main)
        levels = Counter(t.factors["level"] for t in main)
        both = Counter((t.factors["map_source"], t.factors["level"]) for t in main)
        assert set(sources.values()) == {40}
        assert set(levels.values()) <= {6, 7}
        assert set(both.values()) <= {3, 4}


def test_images_of_one_square_are_not_tied_to_those_of_another():
    """Two images in different squares are together in a cell about as often as by chance."""
    shown = images()
    together = Counter()
    for round_ in range(20):
        cells = cells_of_round(shown, (2, 4), 1, round_=round_, seed=1)
        for slot in range(8):
            by_cell = {}
            for image, row in cells.items():
                by_cell.setdefault(row[slot], []).append(image)
            for members in by_cell.values():
                together.update((a, b) for a in members for b in members if a < b)
    counts = [together[a.image_id, b.image_id] for a in shown for b in shown if a.image_id < b.image_id]
    assert np.std(counts) < 6  # 160 draws at about 1/8 have 4.2; images tied for whole rounds would have 12


def design_of(base, **fields):
    return change(base, design=change(base.design, **fields))


@pytest.mark.parametrize("n_images", [16, 32, 40, 80])
def test_a_sample_of_the_images_is_even_over_its_round(set_of, n_images):
    protocol = design_of(preset("paper"), images=n_images, blocks=2, block_size="auto")
    planner = Planner(set_of("paper"), protocol)
    n = 12 * n_samples(planner.images.main, protocol.design)
    exposure = Counter()
    for slot in range(n):
        main = planner.plan("clickme", slot).trials("main")
        assert len({t.image.image_id for t in main}) == n_images
        assert len(set(Counter(t.image.category for t in main).values())) == 1
        levels = Counter(t.factors["level"] for t in main)
        assert max(levels.values()) - min(levels[level] for level in range(12)) <= 1
        exposure.update((t.image.image_id, t.factors["level"]) for t in main)
    assert set(exposure.values()) == {n * n_images // (80 * 12)}
    assert len(exposure) == 80 * 12


@settings(max_examples=40)
@given(sizes=st.lists(st.integers(3, 9), min_size=2, max_size=5), n=st.integers(2, 30), seed=st.integers(0, 9))
def test_each_image_of_a_category_is_in_equally_many_samples(sizes, n, seed):
    main = [Exemplar(f"{c}-{i}", f"{c}", c == 0, "main") for c, size in enumerate(sizes) for i in range(size)]
    assume(n < len(main) and -(-n // len(sizes)) <= min(sizes))
    count = n_samples(main, Design(images=n))
    assume(count <= 400)
    seen = Counter()
    for number in range(count):
        chosen = sample(main, n, number=number, seed=seed)
        assert len(chosen) == n
        by_category = Counter(e.category for e in chosen)
        assert max(by_category.values()) - min(by_category[f"{c}"] for c in range(len(sizes))) <= 1
        seen.update(e.image_id for e in chosen)
    for category in {e.category for e in main}:
        assert len({seen[e.image_id] for e in main if e.category == category}) == 1


@pytest.mark.parametrize(("repetitions", "blocks"), [(2, 10), (3, 15), (12, 60)])
def test_repetitions_are_other_cells_in_other_blocks(set_of, repetitions, blocks):
    protocol = design_of(preset("paper"), repetitions=repetitions, blocks=blocks)
    planner = Planner(set_of("paper"), protocol)
    exposure = Counter()
    for slot in range(12):
        main = planner.plan("clickme", slot).trials("main")
        assert len(main) == 80 * repetitions
        cells = Counter((t.image.image_id, t.factors["level"]) for t in main)
        assert set(cells.values()) == {1}
        assert set(Counter((t.block, t.image.image_id) for t in main).values()) == {1}
        exposure.update(cells)
    assert set(exposure.values()) == {repetitions}
    assert len(exposure) == 80 * 12


def test_more_repetitions_than_cells_and_blocks_that_they_do_not_divide_are_planned(set_of):
    go = design_of(preset("go-nogo"), repetitions=3, blocks=4)
    main = Planner(set_of("go-nogo"), go).plan("all", 0).trials("main")
    assert set(Counter(t.image.image_id for t in main).values()) == {3}
    assert set(Counter(t.block for t in main).values()) == {60}


@pytest.mark.parametrize("repetitions", [3, 5])
def test_repetitions_beyond_the_cells_take_them_in_turn_again(set_of, repetitions):
    factor = Factor(name="exposure", values=(50, 200))
    masked = design_of(preset("masked"), repetitions=repetitions, blocks=10 * repetitions, factors=(factor,))
    planner, exposure = Planner(set_of("masked"), masked), Counter()
    for slot in range(2):
        main = planner.plan("all", slot).trials("main")
        cells = Counter((t.image.image_id, t.factors["exposure"]) for t in main)
        assert set(cells.values()) == {repetitions // 2, repetitions // 2 + 1}
        assert set(Counter(t.factors["exposure"] for t in main).values()) == {40 * repetitions}
        assert set(Counter((t.block, t.image.image_id) for t in main).values()) == {1}
        exposure.update(cells)
    assert set(exposure.values()) == {repetitions}


@pytest.mark.parametrize("n", range(1, 10))
def test_in_a_williams_square_each_symbol_has_each_place_and_follows_each_other_one_equally_often(n):
    rows = williams_square(n)
    assert len(rows) == (n if n % 2 == 0 else 2 * n)
    for places in (*rows, *zip(*rows, strict=True)):
        assert set(Counter(places).values()) == {len(places) // n}
    behind = Counter(pair for row in rows for pair in itertools.pairwise(row))
    assert {behind[pair] for pair in itertools.permutations(range(n), 2)} <= {len(rows) // n}


def deadlines(n, balance, blocks):
    protocol = protocol_of("speed-accuracy")
    factor = Factor(name="deadline", vary="block", values=tuple(400 + 100 * k for k in range(n)))
    fixed = {"map_source": "clickme", "level": 11}
    return design_of(protocol, factors=(factor,), fixed=fixed, blocks=blocks, balance=balance)


@pytest.mark.parametrize(("n", "slots"), [(4, 8), (5, 20)])
def test_conditions_of_blocks_follow_each_other_equally_often_by_williams(set_of, n, slots):
    found = {}
    for balance in ("rotate", "williams"):
        protocol = deadlines(n, balance, n)
        planner = Planner(set_of("speed-accuracy"), protocol)
        plans = [planner.plan("all", slot) for slot in range(slots)]
        counts = {count.what: count for count in balance_of(plans)[0].counts}
        found[balance] = counts["each condition of a block behind each other one"]
        for plan in plans:
            orders = {t.block: t.factors["deadline"] for t in plan.trials("main")}
            assert len(set(orders.values())) == n
        first = Counter(plan.trials("main")[0].factors["deadline"] for plan in plans)
        assert set(first.values()) == {slots // n}
    assert found["rotate"][1:3] == (0, slots * (n - 1) // n)
    assert found["williams"][1:3] == (slots // n, slots // n)


def test_williams_needs_conditions_of_blocks():
    alone = design_of(preset("masked"), balance="williams")
    assert [finding.path for finding in problems(alone)] == ["design.balance"]


@pytest.mark.parametrize("same", ["image", "category", "target"])
@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_pairs_have_the_exact_share_and_are_what_they_say(same, share):
    made = pairs(images(), Pair(same=same, share_same=share), np.random.default_rng(1))
    assert len(made) == (80 if same == "image" else 40)
    assert sum(unit.pair == "same" for unit in made) == round(len(made) * share)
    by_id = {e.image_id: e for e in images()}
    firsts = Counter(unit.images["first"] for unit in made)
    both = Counter(name for unit in made for name in unit.images.values())
    for unit in made:
        first, second = (by_id[unit.images[role]] for role in ("first", "second"))
        value = {"image": "image_id", "category": "category", "target": "target"}[same]
        assert (getattr(first, value) == getattr(second, value)) == (unit.pair == "same")
    if same == "image":
        assert sum(firsts.values()) == 80
    else:
        assert set(both.values()) == {1}


def test_pairs_are_even_over_a_round_and_share_the_blocks(set_of):
    planner = Planner(set_of("same-different"), protocol_of("same-different"))
    exposure = Counter()
    for slot in range(3):
        main = planner.plan("all", slot).trials("main")
        assert Counter(t.factors["pair"] for t in main) == {"same": 20, "different": 20}
        assert all(t.correct_response == t.factors["pair"] for t in main)
        assert set(Counter((t.block, t.factors["pair"]) for t in main).values()) == {5}
        for t in main:
            alike = t.images["first"].category == t.images["second"].category
            assert alike == (t.factors["pair"] == "same")
            exposure.update((image.image_id, t.factors["level"]) for image in t.images.values())
    assert set(exposure.values()) == {1}
    assert len(exposure) == 240
    rounds = [
        {tuple(i.image_id for i in t.images.values()) for t in planner.plan("all", s).trials("main")} for s in (0, 2, 3)
    ]
    assert rounds[0] == rounds[1]  # pairs stay over a round of slots and are drawn anew for the next
    assert len(rounds[0] & rounds[2]) < 10
    practice = planner.plan("all", 0).trials("practice")
    assert Counter(t.factors["pair"] for t in practice) == {"same": 4, "different": 4}


def test_a_factor_of_blocks_is_crossed_with_images_levels_and_answers(set_of):
    planner = Planner(set_of("speed-accuracy"), protocol_of("speed-accuracy"))
    exposure = Counter()
    for slot in range(24):
        main = planner.plan("salicon", slot).trials("main")
        assert set(Counter(t.factors["deadline"] for t in main).values()) == {40}
        assert set(Counter((t.factors["deadline"], t.factors["level"]) for t in main).values()) <= {3, 4}
        assert set(Counter((t.factors["deadline"], t.image.target) for t in main).values()) == {20}
        assert all(len({t.factors["deadline"] for t in main if t.block == b}) == 1 for b in range(4))
        exposure.update((t.image.image_id, t.factors["level"], t.factors["deadline"]) for t in main)
    assert set(exposure.values()) == {1}
    assert len(exposure) == 80 * 24


@settings(max_examples=15)
@given(data=st.data())
def test_any_design_is_balanced(set_of, data):
    """Factors, blocks and samples drawn at random: blocks of equal size, every image once, the inputs' counts even."""
    names = ["one", "two", "three"]
    factors = [
        Factor(
            name=name, vary=data.draw(st.sampled_from(["within", "within", "block", "between"])), values=tuple(values)
        )
        for name in names[: data.draw(st.integers(0, 3))]
        for values in [[f"{name}-{i}" for i in range(data.draw(st.integers(2, 3)))]]
    ]
    n_conditions = math.prod(len(f.values) for f in factors if f.vary == "block")
    n_images = data.draw(st.sampled_from(["all", 72, 48]))
    total = 80 if n_images == "all" else n_images
    assume(total % n_conditions == 0)
    blocks = data.draw(st.sampled_from([b for b in range(n_conditions, 13, n_conditions) if total % b == 0] or [0]))
    assume(blocks)
    base = preset("paper")
    protocol = design_of(
        base,
        images=n_images,
        blocks=blocks,
        block_size="auto",
        fixed={"map_source": "clickme", "level": 11},
        factors=tuple(factors),
    )
    planner = Planner(set_of("paper"), protocol)
    group = data.draw(st.sampled_from(list(planner.conditions.groups)))
    first = data.draw(st.integers(0, 30))
    inputs = Counter()
    for slot in (first, first + 1):
        plan = planner.plan(group, slot)
        main = plan.trials("main")
        inputs[plan.inputs["s"]] += 1
        assert len({t.image.image_id for t in main}) == len(main) == total
        assert set(Counter(t.block for t in main).values()) == {total // blocks}
        for factor in factors:
            counts = Counter(t.factors[factor.name] for t in main)
            if factor.vary == "between":
                assert counts == {plan.between[factor.name]: total}
            elif factor.vary == "block":
                per_block = [{t.factors[factor.name] for t in main if t.block == b} for b in range(blocks)]
                assert all(len(values) == 1 for values in per_block)
                assert len(set(counts.values())) == 1
                assert len(counts) == len(factor.values)
            else:
                assert max(counts.values()) - min(counts[value] for value in factor.values) <= 3
