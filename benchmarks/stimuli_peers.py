"""How a ratio against a peer is taken so that it says the same on a quiet and on a busy machine.

By the clock, the ratios of stimuli against their peers were 3.9 to 5.9 (scramble) within one minute on a machine whose
two cores were shared by fourteen processes, and 5.8 on an idle one: the shorter work either falls into one time slice
or waits for the next. Processor time does not count the wait. What is left is the cache that other processes empty,
which only ever adds: so the least of several alternating runs is taken for each contender.
"""

import gc
import time
from collections.abc import Callable


def processor_seconds(work: Callable[[], object]) -> float:
    """Seconds of all threads of this process, user and system, with the garbage collector out of the way."""
    gc.collect()
    gc.disable()
    try:
        start = time.process_time()
        work()
        return time.process_time() - start
    finally:
        gc.enable()


def least_ratio(ours: Callable[[], float], theirs: Callable[[], float], *, repeats: int = 7, warmup: int = 1) -> float:
    """Return the least of `theirs` over the least of `ours`; both return seconds and are called in turn."""
    for _ in range(warmup):
        ours()
        theirs()
    pairs = [(ours(), theirs()) for _ in range(repeats)]
    return min(pair[1] for pair in pairs) / min(pair[0] for pair in pairs)


def processor_times(ours: Callable[[], object], theirs: Callable[[], object], *, repeats: int = 7) -> float:
    """How many times less processor time `ours` takes than `theirs`."""
    return least_ratio(lambda: processor_seconds(ours), lambda: processor_seconds(theirs), repeats=repeats)
