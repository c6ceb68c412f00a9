"""Conditions at every level: curves, and the randomization tests of their differences."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError, did_you_mean
from rapidvision.numerics.resampling import Alternative
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed
from rapidvision.text.result_repr import ShownAsTable

from .designs.between import between_tests
from .designs.contrast import Contrast, DesignKind, find_contrast
from .designs.images import UNITS, Unit, both_units, image_tests
from .designs.mixed import mixed_tests, one_sample_tests
from .designs.options import Options
from .designs.resampling_tests.own_statistic import OwnStatistic
from .designs.resampling_tests.results import OmnibusTest, PairTest
from .designs.within import PAIRINGS, Pairing, same_images, within_tests
from .inference.permutation import RandomizationTest
from .inference.spread_rule import Spread
from .resampling.multiplicity import CORRECTIONS, Correction
from .table.accuracy import Cells, Curve, Level
from .table.first_lines import LateRule, tested
from .table.trials import TrialsSource, as_trials


@dataclass(frozen=True, eq=False, repr=False)
class LevelTests(ShownAsTable):
    """Conditions at every level, and the tests of their differences.

    Attributes
    ----------
    contrast : Contrast
        The design: column and order of the conditions, between or within participants.
    levels : tuple of Level
        In order.
    curves : tuple of Curve
        One per condition. Value of the statistic, its standard error and number of participants: mean and S.E.M. of
        participants, or what is pooled within the group with its jackknife error.
    pairs : tuple of PairTest
        One per pair of conditions; exactly one for two. Of a mixed design, the interaction.
    omnibus : OmnibusTest or None
        Of three and more conditions.
    others : tuple of PairTest
        Main effects of a mixed design.
    correction : str
        Which p the stars show; where it starts from single levels, from their exact p if there is one.
    late : {"exclude", "wrong", "half"}
        What late answers count as.
    cells : Cells
        Counts per participant and level, on which the test is based.
    images : DataFrame or None
        With ``unit="both"``: the test over images, and the one over participants and images at once, a row per level.
    unit, statistic : str
        Who was resampled, and the name of what was compared.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=12).simulate(seed=1)
    >>> found = rv.analysis.level_tests(trials, alternative="greater", n_resamples=999, seed=1)
    >>> found.groups, found.p.shape, len(found.to_frame())
    (('clickme', 'salicon'), (12,), 12)
    """

    contrast: Contrast
    levels: tuple[Level, ...]
    curves: tuple[Curve, ...]
    pairs: tuple[PairTest, ...]
    omnibus: OmnibusTest | None
    correction: Correction
    late: LateRule
    cells: Cells
    others: tuple[PairTest, ...] = ()
    images: pd.DataFrame | None = None
    unit: Unit = "participant"
    statistic: str = "participant_mean"

    @property
    def groups(self) -> tuple[str, ...]:
        """The conditions that are compared, first minus second: two, or all of them."""
        return self.pairs[0].conditions if len(self.pairs) == 1 else self.contrast.groups or self.contrast.conditions

    @property
    def test(self) -> RandomizationTest:
        """Every p of two conditions.

        Raises
        ------
        InputError
            When there are more: each pair has its own test.
        """
        if len(self.pairs) > 1:
            raise InputError(
                f"{_plural(self.contrast)}: the table has {len(self.groups)} ({', '.join(self.groups)}); name the two to "
                "compare, or look at each of the pairs"
            )
        return self.pairs[0].test

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader should know before using a number, each note once."""
        omnibus = self.omnibus.notes if self.omnibus is not None else ()
        many = len(self.pairs) + len(self.others) > 1
        told = [
            f"{' - '.join(one.conditions)}{'' if one.effect == 'difference' else ', ' + one.effect}: {note}"
            if many
            else note
            for one in (*self.pairs, *self.others)
            for note in one.notes
        ]
        return tuple(dict.fromkeys([*self.contrast.notes, *omnibus, *told]))

    @property
    def p(self) -> NDArray[np.float64]:
        """Corrected p, as chosen: per level of two conditions, else shape (pairs, levels)."""
        found = np.array([getattr(one.test, CORRECTIONS[self.correction][0]) for one in self.pairs])
        return found[0] if len(self.pairs) == 1 else found

    def opening(self) -> tuple[str, ...]:
        """What was left out, with counts, and what difference and p are."""
        how = self.pairs[0].test
        lines = list(self.cells.notes)
        if self.contrast.design != "between" or self.omnibus is not None:
            lines.append(self.contrast.sentence())
        if self.omnibus is not None:
            lines += self.omnibus.opening()
        if len(self.pairs) == 1:
            effect = "" if self.pairs[0].effect == "difference" else f"{self.pairs[0].effect}: "
            lines.append(effect + tested(self.pairs[0].conditions, how.alternative, n_resamples=how.n_resamples))
        return tuple(lines)

    def to_frame(self) -> pd.DataFrame:
        """One row per level: both curves, the difference and every p; of more than two conditions, one per pair and level."""
        if len(self.pairs) > 1 or self.others:
            return pd.concat([one.to_frame() for one in (*self.pairs, *self.others)], ignore_index=True)
        first, second = self.pairs[0].curves
        a, b = self.pairs[0].conditions
        test = self.pairs[0].test.to_frame()
        found = pd.DataFrame(
            {
                "level": [level.label for level in self.levels],
                f"{a}": first.mean,
                f"{a} sem": first.sem,
                f"{a} n": first.n,
                f"{b}": second.mean,
                f"{b} sem": second.sem,
                f"{b} n": second.n,
            }
        )
        found = pd.concat([found, test.drop(columns="level")], axis=1)
        return found if self.images is None else pd.concat([found, self.images.drop(columns="level")], axis=1)


