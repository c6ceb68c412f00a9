"""Exclusions: named rules, each with its count, and a table of before and after. Nothing is dropped silently.

The paper reports none, so none is the default.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from rapidvision.errors import InputError
from rapidvision.text.result_repr import ShownAsTable

from .first_lines import target_response
from .trials import Trials, TrialsSource, as_trials


@dataclass(frozen=True)
class Rules:
    """Which participants and sessions stay. A rule that is None (or False) is not applied.

    Attributes
    ----------
    min_full_accuracy : float, optional
        Lowest share of correct answers, in time, to intact images.
    max_late_share : float, optional
        Largest share of late, early and missing answers.
    max_response_bias : float, optional
        Largest share of the answers in time that may be the same answer (0.5 … 1).
    first_session_only : bool
        Keep only the first session of a participant who came more than once.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=4).simulate(seed=1)
    >>> kept = rv.analysis.exclude(trials, rv.analysis.Rules(min_full_accuracy=0.99))
    >>> kept.before, kept.after
    ({'clickme': 4, 'salicon': 4}, {'clickme': 3, 'salicon': 3})
    """

    min_full_accuracy: float | None = None
    max_late_share: float | None = None
    max_response_bias: float | None = None
    first_session_only: bool = False

    def __post_init__(self) -> None:
        for name, low in (("min_full_accuracy", 0.0), ("max_late_share", 0.0), ("max_response_bias", 0.5)):
            value = getattr(self, name)
            if value is not None and not low <= value <= 1:
                raise InputError(f"{name}: got {value:g}, allowed is a share from {low:g} to 1")


@dataclass(frozen=True)
class Excluded:
    """One rule's effect: what it says, how many participants (or sessions) it left out, and which."""

    rule: str
    n: int
    who: tuple[str, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Kept(ShownAsTable):
    """What is left, what each rule took, and the sizes of the groups before and after.

    Attributes
    ----------
    trials : Trials
        What is left.
    excluded : tuple of Excluded
        One per rule that was applied.
    before, after : dict
        Group → participants.
    notes : tuple of str
        Whom a rule could not measure, with counts.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=4).simulate(seed=1)
    >>> kept = rv.analysis.exclude(trials, rv.analysis.Rules(max_late_share=0.5))
    >>> kept.trials, [(one.rule, one.n) for one in kept.excluded]
    (simulated: 640 trials, 8 participants (simulated), [('late, early or missing answers above 0.5', 0)])
    """

    trials: Trials
    excluded: tuple[Excluded, ...]
    before: dict[str, int]
    after: dict[str, int]
    notes: tuple[str, ...] = ()

    def opening(self) -> tuple[str, ...]:
        """What the rules left out, with counts."""
        return (self.sentence(),)

    def to_frame(self) -> pd.DataFrame:
        """One row per group: participants before and after."""
        names = sorted(self.before)
        after = [self.after.get(name, 0) for name in names]
        return pd.DataFrame({"group": names, "before": [self.before[name] for name in names], "after": after})

    def sentence(self) -> str:
        """``kept 118 of 120 participants, excluded 2 because full-image accuracy below 0.6``."""
        total, left = sum(self.before.values()), sum(self.after.values())
        why = "; ".join(f"excluded {one.n} because {one.rule}" for one in self.excluded if one.n)
        return (
            f"kept {left} of {total} participants"
            + (f", {why}" if why else "; nothing was excluded")
            + "".join(f"; {note}" for note in self.notes)
        )


def exclude(trials: TrialsSource, rules: Rules | None = None) -> Kept:
    """Apply the rules in the order of their definition; each sees what the ones before it left.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        Networks' rows always stay.
    rules : Rules, optional
        What to apply; nothing by default, as in the paper.

    Returns
    -------
    Kept
        What is left (``.trials``), and who was left out by which rule.

    Raises
    ------
    InputError
        When a rule leaves no participant, or none of a group; the message names the rules.

    Examples
    --------
    >>> import rapidvision as rv
    >>> rv.analysis.Rules(min_full_accuracy=60)
    Traceback (most recent call last):
        ...
    rapidvision.errors.InputError: min_full_accuracy: got 60, allowed is a share from 0 to 1
    """
    trials, rules = as_trials(trials), rules or Rules()
    before = _sizes(trials)
    excluded: list[Excluded] = []
    notes: list[str] = []
    if rules.first_session_only:
        trials = _first_sessions(trials, excluded)
    for name, text in (
        ("min_full_accuracy", "accuracy with intact images below"),
        ("max_late_share", "late, early or missing answers above"),
        ("max_response_bias", "share of the same answer above"),
    ):
        limit = getattr(rules, name)
        if limit is not None:
            measured = _measure(trials, name)
            unknown = trials.people()["participant_id"].nunique() - len(measured)
            if unknown:
                notes.append(f"{unknown} without a trial that {name} measures stay")
            trials = _drop(trials, measured, name, limit, f"{text} {limit:g}", excluded)
    left = _sizes(trials)
    if gone := sorted(set(before) - set(left)):
        counts = "; ".join(f"{one.rule}: {one.n}" for one in excluded if one.n)
        raise InputError(
            f"{trials.name}: exclusions leave no participant of group {', '.join(gone)} ({counts}), so what is left would be "
            "another design; choose other limits, or leave the group out by where"
        )
    return Kept(trials, tuple(excluded), before, left, tuple(notes))


def _sizes(trials: Trials) -> dict[str, int]:
    sizes = trials.people().groupby("group", sort=True)["participant_id"].nunique()
    return {str(group): int(n) for group, n in sizes.items()}


def _measure(trials: Trials, name: str) -> "pd.Series[Any]":
    frame = trials.people()
    if name == "max_late_share":
        return (frame["status"] != "ok").groupby(frame["participant_id"]).mean()
    in_time = frame[frame["status"] == "ok"]
    if name == "max_response_bias":
        target_response(trials, what=name)
        counts = in_time.groupby(["participant_id", "response"]).size()
        return counts.groupby("participant_id").max() / counts.groupby("participant_id").sum()
    full = in_time[in_time["level_label"] == "full"]
    if full.empty:
        raise InputError(f"{trials.name}: {name} needs answers to intact images (level full), and there are none")
    return (full["correct"] == True).groupby(full["participant_id"]).mean()  # noqa: E712 (None is neither)


def _drop(
    trials: Trials, measured: "pd.Series[Any]", name: str, limit: float, text: str, excluded: list[Excluded]
) -> Trials:
    bad = measured < limit if name.startswith("min") else measured > limit
    who = tuple(sorted(str(one) for one in measured.index[bad]))
    excluded.append(Excluded(text, len(who), who))
    if not who:
        return trials
    left = trials.keep(~trials.frame["participant_id"].isin(who).to_numpy(), f"excluded {len(who)} because {text}")
    if left.people().empty:
        raise InputError(f'{trials.name}: the rule "{text}" leaves no participant; loosen it')
    return left


def _first_sessions(trials: Trials, excluded: list[Excluded]) -> Trials:
    frame = trials.frame
    people = trials.selection.of_one_kind(frame, name=trials.name)
    several = people.groupby("participant_id")["session_id"].transform("nunique") > 1
    if (undated := several & people["utc"].isna()).any():
        who = sorted(set(people.loc[undated, "participant_id"]))
        raise InputError(
            f"{trials.name}: first_session_only needs to know when sessions were, and utc is empty for "
            f"{', '.join(map(str, who[:5]))}; keep their first sessions when importing"
        )
    first = people.sort_values("utc", kind="stable", na_position="last").drop_duplicates("participant_id")
    keep = set(first["session_id"])
    later = sorted(set(people["session_id"]) - keep)
    excluded.append(Excluded("a later session of the same participant", len(later), tuple(map(str, later))))
    if not later:
        return trials
    return trials.keep(~frame["session_id"].isin(later).to_numpy(), f"excluded {len(later)} later sessions")
