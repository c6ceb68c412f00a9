"""Only one module reads clocks: durations come from its steady clock, and every other reader is named here with a reason."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("rapidvision", "stimuli", "experiments", "analysis", "gala_models")
READINGS = {
    "time": {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time"}
    | {"gmtime", "localtime", "strftime", "ctime", "clock_gettime", "thread_time"},
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
}
#: Module → the readings that it may take, and why.
EXCEPTIONS = {
    "experiments/clock.py": ({"time", "monotonic", "perf_counter", "now"}, "the clocks themselves"),
    "rapidvision/system/progress.py": ({"perf_counter"}, "how often a line of progress is printed"),
    "analysis/fits/mixed.py": ({"monotonic"}, "the time limit of a fit"),
    "analysis/fits/crossed/search.py": ({"monotonic"}, "the time limit of a fit"),
    "analysis/fits/hierarchical/model.py": ({"monotonic"}, "the time limit of a fit"),
    "analysis/fits/hierarchical/search.py": ({"monotonic"}, "the time limit of a fit"),
    "rapidvision/commands/demo.py": ({"perf_counter"}, "how long the demo took, in its last line"),
    "gala_models/training/processes.py": ({"perf_counter"}, "how long the last process waits for the others"),
    "gala_models/training/train.py": ({"perf_counter"}, "the speed of an epoch, in timing.json"),
    "gala_models/observer/study_run.py": ({"perf_counter"}, "how long a network took, in its report"),
}


def readings(text):
    """The clocks that a module reads: (name, line), whether the function is called, passed on or imported by name."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute):
            base = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", None)
            if node.attr in READINGS.get(base, ()):
                found.append((node.attr, node.lineno))
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            found += [(alias.name, node.lineno) for alias in node.names if alias.name in READINGS["time"]]
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found += [("renamed clock", node.lineno) for a in node.names if a.name in READINGS and a.asname]
    return found


@pytest.mark.parametrize(
    "text",
    [
        "import time\ntime.time()",
        "import time\ndef f(now=time.monotonic): ...",
        "from time import perf_counter",
        "import time as t\nt.time()",
        "from datetime import datetime\ndatetime.now()",
        "import datetime\ndatetime.datetime.now(datetime.UTC)",
        "import datetime\ndatetime.date.today()",
    ],
)
def test_every_way_to_read_a_clock_is_seen(text):
    assert readings(text)


@pytest.mark.parametrize("text", ["import time\ntime.sleep(1)", "from datetime import datetime\ndatetime(2026, 1, 1)"])
def test_what_reads_no_clock_is_let_be(text):
    assert not readings(text)


@pytest.mark.parametrize("package", PACKAGES)
def test_clocks_are_read_in_one_module_only(package):
    wrong = []
    for path in sorted((ROOT / package).rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        allowed, _ = EXCEPTIONS.get(name, (set(), ""))
        found = readings(path.read_text(encoding="utf-8"))
        wrong += [f"{name}:{line}: {what}" for what, line in found if what not in allowed]
    assert not wrong, "use now_s (durations), wall_s or utc_now (labels) of experiments/clock.py"


def test_every_exception_is_still_needed():
    for name, (allowed, why) in EXCEPTIONS.items():
        assert why
        assert {what for what, _ in readings((ROOT / name).read_text(encoding="utf-8"))} == allowed, name