def _plural(contrast: Contrast) -> str:
    return "groups" if contrast.column == "group" else contrast.column


def level_tests(
    trials: TrialsSource,
    *,
    by: str | None = None,
    groups: tuple[str, ...] | None = None,
    design: DesignKind | None = None,
    unit: Unit = "participant",
    statistic: str | OwnStatistic = "participant_mean",
    spread: Spread = "auto",
    late: LateRule = "exclude",
    alternative: Alternative = "two-sided",
    correction: Correction = "step-down",
    n_resamples: int = N_RELABELLINGS,
    seed: int | None = None,
    by_slot: bool = False,
    strata: str = "",
    covariates: tuple[str, ...] = (),
    pairing: Pairing = "levels",
    against: float | None = None,
    exact: bool = True,
) -> LevelTests:
    """Compare conditions at every reveal level by randomization tests (paper, appendix "Psychophysics methods").

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The trials table.
    by : str, optional
        Column of the conditions, as in :func:`~rapidvision.analysis.find_contrast`: `group` where it has two or more
        values, else the first factor that varies. ``BETWEEN*WITHIN`` is a mixed design.
    groups : tuple of str, optional
        Which conditions, first minus second; all, in alphabetical order, when absent. Three and more have an omnibus
        test, and every pair.
    design : {"one-sample", "between", "within", "mixed"}, optional
        Found when absent.
    unit : {"participant", "image", "both"}
        Who is resampled: participants; images; or participants, with the test over images and min F' over both beside.
    statistic : str or callable
        What is compared: ``participant_mean`` (accuracy), ``pooled``, ``dprime``, ``criterion``, ``response_ms``,
        ``late_share``, or a plug-in; or a callable ``statistic(first, second, axis=…)`` of the participants' accuracies,
        as :func:`scipy.stats.permutation_test` takes it.
    spread : {"auto", "pooled", "raw"}
        What is relabelled between groups: as in :func:`~rapidvision.analysis.randomization_test`.
    late : {"exclude", "wrong", "half"}
        What late, early and missing answers count as: left out, errors, half correct.
    alternative : {"two-sided", "greater", "less"}
        ``greater``: the first condition scores higher.
    correction : {"step-down", "max-t", "holm", "bh", "none"}
        Which p the stars show; every one is in the table. ``holm``, ``bh`` and ``none`` take the exact p of a level where
        there is one.
    n_resamples : int
        Relabellings, or sign flips.
    seed : int, optional
        Their seed; drawn when absent, and part of the result.
    by_slot : bool
        Relabel only among participants who had the same plan; refused where the table has no plans (slots).
    strata : str
        Column of participants within whose values relabelling stays; empty for none.
    covariates : tuple of str
        Columns of participants that two groups are adjusted for (Freedman and Lane).
    pairing : {"levels", "images"}
        Within participants: compare means of a level, or only images that a participant saw under every condition.
    against : float, optional
        What one condition is compared with; the guess rate when absent.
    exact : bool
        Also the exact p.

    Returns
    -------
    LevelTests
        Shown as a table by notebooks; :meth:`LevelTests.to_frame` has a row per level.

    Raises
    ------
    InputError
        When the table or an argument does not allow it.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=12).simulate(seed=1)
    >>> found = rv.analysis.level_tests(trials, groups=("clickme", "salicon"), alternative="greater", seed=1)
    >>> len(found.levels), bool((found.p < 0.05).any())
    (12, True)

    A statistic of your own:

    >>> import numpy as np
    >>> def medians(first, second, axis):
    ...     return np.median(first, axis=axis) - np.median(second, axis=axis)
    >>> rv.analysis.level_tests(trials, statistic=medians, late="wrong", n_resamples=99, seed=1).test.statistic
    'medians'
    """
    if correction not in CORRECTIONS:
        raise InputError(f'correction: got "{correction}". {did_you_mean(correction, CORRECTIONS)}')
    for word, value, allowed in (("unit", unit, UNITS), ("pairing", pairing, PAIRINGS)):
        if value not in allowed:
            raise InputError(f'{word}: got "{value}". {did_you_mean(value, allowed)}')
    if by_slot and strata not in ("", "slot"):
        raise InputError(f"strata: {strata}, and by_slot; choose one of them")
    table = as_trials(trials)
    contrast = find_contrast(table, by=by, conditions=groups, design=design)
    options = Options(
        statistic=statistic,
        late=late,
        alternative=alternative,
        n_resamples=n_resamples,
        seed=fresh_seed() if seed is None else seed,
        spread=spread,
        exact=exact,
        strata="slot" if by_slot else strata,
        covariates=tuple(covariates),
        against=against,
    )
    if pairing == "images":
        if contrast.design not in ("within", "mixed"):
            raise InputError(f"pairing: images pairs conditions within participants; the design is {contrast.design}")
        table = same_images(table, contrast)
    if unit == "image":
        found = image_tests(table, contrast, options)
    else:
        found = TESTS[contrast.design](table, contrast, options)
    images = both_units(table, contrast, options, found) if unit == "both" else None
    name = options.name if options.own is None else found.pairs[0].test.statistic
    return LevelTests(
        contrast, found.levels, found.curves, found.pairs, found.omnibus, correction, late, found.cells, found.others,
        images, unit, name,
    )  # fmt: skip


#: The tests of each design.
TESTS = {"between": between_tests, "within": within_tests, "mixed": mixed_tests, "one-sample": one_sample_tests}
