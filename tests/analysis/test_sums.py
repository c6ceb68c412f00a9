"""Sums over relabelled groups, and the limits that they are compared with."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapidvision.analysis.relabelling.permutations import as_matrix, label_block
from rapidvision.analysis.resampling.counting import count_extreme
from rapidvision.analysis.resampling.critical_values import twice_the_limit
from rapidvision.analysis.resampling.sums import GroupSums, count_true
from rapidvision.analysis.table.columns import mean_columns
from rapidvision.errors import InputError


@pytest.mark.parametrize(
    ("n", "columns", "largest"),
    [(9, 3, 5), (120, 14, 30), (120, 20, 4000), (600, 3, 9), (1100, 17, 200), (4700, 14, 60), (700, 2, 900_000)],
)
def test_tables_and_matrix_product_sum_the_same(n, columns, largest, seed):
    n_words = -(-n // 64)
    scores = np.zeros((64 * n_words, columns), dtype=np.int64)
    scores[:n] = np.random.default_rng(seed).integers(0, largest + 1, (n, columns))
    words = label_block(seed, 2, n, n // 3)
    expected = as_matrix(words, dtype=np.float64) @ scores
    assert np.array_equal(GroupSums(scores).of(words)[:, :columns], expected)


def test_empty_places_between_strata_add_nothing(seed):
    rng = np.random.default_rng(seed)
    scores = np.zeros((192, 5), dtype=np.int64)
    scores[:40], scores[64:69] = rng.integers(0, 9, (40, 5)), rng.integers(0, 9, (5, 5))
    words = rng.integers(0, 2**63, (3, 700)).astype(np.uint64)
    assert np.array_equal(GroupSums(scores).of(words)[:, :5], as_matrix(words, dtype=np.float64) @ scores)


def test_negative_scores_are_summed_too(seed):
    scores = np.random.default_rng(seed).integers(-9, 9, (64, 3))
    words = label_block(seed, 0, 64, 20)
    assert np.array_equal(GroupSums(scores).of(words)[:, :3], as_matrix(words, dtype=np.float64) @ scores)


def test_sums_beyond_exact_arithmetic_are_refused():
    with pytest.raises(InputError, match="too large to be exact"):
        GroupSums(np.full((64, 1), 2**50))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 700), st.integers(1, 40), st.integers(0, 2**31))
def test_true_entries_are_counted_whatever_the_shape(rows, columns, seed):
    flags = np.random.default_rng(seed).random((rows, columns)) < 0.7
    assert np.array_equal(count_true(flags), flags.sum(axis=0))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_limit_divides_the_sums_as_the_ratios_do(data):
    n, first = 8, np.arange(8) < 4
    trials = np.array(data.draw(st.lists(st.integers(0, 5), min_size=n, max_size=n)))
    correct = np.array([data.draw(st.integers(0, int(k))) for k in trials])
    columns = mean_columns(correct[:, None], trials[:, None])
    limit = twice_the_limit(columns, first)
    if limit is None:
        assert (trials == 0).sum() >= 4
        return
    observed = columns.difference(first)[0]
    for word in range(256):
        members = (word >> np.arange(n) & 1).astype(bool)
        if members.sum() != 4:
            continue
        s, c = columns.parts[members].sum(axis=0)[:, 0]
        value = columns.difference(members)[0]
        assert (2 * s >= limit[0, c]) == (value > observed - 1e-9)
        assert (2 * s <= limit[0, c]) == (value < observed + 1e-9)


def test_kept_machine_code_is_of_these_files(tmp_path):
    pytest.importorskip("numba")
    from rapidvision.analysis.compiled import kept

    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text("x = 1\n")
    before = kept.sources_digest(tmp_path)
    (tmp_path / "b.py").write_text("x = 2\n")
    assert kept.sources_digest(tmp_path) != before
    for function in (kept.count_sums, kept.count_joint):
        assert kept.SOURCES in [cell.cell_contents for cell in function.py_func.__closure__]


@pytest.mark.parametrize("sided", [-1, 0, 1])
@pytest.mark.parametrize(("n", "n_first", "levels"), [(120, 60, 12), (70, 20, 18), (200, 90, 3)])
def test_compiled_joint_counts_are_numpys(n, n_first, levels, sided, seed):
    pytest.importorskip("numba")
    rng = np.random.default_rng(seed)
    first = np.arange(n) < n_first
    scores = rng.integers(0, 43, (n, levels)) + 3 * first[:, None]
    columns = mean_columns(scores, np.full_like(scores, 60))
    found = [
        count_extreme(columns, first, n_resamples=7000, seed=seed, sided=sided, joint=True, engine=engine)
        for engine in ("numpy", "numba")
    ]
    (counts, joint), (compiled_counts, compiled_joint) = found
    assert np.array_equal(counts.at_least, compiled_counts.at_least)
    assert np.array_equal(counts.at_most, compiled_counts.at_most)
    assert np.array_equal(joint.p_single_step(), compiled_joint.p_single_step())
    assert np.array_equal(joint.p_step_down(), compiled_joint.p_step_down())
    assert joint.clusters() == compiled_joint.clusters()
