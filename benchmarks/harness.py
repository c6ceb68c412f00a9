"""What a figure is, how it is timed fairly, and how it is printed and stored."""

import gc
import json
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


class NotMeasured(Exception):
    """Raised by a figure that cannot be measured here; its text says why."""


@dataclass(frozen=True)
class Bar:
    """A bound that a figure must keep: ``>=`` or ``<=`` a limit, or a closed range."""

    text: str
    holds: Callable[[float], bool]


def at_least(limit: float) -> Bar:
    """The figure must be `limit` or more."""
    return Bar(f">= {limit:g}", lambda value: value >= limit)


def at_most(limit: float) -> Bar:
    """The figure must be `limit` or less."""
    return Bar(f"<= {limit:g}", lambda value: value <= limit)


def between(low: float, high: float) -> Bar:
    """The figure must lie in [low, high]."""
    text = digits(low) if low == high else f"{digits(low)} to {digits(high)}"
    return Bar(text, lambda value: low <= value <= high)


def digits(value: float) -> str:
    """Four significant digits; whole numbers in full, because a count that is nearly right is wrong.

    Examples
    --------
    >>> digits(30_298_670), digits(1234.5), digits(0.00012345)
    ('30298670', '1234', '0.0001234')
    """
    return f"{value:.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.4g}"


STATED = Bar("stated", lambda _value: True)


@dataclass(frozen=True)
class Figure:
    """A named measurement: a function without arguments that returns the value."""

    name: str
    unit: str
    bar: Bar
    measure: Callable[[], float]


@dataclass(frozen=True)
class Result:
    """What came out: the value, and whether the bar holds (None when it was not measured)."""

    name: str
    unit: str
    bar: str
    value: float | None
    holds: bool | None
    why: str = ""

    def line(self) -> str:
        """``name value unit bar holds|falls short|not measured (why)``."""
        value = "-" if self.value is None else digits(self.value)
        verdict = f"not measured ({self.why})" if self.holds is None else "holds" if self.holds else "falls short"
        return f"{self.name:<58} {value:>10} {self.unit:<14} {self.bar:<14} {verdict}"


class Suite(list[Figure]):
    """The figures of one benchmark module; ``@suite.figure(...)`` adds a measurement to it."""

    def figure(self, name: str, *, unit: str, bar: Bar) -> Callable[[Callable[[], float]], Callable[[], float]]:
        """Register the decorated function as the measurement of a figure."""

        def register(measure: Callable[[], float]) -> Callable[[], float]:
            self.append(Figure(name, unit, bar, measure))
            return measure

        return register


def times(ours: Callable[[], object], theirs: Callable[[], object], *, repeats: int = 7, warmup: int = 1) -> float:
    """How many times faster `ours` is than `theirs`: the median over alternating pairs of their ratio."""
    ratios = []
    for _ in range(warmup):
        ours()
        theirs()
    for _ in range(repeats):
        first = seconds(ours)
        ratios.append(seconds(theirs) / first)
    return statistics.median(ratios)


def seconds(work: Callable[[], object]) -> float:
    """Seconds that one call takes, with the garbage collector out of the way."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start
    finally:
        gc.enable()


def run(name: str, suite: Suite) -> list[Result]:
    """Measure a suite's figures, print a line each, and write ``results/NAME.json``."""
    results = []
    for figure in suite:
        try:
            value = float(figure.measure())
            result = Result(figure.name, figure.unit, figure.bar.text, value, figure.bar.holds(value))
        except NotMeasured as reason:
            result = Result(figure.name, figure.unit, figure.bar.text, None, None, str(reason))
        print(result.line(), flush=True)
        results.append(result)
    RESULTS.mkdir(exist_ok=True)
    machine = {"python": platform.python_version(), "machine": platform.machine(), "system": platform.system()}
    content = {"suite": name, "machine": machine, "figures": [asdict(result) for result in results]}
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return results
