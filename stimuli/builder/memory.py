"""What the C library does with memory that is freed."""

import numpy as np

_LARGE_BYTES = 24 * 2**20


def keep_freed_memory() -> None:
    """Let the C library keep the memory of arrays that are done with, instead of handing it back to the system.

    Every picture needs the same arrays of half a megabyte and more; asking the system anew for the pages of each
    takes a third of the whole time. glibc keeps blocks up to the size of the largest one that was ever freed, so one
    large block is asked for, not touched, and freed. Other libraries are not changed by it.
    """
    np.empty(_LARGE_BYTES, np.uint8)
