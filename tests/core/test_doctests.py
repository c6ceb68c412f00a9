"""Every example in every docstring runs, under the names that users import.

The example of :func:`rapidvision.stimuli.build` builds the bundled set; the others get a copy of that set.
"""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def modules_with_examples():
    for folder in ("rapidvision", "stimuli", "experiments", "analysis", "gala_models"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if ">>> " in path.read_text(encoding="utf-8"):
                parts = path.relative_to(ROOT).with_suffix("").parts
                parts = parts if parts[0] == "rapidvision" else ("rapidvision", *parts)
                yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.usefixtures("bundled_set_is_built")
@pytest.mark.parametrize("name", list(modules_with_examples()))
def test_examples_run(name):
    failed, tried = doctest.testmod(
        importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    )
    assert tried > 0
    assert failed == 0
