"""The words for statistics, corrections, tests and levels in a paragraph."""

from typing import Any

from .numbers import Numbers, Path

#: Statistic → its name, and how it is written: a share in per cent, or a number with a unit.
STATISTICS: dict[str, tuple[str, str]] = {
    "participant_mean": ("accuracy", "share"),
    "pooled": ("accuracy over all trials", "share"),
    "late_share": ("the share of late, early and missing answers", "share"),
    "dprime": ("sensitivity (d′)", ""),
    "criterion": ("the criterion (c)", ""),
    "response_ms": ("the median response time of correct answers", "ms"),
}
#: Correction → words; NUMBER stands for how many.
CORRECTIONS: dict[str, str] = {
    "step-down": "corrected over NUMBER levels by step-down max-T",
    "max-t": "corrected over NUMBER levels by max-T",
    "holm": "corrected over NUMBER levels by Holm's method",
    "bh": "with the false discovery rate controlled over NUMBER levels",
    "none": "not corrected for NUMBER levels",
}
#: Correction → column of the levels that holds its p; "none" takes the exact p where there is one.
P_COLUMNS = {"step-down": "p_step_down", "max-t": "p_max_t", "holm": "p_holm", "bh": "p_bh"}
ALTERNATIVES = {"two-sided": "two-sided", "greater": "one-sided, FIRST higher", "less": "one-sided, FIRST lower"}


def corrected(numbers: Numbers, at: Path) -> str:
    """What the p of a comparison are corrected by, over how many levels and pairs."""
    text = CORRECTIONS[numbers.get("test", "correction")]
    count = f"{numbers.count('test', 'n_levels')} levels"
    if numbers.get(*at, "n_pairs") > 1:
        count += f" and {numbers.count(*at, 'n_pairs')} pairs"
    return text.replace("NUMBER levels", count)


def name_of(statistic: str) -> str:
    """The statistic in a sentence; a plug-in's name is its own.

    Examples
    --------
    >>> name_of("dprime"), name_of("my_score")
    ('sensitivity (d′)', 'my score')
    """
    return STATISTICS.get(statistic, (statistic.replace("_", " "), ""))[0]


def value(numbers: Numbers, statistic: str, *path: str | int) -> str:
    """A value of the statistic: ``91.6%``, ``412 ms``, ``1.32``."""
    kind = STATISTICS.get(statistic, ("", ""))[1]
    if kind == "share":
        return numbers.share(*path)
    return f"{numbers.number(*path, digits=0)} ms" if kind == "ms" else numbers.number(*path)


def difference(numbers: Numbers, statistic: str, *path: str | int) -> str:
    """A difference of two values: ``14.2 points``, ``-3.1 ms``, ``0.42``."""
    kind = STATISTICS.get(statistic, ("", ""))[1]
    if kind == "share":
        return f"{numbers.points(*path)} points"
    return f"{numbers.number(*path, digits=1)} ms" if kind == "ms" else numbers.number(*path)


def p_path(numbers: Numbers, rows: Path, place: int, correction: str) -> Path:
    """Where the p of a level stands that the correction names."""
    if correction != "none":
        return (*rows, place, P_COLUMNS[correction])
    exact = numbers.get(*rows, place).get("p_exact")
    return (*rows, place, "p" if exact is None else "p_exact")


def level(numbers: Numbers, *path: str | int) -> str:
    """A level in a sentence: ``15.8% of the features``, ``level 3``, ``the intact image``."""
    label = numbers.get(*path)
    unit: Any = numbers.get("test", "level_unit")
    if label == "full":
        return "the intact image"
    return f"{numbers.plain(*path)}{unit}" if unit else f"level {numbers.plain(*path)}"
