"""Exact p of the randomization test: every relabelling counted, none drawn.

The number of ways to choose c participants whose scores sum to s is built up participant by participant (the shift
algorithm of Streitberg & Röhmel). Two halves of the participants, sorted by score and shifted to zero, are counted
apart and joined only where the tail needs it, which saves most of the work. Missing cells are exact too: given how
many of the c participants with a score fall into the first group, the difference grows with their sum.
"""

import math

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.compiled import can_compile

from .kernels import shift_counts

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Above this many table entries (8 bytes each), or additions, the exact p is not computed: about a second's work, which
#: the levels of a test share.
MOST_ENTRIES = 4_000_000
MOST_ADDITIONS = 600_000_000
#: From this many additions on the compiled loop is worth its start.
_FEWEST_COMPILED = 500_000_000


def exact_p(
    scores: Ints,
    present: "NDArray[np.bool_]",
    first: "NDArray[np.bool_]",
    *,
    fast: bool = False,
    most_additions: float = MOST_ADDITIONS,
) -> tuple[float, float]:
    """P(difference ≥ observed) and P(difference ≤ observed) over all relabellings.

    Parameters
    ----------
    scores : ndarray of int64, shape (n,)
        Participants' scores at one level on a common integer scale; ignored where not present.
    present : ndarray of bool, shape (n,)
        Who has a score.
    first : ndarray of bool, shape (n,)
        Who is in the first group.
    fast : bool
        Use the compiled loop; the numbers are the same.
    most_additions : float
        Work above which there is no exact p.

    Returns
    -------
    greater, less : float
        NaN when a group has no participant with a score, or the sums are too many to table. Relabellings that empty a
        group count as extreme in both directions.

    Examples
    --------
    >>> x = np.array([3, 3, 1, 0])
    >>> every = np.ones(4, bool)
    >>> exact_p(x, every, np.array([True, True, False, False]))
    (0.16666666666666666, 1.0)
    """
    x = scores[present]
    n, n_here, n_first = len(scores), len(x), int(first.sum())
    a = int((first & present).sum())
    if a == 0 or a == n_here:
        return math.nan, math.nan
    x = x - x.min()
    x = np.sort(x // max(math.gcd(*(int(v) for v in x)), 1))[::-1]
    order = np.sort(scores[present])[::-1]
    scale = max(math.gcd(*(int(v) for v in order - order[-1])), 1)
    total = int(x.sum())
    observed = int(((scores[first & present] - order[-1]) // scale).sum())
    greater = less = 0.0
    low, high = max(0, n_first - (n - n_here)), min(n_first, n_here)
    counts = [c for c in range(low, high + 1) if 0 < c < n_here]
    halves = _halves(x, max(counts, default=0), fast=fast, most_additions=most_additions)
    if halves is None:
        return math.nan, math.nan
    for c in range(low, high + 1):
        weight = math.comb(n_here, c) * math.comb(n - n_here, n_first - c) / math.comb(n, n_first)
        if c in (0, n_here):
            greater, less = greater + weight, less + weight
            continue
        # sum / c - (total - sum) / (n_here - c) against the same with the observed sum and a, in whole numbers
        right = (observed * (n_here - a) - (total - observed) * a) * c * (n_here - c)
        left = a * (n_here - a) * n_here
        offset = a * (n_here - a) * total * c
        at_least = -((-(right + offset)) // left)
        at_most = (right + offset) // left
        up, down = _tails(halves, c, at_least, at_most)
        greater, less = greater + weight * up, less + weight * down
    return min(greater, 1.0), min(less, 1.0)


class _Half:
    """How many ways c of some participants sum to s, both as shares of all ways, and the running sum over s."""

    def __init__(self, values: Ints, most: int) -> None:
        self.floor = int(values.min()) if len(values) else 0
        shifted = values - self.floor
        self.step = max(math.gcd(*(int(v) for v in shifted)), 1) if len(values) else 1
        self.values = np.sort(shifted // self.step)
        self.most = min(most, len(values))
        largest = np.sort(self.values)[::-1][: self.most]
        self.width = int(largest.sum()) + 1
        self._lowest = np.append(0, np.cumsum(self.values))
        self._highest = np.append(0, np.cumsum(self.values[::-1]))
        self._running: dict[int, tuple[Floats, Floats]] = {}

    @property
    def entries(self) -> int:
        return (self.most + 1) * self.width

    def count(self, *, fast: bool) -> None:
        self.table = shift_counts(self.values, self.most, self.width, fast=fast)

    def ways(self, c: int) -> tuple[int, Floats]:
        """Smallest sum of `c` of them, and the ways to reach it and every sum up to the largest."""
        low = int(self._lowest[c])
        return low, self.table[c, low : int(self._highest[c]) + 1]

    def running(self, c: int) -> tuple[int, Floats, Floats]:
        """Smallest sum of `c` of them, ways to stay at or below each sum, and to reach it or more (and one past the end)."""
        low, ways = self.ways(c)
        if c not in self._running:  # summed from above, so that small tails keep their digits
            self._running[c] = np.cumsum(ways), np.append(np.cumsum(ways[::-1])[::-1], 0.0)
        return low, *self._running[c]


def _halves(x: Ints, most: int, *, fast: bool, most_additions: float) -> tuple[_Half, _Half] | None:
    middle = len(x) // 2
    halves = _Half(x[:middle], most), _Half(x[middle:], most)
    additions = sum(half.entries * len(half.values) for half in halves)
    if sum(half.entries for half in halves) > MOST_ENTRIES or additions > most_additions:
        return None
    fast = fast or (additions > _FEWEST_COMPILED and can_compile())
    for half in halves:
        half.count(fast=fast)
    return halves


def _tails(halves: tuple[_Half, _Half], c: int, at_least: int, at_most: int) -> tuple[float, float]:
    """P(sum ≥ `at_least`) and P(sum ≤ `at_most`) for `c` of the participants of both halves."""
    high, low = halves
    n1, n2 = len(high.values), len(low.values)
    up = down = 0.0
    for c1 in range(max(0, c - n2), min(c, n1) + 1):
        c2 = c - c1
        # `ways` holds counts / 2**n of its half, so the factor turns products into shares of all ways
        begin, ways = high.ways(c1)
        lowest, below, above = low.running(c2)
        s1 = high.floor * c1 + high.step * np.arange(begin, begin + len(ways))
        base = low.floor * c2
        need = -((-(at_least - base - s1)) // low.step) - lowest
        upto = (at_most - base - s1) // low.step - lowest
        up += float(ways @ above[np.clip(need, 0, len(below))])
        down += float(ways @ np.where(upto < 0, 0.0, below[np.clip(upto, 0, len(below) - 1)]))
    every = math.comb(n1 + n2, c) / 2 ** (n1 + n2)
    return up / every, down / every
