"""Balance is counted, not believed."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapidvision.experiments.design.assignment.blocks import blocks_for
from rapidvision.experiments.design.assignment.inputs import inputs_of
from rapidvision.experiments.design.assignment.practice import practice_for
from rapidvision.experiments.design.assignment.squares import latin_square, levels_for
from rapidvision.formats.manifest import Exemplar
from rapidvision.formats.protocol_file import preset


def make_images(per_category=10, categories=8, phase="main"):
    return [
        Exemplar(f"{c}-{i}", f"category-{c}", c < categories // 2, phase)
        for c in range(categories)
        for i in range(per_category)
    ]


@given(n=st.integers(1, 15), seed=st.integers(0, 1000))
def test_a_latin_square_has_every_symbol_once_in_each_row_and_column(n, seed):
    square = latin_square(n, np.random.default_rng(seed))
    everything = list(range(n))
    assert all(sorted(row) == everything for row in square.tolist())
    assert all(sorted(column) == everything for column in square.T.tolist())


def test_sixty_slots_at_twelve_levels_show_each_image_five_times_at_each_level():
    images = make_images()
    cells = Counter()
    for slot in range(60):
        cells.update(levels_for(images, 12, slot=slot, seed=2019).items())
    assert len(cells) == 80 * 12
    assert set(cells.values()) == {5}


@settings(max_examples=30, deadline=None)
@given(
    n_levels=st.integers(2, 16),
    per_category=st.integers(1, 12),
    categories=st.sampled_from([2, 4, 8]),
    rounds=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_whole_rounds_are_even_for_any_number_of_levels_and_images(n_levels, per_category, categories, rounds, seed):
    images = make_images(per_category, categories)
    cells = Counter()
    for slot in range(n_levels * rounds):
        levels = levels_for(images, n_levels, slot=slot, seed=seed)
        cells.update(levels.items())
        counts = Counter(levels.values())
        assert max(counts.values()) - min(counts[level] for level in range(n_levels)) <= 1
    assert {cells[e.image_id, level] for e in images for level in range(n_levels)} == {rounds}


@pytest.mark.parametrize("n_slots", [1, 7, 13, 59, 61])
def test_an_incomplete_round_is_uneven_by_at_most_one(n_slots):
    images = make_images()
    cells = Counter()
    for slot in range(n_slots):
        cells.update(levels_for(images, 12, slot=slot, seed=3).items())
    counts = [cells[e.image_id, level] for e in images for level in range(12)]
    assert max(counts) - min(counts) <= 1


def test_pairs_of_images_are_not_tied_to_each_other():
    """A cyclic shift would keep two images at one level for a whole round; shuffled squares must not."""
    images = make_images()
    together = Counter()
    for slot in range(60):
        levels = levels_for(images, 12, slot=slot, seed=2019)
        by_level = {}
        for image, level in levels.items():
            by_level.setdefault(level, []).append(image)
        for members in by_level.values():
            together.update((a, b) for a in members for b in members if a < b)
    counts = [together[a.image_id, b.image_id] for a in images for b in images if a.image_id < b.image_id]
    assert np.mean(counts) == pytest.approx(60 * (79 / 12 - 11 / 12) / 79, rel=0.25)
    assert np.std(counts) < 3.0  # independent draws have 2.14, cyclic lists 7.1


@pytest.mark.parametrize(("n_levels", "n_slots"), [(12, 60), (12, 12), (13, 26), (11, 22), (10, 60)])
def test_each_key_means_target_for_half_of_the_slots(n_levels, n_slots):
    response = preset("paper").response
    meant = Counter(inputs_of(response, turn=sum(divmod(slot, n_levels)))["s"] for slot in range(n_slots))
    assert meant["target"] == meant["distractor"] == n_slots / 2


@pytest.mark.parametrize("slot", range(60))
def test_blocks_have_eight_targets_and_two_of_each_category(slot):
    images = make_images()
    levels = levels_for(images, 12, slot=slot, seed=2019)
    blocks = blocks_for(images, levels, 5, balanced=True, slot=slot, seed=2019)
    assert sorted(e.image_id for block in blocks for e in block) == sorted(e.image_id for e in images)
    for block in blocks:
        assert len(block) == 16
        assert sum(e.target for e in block) == 8
        assert set(Counter(e.category for e in block).values()) == {2}
        assert max(Counter(levels[e.image_id] for e in block).values()) <= 3


@settings(max_examples=40, deadline=None)
@given(
    per_category=st.integers(1, 9),
    categories=st.sampled_from([2, 4, 8]),
    n_blocks=st.integers(1, 6),
    slot=st.integers(0, 99),
)
def test_blocks_are_equal_and_even_where_categories_do_not_divide(per_category, categories, n_blocks, slot):
    images = make_images(per_category, categories)
    images = images[: len(images) // n_blocks * n_blocks]
    if not images:
        return
    levels = levels_for(images, 5, slot=slot, seed=1)
    blocks = blocks_for(images, levels, n_blocks, balanced=True, slot=slot, seed=1)
    assert {len(block) for block in blocks} == {len(images) // n_blocks}
    for key in ("category", "target"):
        for value in {getattr(e, key) for e in images}:
            counts = [sum(getattr(e, key) == value for e in block) for block in blocks]
            assert max(counts) - min(counts) <= 1


def test_unbalanced_blocks_hold_everything_once():
    images = make_images()
    blocks = blocks_for(images, {}, 5, balanced=False, slot=3, seed=1)
    assert [len(block) for block in blocks] == [16] * 5
    assert len({e.image_id for block in blocks for e in block}) == 80
    assert any(sum(e.target for e in block) != 8 for block in blocks)


def test_practice_is_half_targets_at_visible_levels():
    practice = practice_for(make_images(2, phase="practice"), 8, 12, slot=5, seed=1)
    assert sum(e.target for e, _ in practice) == 4
    assert len({e.image_id for e, _ in practice}) == 8
    assert min(level for _, level in practice) >= 6
    assert 11 in [level for _, level in practice]


@pytest.mark.parametrize(("n", "n_levels"), [(8, 12), (7, 12), (6, 3), (1, 1)])
def test_practice_has_every_level_from_the_lowest_on_about_equally_often(n, n_levels):
    practice = practice_for(make_images(2, phase="practice"), n, n_levels, slot=2, seed=1, lowest=0)
    counts = Counter(level for _, level in practice)
    assert set(counts) <= set(range(n_levels))
    assert max(counts.values()) - min(counts[level] for level in range(n_levels)) <= 1


def test_another_slot_and_another_seed_are_another_draw():
    images = make_images()
    assert levels_for(images, 12, slot=0, seed=1) == levels_for(images, 12, slot=0, seed=1)
    assert levels_for(images, 12, slot=0, seed=1) != levels_for(images, 12, slot=1, seed=1)
    assert levels_for(images, 12, slot=0, seed=1) != levels_for(images, 12, slot=0, seed=2)
