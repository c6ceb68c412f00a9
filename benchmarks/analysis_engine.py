"""The engines that count relabellings and sign flips: every ratio against its named peer in this process, on the same data.

One thread of ours is compared with one of the peer: BLAS and the compiled loops are held to one.
"""

import contextlib
import os
import subprocess
import sys
import tracemalloc
from functools import lru_cache

import numpy as np

from benchmarks.harness import STATED, NotMeasured, Suite, at_least, at_most, seconds

suite = Suite()
M = 10_000


def best(work, repeats=5):
    """Shortest of some runs: what the work costs when nothing else runs."""
    work()
    return min(seconds(work) for _ in range(repeats))


def times(ours, theirs, repeats=5):
    """Shortest of alternating runs against each other, ours in handfuls: other work on the machine only ever adds.

    Both run on one thread, warm.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), one_compiled_thread():
        ours()
        theirs()
        mine, peer = [], []
        for _ in range(repeats):
            mine += [seconds(ours) for _ in range(5)]
            peer.append(seconds(theirs))
    return min(peer) / min(mine)


@contextlib.contextmanager
def one_compiled_thread():
    try:
        import numba
    except ImportError:
        yield
        return
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        yield
    finally:
        numba.set_num_threads(before)


def compiled():
    try:
        import numba  # noqa: F401
    except ImportError:
        raise NotMeasured("numba is not installed") from None


@lru_cache(maxsize=4)
def case(n_per_group=60, missing=0.0, n_levels=14):
    """Integer columns, first group, and accuracies with NaN for missing cells."""
    from rapidvision.analysis.sample_size.simulation import Design, simulate
    from rapidvision.analysis.table.columns import mean_columns

    experiment = simulate(Design(n_per_group=n_per_group, n_levels=n_levels - 1, late_share=0.0), seed=3)
    good, every = experiment.counts()
    gone = np.random.default_rng(1).random(every.shape) < missing
    good, every = np.where(gone, 0, good), np.where(gone, 0, every)
    accuracy = np.where(every > 0, good / np.maximum(every, 1), np.nan)
    return mean_columns(good, every), experiment.group == 0, accuracy


def ours(n_per_group=60, missing=0.0, n_resamples=M, engine="numpy", n_levels=14):
    from rapidvision.analysis.resampling.counting import count_extreme

    columns, first, _ = case(n_per_group, missing, n_levels)
    return lambda: count_extreme(columns, first, n_resamples=n_resamples, seed=1, engine=engine)


def scipys(n_per_group=60, missing=0.0, n_resamples=M, batch=None, n_levels=14):
    from scipy.stats import permutation_test

    _, first, accuracy = case(n_per_group, missing, n_levels)
    mean = np.nanmean if missing else np.mean
    a, b = accuracy[first].T.copy(), accuracy[~first].T.copy()

    def run():
        return permutation_test(
            (a, b), lambda x, y, axis: mean(x, axis=axis) - mean(y, axis=axis), vectorized=True, n_resamples=n_resamples,
            alternative="greater", axis=-1, batch=batch, rng=np.random.default_rng(0),
        )  # fmt: skip

    return run


@suite.figure("10,000 relabellings, 12 levels, numpy against scipy default", unit="x", bar=at_least(60))
def against_scipy():
    return times(ours(n_levels=12), scipys(n_levels=12), repeats=5)


# What a fresh process runs: everything is imported, nothing was counted yet, and memory is fresh for both.
FIRST_CALL = """
from time import perf_counter
import scipy.stats
from benchmarks.analysis_engine import ours, scipys
work = {}
start = perf_counter()
work()
print(perf_counter() - start)
"""


@suite.figure("the same, the first call of a process for each", unit="x", bar=at_least(40))
def against_scipy_at_first():
    def first_call(work):
        found = subprocess.run(
            [sys.executable, "-c", FIRST_CALL.format(work)], check=True, capture_output=True, text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}, encoding="utf-8"
        )  # fmt: skip
        return float(found.stdout)

    return min(first_call("scipys(n_levels=12)") for _ in range(3)) / min(
        first_call("ours(n_levels=12)") for _ in range(3)
    )


@suite.figure("10,000 relabellings, numpy against scipy batch=500", unit="x", bar=at_least(25))
def against_scipy_batched():
    return times(ours(), scipys(batch=500), repeats=5)


@suite.figure("10,000 relabellings, numpy against MNE cluster test", unit="x", bar=at_least(250))
def against_mne():
    try:
        import mne
    except ImportError:
        raise NotMeasured("mne is not installed") from None
    mne.set_log_level("ERROR")
    _, first, accuracy = case()

    def peer():
        return mne.stats.permutation_cluster_test(
            [accuracy[first], accuracy[~first]], threshold=0.05, n_permutations=M, tail=1, n_jobs=1, seed=0,
            stat_fun=lambda a, b: a.mean(0) - b.mean(0), out_type="mask",
        )  # fmt: skip

    return times(ours(), peer, repeats=3)


@suite.figure("peak memory of 10,000 relabellings", unit="MB", bar=at_most(10))
def memory():
    work = ours()
    work()
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


@suite.figure("5 % missing cells against scipy with nanmean, batch=500", unit="x", bar=at_least(40))
def missing_cells():
    return times(ours(missing=0.05), scipys(missing=0.05, batch=500), repeats=3)


@suite.figure("10,000 participants against scipy, numpy, per relabelling", unit="x", bar=at_least(100))
def many_participants():
    return times(ours(5000, n_resamples=5000), scipys(5000, n_resamples=200, batch=50), repeats=3) * 5000 / 200


@suite.figure("10,000 participants against scipy, compiled, per relabelling", unit="x", bar=at_least(100))
def many_participants_compiled():
    compiled()
    return (
        times(ours(5000, n_resamples=5000, engine="numba"), scipys(5000, n_resamples=200, batch=50), repeats=3)
        * 5000
        / 200
    )


@suite.figure("10,000,000 relabellings, compiled", unit="us each", bar=at_most(0.05))
def ten_million():
    compiled()
    from rapidvision.analysis.resampling.counting import count_extreme

    columns, first, _ = case()
    count_extreme(columns, first, n_resamples=1000, seed=1, engine="numba")
    return (
        min(seconds(lambda: count_extreme(columns, first, n_resamples=10**7, seed=1)) for _ in range(3)) / 10**7 * 1e6
    )


@suite.figure("10,000,000 relabellings with max-T and cluster mass, compiled", unit="us each", bar=STATED)
def ten_million_joint():
    compiled()
    from rapidvision.analysis.resampling.counting import count_extreme

    columns, first, _ = case()
    count_extreme(columns, first, n_resamples=1000, seed=1, joint=True, engine="numba")
    return seconds(lambda: count_extreme(columns, first, n_resamples=10**7, seed=1, joint=True)) / 10**7 * 1e6


@suite.figure("growth of memory from 10^6 to 10^7 relabellings", unit="MB", bar=at_most(50))
def constant_memory():
    compiled()
    import resource

    from rapidvision.analysis.resampling.counting import count_extreme

    columns, first, _ = case()
    count_extreme(columns, first, n_resamples=10**6, seed=1, joint=True)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count_extreme(columns, first, n_resamples=10**7, seed=1, joint=True)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


@suite.figure("sign flips of 17,581 units against scipy", unit="x", bar=at_least(200))
def sign_flips():
    compiled()
    from scipy.stats import permutation_test

    from rapidvision.numerics.sign_flip import sign_flip_test

    d = np.random.default_rng(1).normal(0.02, 1, 17_581)
    peer_m = 500

    def peer():
        return permutation_test(
            (d,), lambda x, axis: x.mean(axis), permutation_type="samples", vectorized=True, n_resamples=peer_m,
            alternative="greater", batch=500, rng=np.random.default_rng(0),
        )  # fmt: skip

    return times(lambda: sign_flip_test(d, n_resamples=M, seed=1, alternative="greater"), peer, repeats=3) * M / peer_m
