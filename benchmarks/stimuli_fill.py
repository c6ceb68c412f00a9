"""The flood fill against what labs write, and against the same kernel in C."""

import ctypes
import heapq
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks import harness
from benchmarks.harness import NotMeasured, Suite, at_least
from benchmarks.stimuli_inputs import N_PX, SIDE, maps
from rapidvision.numerics.counter_rng import origin_of
from rapidvision.stimuli.reveal.flood import fill, start_pixel
from rapidvision.stimuli.reveal.passage_times import (
    EXP_TABLE,
    LN2,
    mean_waiting_times,
    rate_scale,
    tie_break,
    waiting_times,
)

suite = Suite()


def over(work, n=None):
    """Do `work` for the first `n` maps, or for all: a single call would find every cache as the other side left it."""
    return lambda: [work(one) for one in maps()[:n]]


def heapq_fill(values):
    """The same growth in plain Python: Dijkstra with heapq, stopped at the last pixel."""
    costs = waiting_times(mean_waiting_times(values, rate_scale(values, gamma=2, epsilon=1e-3)), 1).tolist()
    start = int(np.argmax(values))
    heap, seen, order = [(0, start)], {start}, []
    while len(order) < N_PX:
        reached, pixel = heapq.heappop(heap)
        order.append(pixel)
        row, column = divmod(pixel, SIDE)
        for y, x in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            near = y * SIDE + x
            if 0 <= y < SIDE and 0 <= x < SIDE and near not in seen:
                seen.add(near)
                heapq.heappush(heap, (reached + costs[near], near))
    return order


def mcp_fill(values):
    from skimage.graph import MCP

    costs = (
        waiting_times(mean_waiting_times(values, rate_scale(values, gamma=2, epsilon=1e-3)), 1)
        .reshape(SIDE, SIDE)
        .astype(float)
    )
    reached, _ = MCP(costs, fully_connected=False).find_costs([np.unravel_index(int(np.argmax(values)), costs.shape)])
    return np.argpartition(reached.ravel(), N_PX)[:N_PX]


def literal_fill(values, n=N_PX):
    """What the words say, step by step: a frontier, and a weighted draw from it."""
    rates = ((values / values.max()) ** 2 + 1e-3).ravel()
    rng = np.random.default_rng(0)
    inside, frontier, order = np.zeros(SIDE * SIDE, bool), np.zeros(SIDE * SIDE, bool), []
    pixel = int(np.argmax(values))
    while len(order) < n:
        order.append(pixel)
        inside[pixel], frontier[pixel] = True, False
        row, column = divmod(pixel, SIDE)
        for y, x in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if 0 <= y < SIDE and 0 <= x < SIDE and not inside[y * SIDE + x]:
                frontier[y * SIDE + x] = True
        choices = np.flatnonzero(frontier)
        pixel = int(rng.choice(choices, p=rates[choices] / rates[choices].sum()))
    return np.array(order)


def ours_fill(values):
    return fill(values, N_PX, key=1)


@suite.figure("fill 256x256, 15 %: against Python's heapq", unit="x", bar=at_least(20))
def fill_against_heapq():
    return harness.times(over(ours_fill), over(heapq_fill), repeats=5)


@suite.figure("fill 256x256, 15 %: against skimage's MCP", unit="x", bar=at_least(25))
def fill_against_mcp():
    return harness.times(over(ours_fill), over(mcp_fill), repeats=5)


@suite.figure("fill 256x256, 15 %: against the literal growth", unit="x", bar=at_least(300))
def fill_against_literal():
    return harness.times(over(ours_fill, 8), over(literal_fill, 8), repeats=5)


@cache
def compiled_fill():
    """The kernel in C with the machine's own compiler at its best, and the same order pixel for pixel."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise NotMeasured("no C compiler (cc) on this machine")
    out = Path(tempfile.mkdtemp()) / "fill.so"
    source = Path(__file__).with_name("fill.c")
    flags = ["-O3", "-march=native", "-fno-math-errno", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, "-o", str(out), str(source), "-lm"], check=True)
    kernel = ctypes.CDLL(str(out)).grow
    whole, word, pointer = ctypes.c_int64, ctypes.c_uint64, ctypes.c_void_p
    kernel.argtypes = [pointer, ctypes.c_double, pointer, word, pointer, word, *3 * [whole], word, word, pointer, whole]
    kernel.restype = whole

    def grow(values, speed, start, n_px, key):
        order = np.empty(n_px, np.int32)
        bits, mask = tie_break(values.size, key)
        arrays = values.ctypes.data, speed.table.ctypes.data, EXP_TABLE.ctypes.data
        kernel(
            *(arrays[0], speed.scale, arrays[1], origin_of(key), arrays[2], LN2),
            *(*values.shape, start, bits, mask, order.ctypes.data, n_px),
        )
        return order

    return grow


@suite.figure("fill 256x256, 15 %: kernel against the same in C", unit="x", bar=at_least(1))
def fill_against_c():
    try:
        from rapidvision.stimuli.reveal.flood_numba import grow
    except ImportError:
        raise NotMeasured("numba is not installed (pip install 'rapidvision[fast]')") from None
    compiled = compiled_fill()
    fills = [(values, rate_scale(values, gamma=2, epsilon=1e-3), start_pixel(values, key=1)) for values in maps()]
    assert all(np.array_equal(grow(*one, N_PX, 1, eight=False), compiled(*one, N_PX, 1)) for one in fills)
    return harness.times(
        lambda: [grow(*one, N_PX, 1, eight=False) for one in fills * 5],
        lambda: [compiled(*one, N_PX, 1) for one in fills * 5],
        repeats=15,
    )
