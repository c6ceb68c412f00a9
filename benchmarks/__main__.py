"""``python -m benchmarks [NAME ...]``: measure the figures of the named parts, or of all of them."""

import importlib
import sys
from pathlib import Path

from benchmarks import harness

NAMES = ("truth", "core", "stimuli", "experiments", "online", "analysis", "models", "clickme", "scale", "tasks")
PARTS = (
    "experiments_lab",
    "images",
    "tasks_planning",
    "tasks_timing",
    "tasks_browser",
    "tasks_recovery",
    "tasks_replay",
    "models_attach",
    "models_attribution",
    "gpu",
)  # measured with the part that it belongs to, or alone


def main(names: list[str]) -> int:
    """Run the figures; the exit code is 0 whatever holds, 2 for a name that does not exist."""
    here = Path(__file__).parent
    unknown = [name for name in names if name not in NAMES + PARTS]
    if unknown:
        print(f"benchmarks: no part {unknown[0]}; allowed: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    for name in names or NAMES:
        if not (here / f"{name}.py").is_file():
            print(f"{name}: no figures yet")
            continue
        print(f"# {name}")
        harness.run(name, importlib.import_module(f"benchmarks.{name}").suite)
    return 0


sys.exit(main(sys.argv[1:]))
