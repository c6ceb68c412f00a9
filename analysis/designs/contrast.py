"""Which conditions a table compares: their column, their order, and whether they differ between or within participants."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd

from rapidvision.errors import InputError, did_you_mean

from ..table.trials import Trials, TrialsSource, as_trials
from .conditions import as_words, condition_column, conditions_of, factors_of, varies_within

#: How conditions are spread over participants.
DesignKind = Literal["one-sample", "between", "within", "mixed"]
DESIGNS: tuple[DesignKind, ...] = ("one-sample", "between", "within", "mixed")
#: Between a participant and a condition in the name of a row; no name holds it.
SEPARATOR = "\x1f"


@dataclass(frozen=True)
class Contrast:
    """What is compared.

    Attributes
    ----------
    design : {"one-sample", "between", "within", "mixed"}
        ``mixed``: groups of participants, each under the same conditions.
    column : str
        Column of the trials table that holds the conditions.
    conditions : tuple of str
        In the order of the test: first minus second.
    between, within : str
        Column that differs between participants, and within them; empty where there is none.
    groups : tuple of str
        Groups of a mixed design in the order of the test; elsewhere empty.
    notes : tuple of str
        Who was left out, with counts.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=4).simulate(seed=1)
    >>> found = rv.analysis.find_contrast(trials)
    >>> found.design, found.column, found.conditions
    ('between', 'group', ('clickme', 'salicon'))
    """

    design: DesignKind
    column: str
    conditions: tuple[str, ...]
    between: str = ""
    within: str = ""
    groups: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def sentence(self) -> str:
        """The design in a line."""
        names = ", ".join(self.conditions)
        if self.design == "one-sample":
            return f"design: one condition, {names}"
        if self.design == "mixed":
            return f"design: {self.between} ({', '.join(self.groups)}) between participants x {self.within} ({names}) within"
        return f"design: {self.column} ({names}) {self.design} participants"


def find_contrast(
    trials: TrialsSource,
    *,
    by: str | None = None,
    conditions: tuple[str, ...] | None = None,
    design: DesignKind | None = None,
) -> Contrast:
    """Find what a table compares, or check what is declared.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The trials table.
    by : str, optional
        Column of the conditions; ``BETWEEN*WITHIN`` names both columns of a mixed design. Without it: `group` where it
        has two or more values, else `map_source` or the first factor of the protocol that varies.
    conditions : tuple of str, optional
        Which values, in the order of the test; all, in alphabetical order, when absent.
    design : {"one-sample", "between", "within", "mixed"}, optional
        Found when absent: ``within`` where participants have several conditions, ``one-sample`` where nothing varies.

    Returns
    -------
    Contrast

    Raises
    ------
    InputError
        When a column or condition is unknown, or participants do not have the conditions as declared.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=4).simulate(seed=1)
    >>> rv.analysis.find_contrast(trials, conditions=("salicon", "clickme")).sentence()
    'design: group (salicon, clickme) between participants'
    """
    table = as_trials(trials)
    if design is not None and design not in DESIGNS:
        raise InputError(f'design: got "{design}". {did_you_mean(design, DESIGNS)}')
    frame = table.people()
    if by is not None and "*" in by:
        if design not in (None, "mixed"):
            raise InputError(f'by: "{by}" names two columns, which is a mixed design; design says {design}')
        return _mixed(frame, table, tuple(name.strip() for name in by.split("*")), conditions)
    if design == "mixed":
        within = by if by is not None else next((one for one in factors_of(frame) if varies_within(frame, one)), None)
        if within is None:
            raise InputError(
                f"design: {table.name} has no factor that varies within participants; name its column (by)"
            )
        return _mixed(frame, table, ("group", within), conditions)
    column = by if by is not None else condition_column(frame)
    words = as_words(frame, column, table.name)
    alone = len(words.unique()) == 1 if conditions is None else len(conditions) == 1
    if design == "one-sample" or (design is None and alone):
        return _one(words, column, conditions)
    chosen = conditions_of(words, column, conditions)
    counts = words[words.isin(chosen)].groupby(frame["participant_id"]).nunique()
    found: DesignKind = design or _found(counts, column, len(chosen), table.name)
    several = int((counts > 1).sum())
    if found == "between":
        if several:
            raise InputError(
                f"design: between participants, but {several} of {len(counts)} participants have several values of {column}; "
                "declare design within"
            )
        return Contrast("between", column, chosen, between=column)
    whole = int((counts == len(chosen)).sum())
    if not whole:
        raise InputError(
            f"design: within participants, but no participant has all of {', '.join(chosen)}; declare design between, or "
            "name other conditions"
        )
    left = len(counts) - whole
    note = (f"{left} of {len(counts)} participants do not have all of {', '.join(chosen)} and are left out",)
    return Contrast("within", column, chosen, within=column, notes=note if left else ())


def _found(counts: "pd.Series[int]", column: str, n_conditions: int, name: str) -> DesignKind:
    several, whole = int((counts > 1).sum()), int((counts == n_conditions).sum())
    if not several:
        return "between"
    if 2 * whole >= len(counts):
        return "within"
    raise InputError(
        f"design: in {name}, {several} of {len(counts)} participants have several values of {column}, {whole} have all; "
        "declare design within (the others are left out and counted) or name two conditions"
    )


def _one(words: "pd.Series[str]", column: str, conditions: tuple[str, ...] | None) -> Contrast:
    known = sorted(set(words.unique()) - {""})
    if conditions is None and len(known) > 1:
        raise InputError(f"design: one-sample needs one of {', '.join(known)}; name it (groups)")
    chosen = conditions if conditions is not None else tuple(known)
    if len(chosen) != 1 or chosen[0] not in known:
        raise InputError(
            f"design: one-sample of {column} needs one condition of {', '.join(known)}, got {', '.join(chosen)}"
        )
    return Contrast("one-sample", column, chosen)


def _mixed(
    frame: pd.DataFrame, table: Trials, columns: tuple[str, ...], conditions: tuple[str, ...] | None
) -> Contrast:
    if len(columns) != 2:
        raise InputError(f"by: got {'*'.join(columns)}; BETWEEN*WITHIN names two columns")
    varies = []
    for column in columns:
        as_words(frame, column, table.name)
        varies.append(varies_within(frame, column))
    if varies == [True, False]:
        columns = (columns[1], columns[0])
    elif varies != [False, True]:
        how = "both vary" if all(varies) else "neither varies"
        raise InputError(
            f"design: mixed needs one column that varies within participants and one that does not; of {columns[0]} and "
            f"{columns[1]} {how} within participants"
        )
    between, within = columns
    chosen = conditions_of(as_words(frame, within, table.name), within, conditions)
    if len(chosen) != 2:
        raise InputError(
            f"design: mixed compares two conditions of {within} over the groups; it has {len(chosen)} "
            f"({', '.join(chosen)}); name two (conditions)"
        )
    groups = conditions_of(as_words(frame, between, table.name), between, None)
    words = as_words(frame, within, table.name)
    counts = words[words.isin(chosen)].groupby(frame["participant_id"]).nunique()
    left = int((counts < 2).sum())
    note = (f"{left} of {len(counts)} participants do not have both of {', '.join(chosen)} and are left out",)
    return Contrast("mixed", within, chosen, between=between, within=within, groups=groups, notes=note if left else ())


def recoded(trials: Trials, **columns: Any) -> Trials:
    """The table with other values in some columns; its rules for rows go by what was recorded.

    Parameters
    ----------
    trials : Trials
        The table.
    **columns
        New values of `participant_id` or `group`.
    """
    frame, where = trials.frame, []
    for rule in trials.selection.where:
        name, _, value = rule.partition("=")
        if name in columns:
            copy = f"{name} (as recorded)"
            frame = frame.assign(**{copy: trials.frame[name]})
            where.append(f"{copy}={value}")
        else:
            where.append(rule)
    return replace(trials, frame=frame.assign(**columns), selection=replace(trials.selection, where=tuple(where)))


def with_groups(trials: Trials, contrast: Contrast) -> Trials:
    """The rows of a contrast's conditions, with the conditions as groups."""
    words = as_words(trials.frame, contrast.column, trials.name)
    found = recoded(trials, group=words)
    kept = words.isin(contrast.conditions).to_numpy()
    return replace(found, frame=found.frame[kept].reset_index(drop=True))


def split_by(trials: Trials, column: str | None) -> Trials:
    """A table whose groups are the values of a column; a participant with several values is one of each group.

    Raises
    ------
    InputError
        When there is no such column.
    """
    if column is None:
        return trials
    words = as_words(trials.frame, column, trials.name)
    names = trials.frame["participant_id"].astype(str) + SEPARATOR + words
    return recoded(trials, participant_id=names, group=words)


def grouped_by(trials: Trials, column: str | None) -> Trials:
    """A table whose groups of participants are the values of a column.

    Raises
    ------
    InputError
        When there is no such column, or participants have several values.
    """
    if column is None:
        return trials
    words = as_words(trials.frame, column, trials.name)
    pairs = trials.frame[["participant_id"]].assign(value=words)[words != ""].drop_duplicates()
    several = set(pairs.loc[pairs["participant_id"].duplicated(), "participant_id"])
    if several:
        raise InputError(
            f"by: {len(several)} of {pairs['participant_id'].nunique()} participants have several values of {column}; thresholds are compared "
            "between groups of participants. Levels within participants: rapidvision analyse bins --by"
        )
    return recoded(trials, group=words)
