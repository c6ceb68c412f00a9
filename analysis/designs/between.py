"""Groups of participants at every level: two, or three and more; in strata, or adjusted for covariates."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError

from ..inference.permutation import RandomizationTest, randomization_test
from ..table.accuracy import Cells
from ..table.statistics import columns_of
from ..table.trials import Trials
from .conditions import as_words
from .contrast import Contrast, with_groups
from .options import Found, Options, joined_pairs, scores_of
from .resampling_tests.covariates import covariate_test
from .resampling_tests.own_statistic import own_test
from .resampling_tests.several_groups import several_groups

Floats = NDArray[np.float64]


def between_tests(trials: Trials, contrast: Contrast, options: Options) -> Found:
    """Groups of participants."""
    if contrast.column != "group":
        trials = with_groups(trials, contrast)
    columns, table = columns_of(trials, options.name, late=options.late)
    columns = replace(columns, labels=tuple(level.label for level in table.levels))
    strata = strata_of(trials, table, options.strata)
    known = (
        covariate_table(trials.people(), table.participants, options.covariates, trials.name)
        if options.covariates
        else None
    )
    if known is not None and strata is not None:
        raise InputError("covariates: they cannot be joined with strata; give the strata's column as a covariate, too")

    def one(pair: tuple[str, str]) -> RandomizationTest:
        members = np.isin(table.groups, pair)
        chosen, first = columns.rows(members), table.groups[members] == pair[0]
        if options.own is not None:
            scores = scores_of(chosen)
            return own_test(
                scores[first], scores[~first], options.own, within=False, labels=columns.labels, **options.resampling()
            )
        if known is not None:
            return covariate_test(chosen, first, known[members], names=options.covariates, **options.resampling())
        return randomization_test(
            chosen,
            first,
            strata=None if strata is None else strata[members],
            spread=options.spread,
            exact=options.exact,
            **options.resampling(),
        )

    curves = tuple(columns.curve(table.of(group)) for group in contrast.conditions)
    tests = [one(pair) for pair in combinations(contrast.conditions, 2)]
    joint = None
    if len(contrast.conditions) > 2:
        if options.own is not None or known is not None or strata is not None:
            raise InputError(
                f"groups: {len(contrast.conditions)} groups are compared by the omnibus test of participants' means, without "
                "strata, covariates or a statistic of your own; name two groups"
            )
        members = np.isin(table.groups, contrast.conditions)
        place = {name: at for at, name in enumerate(contrast.conditions)}
        codes = np.array([place[str(name)] for name in table.groups[members]], dtype=np.intp)
        joint = several_groups(
            columns.rows(members), codes, contrast.conditions, spread=options.spread, **options.resampling()
        )
    pairs, omnibus = joined_pairs(contrast.conditions, curves, tests, joint)
    return Found(table.levels, table, curves, pairs, omnibus)


def covariate_table(frame: pd.DataFrame, participants: Sequence[str], names: Sequence[str], table: str) -> Floats:
    """Covariates of every participant, shape (n, columns): numbers as they are, words as one column per value but the first.

    Raises
    ------
    InputError
        When a column is unknown, differs within a participant, or is empty for one.
    """
    columns = []
    for name in names:
        words = as_words(frame, name, table)
        pairs = pd.DataFrame({"participant": frame["participant_id"].astype(str), "value": words}).drop_duplicates()
        if (twice := pairs["participant"].duplicated()).any():
            who = sorted(set(pairs.loc[twice, "participant"]))
            raise InputError(
                f"covariates: {name} differs within {len(who)} participants ({', '.join(who[:3])}); a covariate belongs to a person"
            )
        value_of = dict(zip(pairs["participant"], pairs["value"], strict=True))
        values = [value_of[one] for one in participants]
        if empty := [who for who, value in zip(participants, values, strict=True) if not value]:
            raise InputError(
                f"covariates: {name} is empty for {len(empty)} participants ({', '.join(empty[:3])}); leave them out "
                "(where) or fill it in"
            )
        numbers = pd.to_numeric(pd.Series(values), errors="coerce")
        if numbers.notna().all():
            columns.append(numbers.to_numpy(dtype=float)[:, None])
        else:
            columns.append(pd.get_dummies(pd.Series(values), drop_first=True).to_numpy(dtype=float))
    return np.concatenate(columns, axis=1)


def strata_of(trials: Trials, table: Cells, column: str) -> NDArray[np.int64] | None:
    """Number of each participant's stratum: the value of a column, which must not differ within a participant."""
    if not column:
        return None
    people = trials.people()
    words = as_words(people, column, trials.name)
    if column == "slot" and (unknown := people["slot"].isna()).any():
        raise InputError(
            f"by_slot: {trials.name} does not say which plan {people.loc[unknown, 'participant_id'].nunique()} of its "
            "participants followed (slot is empty); relabel without slots, or import a column (--field slot=COLUMN)"
        )
    pairs = {(str(who), word) for who, word in zip(people["participant_id"], words, strict=True)}
    stratum_of = dict(pairs)
    if len(stratum_of) < len(pairs):
        raise InputError(f"strata: {column} differs within participants; a stratum is of whole participants")
    numbers = {name: at for at, name in enumerate(sorted(set(stratum_of.values())))}
    return np.array([numbers[stratum_of[name]] for name in table.participants], dtype=np.int64)
