"""Compiled table of sums behind the exact p of the randomization test; imported only when asked for."""

from typing import Any

import numpy as np

from rapidvision.numerics.compiled import compiled


@compiled(nogil=True)
def shift_counts(values: Any, most: int, width: int) -> Any:
    """Ways to choose c of some ascending values with sum s, over 2**n; only sums that c of them can reach are touched."""
    n = values.shape[0]
    ways = np.zeros((most + 1, width))
    ways[0, 0] = 1.0
    below = np.zeros(n + 1, np.int64)
    for i in range(n):
        below[i + 1] = below[i] + values[i]
    for i in range(n):
        value = values[i]
        rows = min(most, i + 1)
        for c in range(rows, 0, -1):
            low = below[c]
            high = below[i + 1] - below[i + 1 - c]
            here, before = ways[c], ways[c - 1]
            for s in range(low, min(value, high + 1)):
                here[s] *= 0.5
            for s in range(max(low, value), high + 1):
                here[s] = (here[s] + before[s - value]) * 0.5
        ways[0, 0] *= 0.5
    return ways
