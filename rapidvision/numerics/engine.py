"""Which engine counts: numpy, or compiled loops; the numbers are the same."""

from typing import Literal

#: ``auto`` compiles where Numba is installed and the work is worth its start.
Engine = Literal["auto", "numpy", "numba"]
