"""Response times of other programs: the unit is recognised or refused; nothing is early or late without a limit."""

import statistics
from collections.abc import Sequence
from typing import NamedTuple

from rapidvision.errors import InputError
from rapidvision.text import decimals

from .source.folding import places, rows

_MS = {"ms": 1.0, "s": 1000.0, "us": 0.001}
#: A participant's median response time in milliseconds lies in here; anything else is another unit.
PLAUSIBLE_MS = (60.0, 30_000.0)


class Time(NamedTuple):
    """A response time as text, of whom, and where it stands."""

    text: str
    participant: str
    where: str


def milliseconds(times: Sequence[Time], *, unit: str, decimal: decimals.Decimal) -> tuple[list[float], list[str]]:
    """Convert response times to milliseconds.

    Parameters
    ----------
    times : sequence of Time
        Numbers as text, one per answer.
    unit : {"auto", "ms", "s", "us"}
        ``auto``: the one of milliseconds and seconds in which every participant's median is a human response time,
        60 ms to 30 s. Named units are checked by the same rule.
    decimal : {".", ","}
        Decimal sign.

    Returns
    -------
    ms : list of float
        Milliseconds.
    notes : list of str
        Which unit was recognised.

    Raises
    ------
    InputError
        When no unit fits everybody, or participants differ in their unit.

    Examples
    --------
    >>> milliseconds([Time("0.528", "P0", "row 2")], unit="auto", decimal=".")[0]
    [528.0]
    """
    values = [decimals.number_of(time.text, decimal=decimal, where=f"{time.where}: response time") for time in times]
    by_participant: dict[str, list[float]] = {}
    for time, value in zip(times, values, strict=True):
        by_participant.setdefault(time.participant, []).append(value)
    medians = {who: statistics.median(found) for who, found in by_participant.items()}
    chosen = _recognised(medians) if unit == "auto" else unit
    low, high = PLAUSIBLE_MS
    odd = {who: median for who, median in medians.items() if not low <= median * _MS[chosen] <= high}
    if odd:
        who, median = next(iter(odd.items()))
        where = next(time.where for time in times if time.participant == who)
        raise InputError(
            f'{where}: the median response time of "{who}" is {median:g}, which is no human response time in {chosen} '
            f"({len(odd)} of {len(medians)} participants). Name the unit with time_unit (ms, s or us); all files of an "
            "import must use one"
        )
    if unit == "auto":
        _refuse_mixed_units(times, [value * _MS[chosen] for value in values])
    notes = []
    if unit == "auto" and chosen == "s":
        notes.append("response times are seconds (their medians say so) and were converted to milliseconds")
    return [round(value * _MS[chosen], 6) for value in values], notes


def _recognised(medians: dict[str, float]) -> str:
    low, high = PLAUSIBLE_MS
    middle = statistics.median(medians.values()) if medians else low
    return "s" if low <= middle * _MS["s"] <= high and not low <= middle <= high else "ms"


def _refuse_mixed_units(times: Sequence[Time], ms: Sequence[float], share: float = 0.05) -> None:
    """Refuse a participant some of whose times look like another unit: far outside, and human when converted."""
    odd: dict[str, list[str]] = {}
    count: dict[str, int] = {}
    low, high = PLAUSIBLE_MS
    for time, value in zip(times, ms, strict=True):
        count[time.participant] = count.get(time.participant, 0) + 1
        if (value < low / 2 and low <= value * 1000 <= high) or (value > 10 * high and low <= value / 1000 <= high):
            odd.setdefault(time.participant, []).append(time.where)
    for who, wheres in odd.items():
        if len(wheres) > max(1.0, share * count[who]):
            raise InputError(
                f'response times of "{who}" look like two units: {rows(len(wheres))} of {count[who]} would be human in '
                f"the other one ({places(wheres)}). Write them in one unit, or name it with time_unit"
            )


def limit_notes(times_ms: Sequence[float], *, limit_ms: float | None, anticipation_ms: float | None) -> list[str]:
    """Say how many answers a limit makes late or early.

    Examples
    --------
    >>> limit_notes([400.0, 600.0], limit_ms=550, anticipation_ms=None)
    ['1 of 2 answers came after 550 ms and is late']
    """
    notes = []
    for bound, word, count in (
        (limit_ms, "after", sum(time > limit_ms for time in times_ms) if limit_ms is not None else 0),
        (anticipation_ms, "before", sum(time < anticipation_ms for time in times_ms) if anticipation_ms else 0),
    ):
        if bound is not None:
            name = "late" if word == "after" else "early"
            verb = "is" if count == 1 else "are"
            notes.append(f"{count:,} of {len(times_ms):,} answers came {word} {bound:g} ms and {verb} {name}")
    return notes


def refuse_untimed(wheres: Sequence[str], *, column: str) -> None:
    """Refuse answers without a time above 0.

    Raises
    ------
    InputError
        With the rows.
    """
    if wheres:
        raise InputError(
            f"{column}: {rows(len(wheres))} with an answer but no time above 0 ({places(wheres)}). Say what they are: "
            "untimed missing (no answer), untimed leave out, no-answer distractor (a withheld press in go / no-go tasks), or no "
            "time column (response_ms=)"
        )
