"""Which engine counts: numpy, or compiled loops where numba is installed; the numbers are the same."""

import importlib.util
from typing import Literal

#: ``auto`` compiles where numba is installed and the work is worth its start.
Engine = Literal["auto", "numpy", "numba"]


def has_numba() -> bool:
    """Whether the compiled loops can be used."""
    return importlib.util.find_spec("numba") is not None
