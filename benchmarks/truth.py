"""Right or refused: no result is wrong without a word. Each part lies beside this file as ``truth_<part>.py``.

A part defines ``suite = Suite()`` and registers its figures; seeds stand in the figures' names or code, and every
simulation uses a generator that is not the suite's.
"""

import importlib
from pathlib import Path

from benchmarks.harness import Suite

suite = Suite()
for _part in sorted(Path(__file__).parent.glob("truth_*.py")):
    suite.extend(importlib.import_module(f"benchmarks.{_part.stem}").suite)
