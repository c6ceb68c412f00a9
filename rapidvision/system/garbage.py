"""Python's search for reference cycles, put off while a table of millions of small objects is made, none of which is a cycle."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collected_later() -> Iterator[None]:
    """Put the search for cycles off to the end of a block: each search would look at every object made so far.

    Examples
    --------
    >>> with collected_later():
    ...     gc.isenabled()
    False
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
