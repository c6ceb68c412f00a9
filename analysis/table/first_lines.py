"""The first lines of every result: who answered, and what each rule leaves out or counts as wrong, with counts."""

from typing import Literal

from rapidvision.errors import InputError
from rapidvision.numerics.resampling import Alternative
from rapidvision.trials import NO_RESPONSE

from ..importers.outcomes import TWO
from .trials import Trials

#: What a late, early or missing answer counts as. The paper is silent; all three are reported side by side.
LateRule = Literal["exclude", "wrong", "half"]
LATE_RULES: tuple[LateRule, ...] = ("exclude", "wrong", "half")
#: Options that a message names.
_MOST_OPTIONS = 6
#: Rule → what is done to an answer that is not in time.
_DONE: dict[LateRule, str] = {"exclude": "left out", "wrong": "counted as wrong", "half": "counted as half correct"}


def opening(trials: Trials, *, late: LateRule = "exclude") -> tuple[str, ...]:
    """The first lines of every result: who answered, and what each rule leaves out, with counts.

    Parameters
    ----------
    trials : Trials
        With its rules for observers, timing and attempts.
    late : {"exclude", "wrong", "half"}
        What an answer outside the response window counts as.

    Returns
    -------
    tuple of str
        Empty when people answered and nothing was left out.
    """
    frame = trials.people()
    n = len(frame)
    lines = [f"observers: {kind}" for kind in sorted(set(frame["observer_kind"].unique()) - {"human"})]
    lines += trials.left_out()
    for status, when, edge, pick in (
        ("late", "after the response limit", "fastest", "min"),
        ("early", "before the anticipation limit", "slowest", "max"),
    ):
        times = frame.loc[frame["status"] == status, "response_ms"]
        if len(times):
            at = getattr(times, pick)()
            lines.append(
                f"{len(times):,} of {n:,} answers came {when} (the {edge} at {at:.0f} ms) and are {_DONE[late]} "
                f"(late: {late})"
            )
    if none := int((frame["status"] == "none").sum()):
        lines.append(f"{none:,} of {n:,} trials have no answer and are {_DONE[late]} (late: {late})")
    return tuple(lines)


def tested(groups: tuple[str, str], alternative: Alternative, *, n_resamples: int) -> str:
    """What a table's differences and p are.

    Examples
    --------
    >>> tested(("clickme", "salicon"), "greater", n_resamples=10_000)
    'difference is clickme minus salicon; p is one-sided (clickme above), from 10,000 relabellings'
    """
    first, second = groups
    sides = {"two-sided": "two-sided", "greater": f"one-sided ({first} above)", "less": f"one-sided ({first} below)"}
    return f"difference is {first} minus {second}; p is {sides[alternative]}, from {n_resamples:,} relabellings"


def target_response(trials: Trials, *, what: str) -> str:
    """Return the response that is right for targets, or refuse a table that has not two answers, target or distractor.

    Raises
    ------
    InputError
        When answers or truths are not in it, or when it has other options: names them.
    """
    frame = trials.people()
    if frame["correct_response"].isna().any() or frame["target"].isna().any() or frame["response"].isna().any():
        raise InputError(
            f"{what}: {trials.name} holds only whether answers were correct; answers and truths are needed "
            "(import with --field response=COLUMN --field target=COLUMN)"
        )
    named = set(frame["correct_response"]) | set(frame["response"]) | set(trials.options or ())
    options = sorted(named - {NO_RESPONSE})
    by_truth = [set(frame.loc[frame["target"] == truth, "correct_response"]) for truth in (True, False)]
    if len(options) > 2 or max(map(len, by_truth)) > 1 or (by_truth[0] & by_truth[1]):
        shown = ", ".join(options[:_MOST_OPTIONS]) + (", …" if len(options) > _MOST_OPTIONS else "")
        raise InputError(
            f"{what}: needs two answers, one for targets and one for all others; {trials.name} has {len(options)} options "
            f"({shown}). Choose participant_mean, or another statistic of accuracy or time"
        )
    if by_truth[0]:
        return str(next(iter(by_truth[0])))
    return str(next((option for option in options if option not in by_truth[1]), TWO[0]))
