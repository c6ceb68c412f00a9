"""Selection: which rows of a trials table an analysis counts, by named rules, and how many each rule leaves out."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from rapidvision.errors import InputError, did_you_mean
from rapidvision.integrity.trial_flags import PARTICIPANT_FLAGS
from rapidvision.trials import OBSERVER_KINDS, ObserverKind

#: Which trials count by the measured presentation: all; those not measured to be wrong; those measured to be right.
TimingRule = Literal["all", "not-false", "verified"]
TIMING_RULES: tuple[TimingRule, ...] = ("all", "not-false", "verified")
#: Which attempts at a trial count: all, or only the one at which the image was new.
AttemptRule = Literal["all", "first"]
ATTEMPT_RULES: tuple[AttemptRule, ...] = ("all", "first")
#: A larger share of trials that were voided, or flagged for another reason than the participant's own presses, is said in
#: every result.
MUCH = 0.05


@dataclass(frozen=True)
class Selection:
    """Which rows count.

    Attributes
    ----------
    observers : {"human", "pilot", "simulated", "model"}, optional
        The kind of observer that is analysed; None where the table has one kind only.
    timing : {"all", "not-false", "verified"}
        ``not-false`` leaves out trials whose measured durations were wrong, ``verified`` those not measured as well.
    attempts : {"all", "first"}
        ``first`` leaves out repeated attempts at a trial whose image had already been seen.
    where : tuple of str
        ``COLUMN=VALUE``: only rows that hold the value, as the file writes it; several for one column are alternatives.

    Raises
    ------
    InputError
        When a rule is unknown.

    Examples
    --------
    >>> Selection(timing="verfied")
    Traceback (most recent call last):
        ...
    rapidvision.errors.InputError: timing: got "verfied". Did you mean "verified"?
    """

    observers: ObserverKind | None = None
    timing: TimingRule = "not-false"
    attempts: AttemptRule = "first"
    where: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for rule in self.where:
            if not rule.partition("=")[0] or "=" not in rule:
                raise InputError(f'where: got "{rule}"; COLUMN=VALUE is needed, as in factor_deadline=400')
        for name, allowed in (("observers", OBSERVER_KINDS), ("timing", TIMING_RULES), ("attempts", ATTEMPT_RULES)):
            value = getattr(self, name)
            if value not in allowed and not (name == "observers" and value is None):
                raise InputError(f'{name}: got "{value}". {did_you_mean(str(value), allowed)}')

    def counted(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Rows of the main phase that were not aborted and that the rules for timing and attempts keep."""
        kept = (frame["phase"] == "main") & (frame["status"] != "aborted")
        kept &= ~self._badly_timed(frame) & ~self._again(frame) & ~self._other(frame)
        return frame.copy(deep=False) if kept.all() else frame[kept]

    def _other(self, frame: pd.DataFrame) -> "pd.Series[bool]":
        """Rows that hold another value than `where` names."""
        wanted: dict[str, set[str]] = {}
        for rule in self.where:
            column, _, value = rule.partition("=")
            wanted.setdefault(column, set()).add(value)
        other = pd.Series(False, index=frame.index)
        for column, values in wanted.items():
            if column not in frame:
                raise InputError(f'where: no column "{column}". {did_you_mean(column, [str(one) for one in frame])}')
            text = frame[column].map(_as_written, na_action=None)
            if not frame.empty and not text.isin(values).any():
                there = ", ".join(sorted(set(text)))
                raise InputError(f"where: no row has {column} = {' or '.join(sorted(values))}; there are {there}")
            other |= ~text.isin(values)
        return other

    def _badly_timed(self, frame: pd.DataFrame) -> "pd.Series[bool]":
        measured = frame["timing_ok"]
        bad = measured == False  # noqa: E712 (empty is neither)
        if self.timing == "verified":
            bad = ~(measured == True)  # noqa: E712 (empty is not verified)
        return bad & (frame["observer_kind"] != "model") & (self.timing != "all")

    def _again(self, frame: pd.DataFrame) -> "pd.Series[bool]":
        return (frame["attempt"] > 1) & (self.attempts == "first")

    def of_one_kind(self, frame: pd.DataFrame, *, name: str) -> pd.DataFrame:
        """Rows of the kind of observer that is analysed.

        Raises
        ------
        InputError
            When the table has several kinds and none was chosen, or has no row of the chosen kind.
        """
        kinds = Counter(frame["observer_kind"].value_counts(dropna=False).to_dict())
        listed = ", ".join(f"{kind} {kinds[kind]:,} trials" for kind in OBSERVER_KINDS if kinds[kind])
        if self.observers is None:
            if len(kinds) > 1:
                raise InputError(
                    f"{name}: answers of several kinds of observers ({listed}), which are never analysed together; "
                    "choose one with observers (--observers human)"
                )
            if "model" in kinds:
                raise InputError(
                    f"{name}: only networks answered here, and they are no participants; choose observers model to "
                    "analyse them as if they were"
                )
            return frame
        if not frame.empty and not kinds[self.observers]:
            raise InputError(f"{name}: no observer of the kind {self.observers}; there are {listed}")
        chosen = frame["observer_kind"] == self.observers
        return frame if chosen.all() else frame[chosen]

    def sentences(self, frame: pd.DataFrame) -> tuple[str, ...]:
        """What the rules leave out of a table's main phase, and whether much of it was voided or flagged.

        Parameters
        ----------
        frame : DataFrame
            All rows of one kind of observer.
        """
        main = frame[frame["phase"] == "main"]
        n = len(main)
        aborted = main["status"] == "aborted"
        bad, again = self._badly_timed(main) & ~aborted, self._again(main) & ~aborted
        lines = []
        if aborted.any():
            lines.append(f"{aborted.sum():,} of {n:,} trials were aborted and are left out")
        if bad.any():
            why = "did not keep the planned durations" if self.timing == "not-false" else "have no verified timing"
            lines.append(f"{bad.sum():,} of {n:,} trials {why} and are left out (timing: {self.timing})")
        if again.any():
            lines.append(
                f"{again.sum():,} of {n:,} trials are second or later attempts at an image already seen and are left "
                "out (attempts: first)"
            )
        if (other := self._other(main) & ~aborted).any():
            lines.append(f"{other.sum():,} of {n:,} trials are others than {' and '.join(self.where)} and are left out")
        return (*lines, *self._much(main, aborted))

    def _much(self, main: pd.DataFrame, aborted: "pd.Series[bool]") -> tuple[str, ...]:
        wrong = main["timing_ok"] == False  # noqa: E712 (empty is neither)
        code, written = pd.factorize(main["flags"].fillna("").astype(str))  # each different cell is read once
        cells = [set(cell.split()) - PARTICIPANT_FLAGS for cell in written]
        marked = aborted | wrong | np.array([bool(cell) for cell in cells], dtype=bool)[code]
        if len(main) == 0 or marked.mean() <= MUCH:
            return ()
        names: Counter[str] = Counter()
        for cell, count in zip(cells, np.bincount(code, minlength=len(cells)).tolist(), strict=True):
            names.update(dict.fromkeys(cell, count))
        parts = [f"aborted {aborted.sum():,}"] if aborted.any() else []
        parts += [f"timing_ok false {wrong.sum():,}"] if wrong.any() else []
        parts += [f"{name} {count:,}" for name, count in sorted(names.items(), key=lambda item: (-item[1], item[0]))]
        return (
            (
                f"WARNING: {marked.sum():,} of {len(main):,} trials ({marked.mean():.1%}) were voided or flagged "
                f"({', '.join(parts)})"
            ),
        )


def _as_written(value: Any) -> str:
    """A cell as the file writes it."""
    if value is None or value is pd.NA or value != value:  # NaN differs from itself
        return ""
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
