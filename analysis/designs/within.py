"""Conditions within participants, or within images: two, or three and more."""

from itertools import combinations
from typing import Literal

import numpy as np

from rapidvision.errors import InputError

from ..inference.permutation import RandomizationTest, randomization_test
from ..table.accuracy import Curve
from ..table.trials import Trials
from .condition_cells import ConditionCells, condition_cells
from .conditions import as_words
from .contrast import Contrast
from .options import Found, Options, joined_pairs, scores_of
from .resampling_tests.own_statistic import own_test
from .resampling_tests.paired import Differences, paired_test, score_differences, share_differences
from .resampling_tests.repeated import repeated_conditions

#: ``levels``: a participant's means at a level are compared; ``images``: over the images seen under every condition only.
Pairing = Literal["levels", "images"]
PAIRINGS: tuple[Pairing, ...] = ("levels", "images")


def within_tests(trials: Trials, contrast: Contrast, options: Options, *, unit: str = "participant_id") -> Found:
    """Conditions within participants, or within images."""
    if options.covariates or options.strata:
        raise InputError(
            "design: within participants, each is compared with themselves; covariates and strata of participants have no "
            "effect there, leave them out"
        )
    found = condition_cells(trials, contrast, options.name, late=options.late, unit=unit)
    curves = tuple(curve_under(found, at) for at in range(len(contrast.conditions)))
    tests = [pair_within(found, pair, options) for pair in combinations(range(len(contrast.conditions)), 2)]
    joint = None
    if len(contrast.conditions) > 2:
        if options.own is not None or not found.columns.is_mean:
            raise InputError(
                f"conditions: {len(contrast.conditions)} conditions are compared by the omnibus test of participants' means; "
                "name two for another statistic"
            )
        whole = found.whole()
        scores = scores_of(found.columns)[whole.rows]
        joint = repeated_conditions(
            scores, contrast.conditions, statistic=options.name, labels=found.columns.labels, **options.resampling()
        )
    pairs, omnibus = joined_pairs(contrast.conditions, curves, tests, joint)
    return Found(found.cells.levels, found.cells, curves, pairs, omnibus)


def pair_within(found: ConditionCells, pair: tuple[int, int], options: Options) -> RandomizationTest:
    """Test two conditions of the units that have both."""
    rows = found.rows[:, pair]
    rows = rows[(rows >= 0).all(axis=1)]
    if options.own is not None:
        scores = scores_of(found.columns)
        return own_test(
            scores[rows[:, 0]],
            scores[rows[:, 1]],
            options.own,
            within=True,
            labels=found.columns.labels,
            **options.resampling(),
        )
    if found.columns.is_mean:
        return paired_test(differences_of(found, pair, options.name), exact=options.exact, **options.resampling())
    # pooled within a condition: participants' two rows are exchanged, each pair a stratum of its own
    return randomization_test(
        found.columns.rows(rows.T.ravel()),
        np.arange(rows.size) < len(rows),
        strata=np.tile(np.arange(len(rows)), 2),
        exact=options.exact,
        **options.resampling(),
    )


def differences_of(found: ConditionCells, pair: tuple[int, int], name: str) -> Differences:
    """Differences of two conditions of every unit that has both."""
    rows = found.rows[:, pair]
    one, other = rows[(rows >= 0).all(axis=1)].T
    table, labels = found.cells, found.columns.labels
    if name == "participant_mean":
        return share_differences(
            [table.halves[one], table.halves[other]], [table.n_trials[one], table.n_trials[other]], labels=labels
        )
    if name == "late_share":
        untimely, shown = 2 * table.n_untimely, table.n_shown
        return share_differences([untimely[one], untimely[other]], [shown[one], shown[other]], labels=labels, name=name)
    scores = scores_of(found.columns)
    return score_differences(scores[one], scores[other], labels=labels, name=name)


def curve_under(found: ConditionCells, at: int) -> Curve:
    """The curve of a condition."""
    rows = np.zeros(len(found.columns.parts), dtype=bool)
    rows[found.rows[:, at][found.rows[:, at] >= 0]] = True
    return found.columns.curve(rows)


def same_images(trials: Trials, contrast: Contrast) -> Trials:
    """Only images that a participant saw under every condition at a level, with a note that counts the others."""
    frame = trials.frame
    words = as_words(frame, contrast.column, trials.name)
    counted = frame.index.isin(trials.people().index) & words.isin(contrast.conditions).to_numpy()
    if frame.loc[counted, "image_id"].isna().any():
        raise InputError(f"pairing: {trials.name} does not say which image a trial showed; choose pairing levels")
    cell = [frame.loc[counted, name].astype(str) for name in ("participant_id", "level_index", "image_id")]
    seen = words[counted].groupby(cell).transform("nunique") == len(contrast.conditions)
    kept = np.zeros(len(frame), dtype=bool)
    kept[np.flatnonzero(counted)] = seen.to_numpy()
    if not kept.any():
        raise InputError("pairing: no participant saw an image under every condition; choose pairing levels")
    left = int(counted.sum() - kept.sum())
    return trials.keep(
        kept, f"left out {left} of {int(counted.sum())} trials whose image was not seen under every condition"
    )
