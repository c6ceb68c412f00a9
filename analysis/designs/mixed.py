"""Groups of participants under two conditions, and one condition against a value."""

from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.numerics.resampling import OTHER_WAY, Alternative, row_order

from ..inference.permutation import RandomizationTest, randomization_test
from ..inference.scores import columns_of_scores
from ..table.accuracy import Curve, curve_of
from ..table.statistics import columns_of
from ..table.trials import Trials
from .condition_cells import condition_cells
from .contrast import Contrast, with_groups
from .options import Found, Options, joined_pairs, scores_of
from .resampling_tests.paired import paired_test, score_differences
from .resampling_tests.results import OmnibusTest, PairTest
from .resampling_tests.several_groups import several_groups
from .within import curve_under, pair_within

Floats = NDArray[np.float64]


def mixed_tests(trials: Trials, contrast: Contrast, options: Options) -> Found:
    """Groups of participants under two conditions: interaction, and both main effects."""
    if options.own is not None or options.covariates or options.strata:
        raise InputError(
            "design: mixed takes named statistics, without strata and covariates; test each effect by itself"
        )
    found = condition_cells(trials, contrast, options.name, late=options.late).whole()
    if not found.columns.is_mean:
        raise InputError(f"design: mixed needs means of participants; {options.name} is none; choose participant_mean")
    scores = scores_of(found.columns)[found.rows]
    gap, turned = _oriented(scores[:, 0] - scores[:, 1])
    gaps = replace(columns_of_scores(gap), labels=found.columns.labels)
    means = replace(
        columns_of_scores((scores[:, 0] + scores[:, 1]) / 2), labels=found.columns.labels, name=options.name
    )
    groups, k = contrast.groups, len(contrast.groups)
    codes = np.array([groups.index(str(name)) for name in found.between], dtype=np.intp)
    if missing := [name for at, name in enumerate(groups) if not (codes == at).any()]:
        raise InputError(f"design: no participant of {', '.join(missing)} has both of {', '.join(contrast.conditions)}")
    made: dict[str, tuple[tuple[PairTest, ...], OmnibusTest | None]] = {}
    for effect, columns, turn in (("interaction", gaps, turned), (f"main effect of {contrast.between}", means, False)):
        how = options.resampling()
        if turn:
            how["alternative"] = OTHER_WAY[options.alternative]
        curves = tuple(columns.curve(codes == at) for at in range(k))
        tests = [
            randomization_test(
                columns.rows((codes == a) | (codes == b)),
                codes[(codes == a) | (codes == b)] == a,
                spread=options.spread,
                exact=options.exact,
                **how,
            )
            for a, b in combinations(range(k), 2)
        ]
        joint = None
        if k > 2:
            joint = several_groups(columns, codes, groups, spread=options.spread, **how)
        if turn:
            tests = [_turned(test, options.alternative) for test in tests]
            curves = tuple(Curve(-one.mean, one.sem, one.n) for one in curves)
        made[effect] = joined_pairs(groups, curves, tests, joint, effect=effect)
    interaction, main = made.values()
    one = pair_within(found, (0, 1), options)
    both = (curve_under(found, 0), curve_under(found, 1))
    within = PairTest((contrast.conditions[0], contrast.conditions[1]), f"main effect of {contrast.within}", both, one)
    return Found(found.cells.levels, found.cells, both, interaction[0], interaction[1], (*main[0], within))


def _oriented(gap: Floats) -> tuple[Floats, bool]:
    """Differences with the sign that their content decides, so that it does not matter which condition is first."""
    filled = np.where(np.isfinite(gap), gap, 0.0) + 0.0
    one, other = (side[row_order(side)].astype(">f8") for side in (filled, -filled))
    differ = np.flatnonzero(one.ravel() != other.ravel())
    turned = bool(len(differ)) and bool(one.flat[differ[0]] > other.flat[differ[0]])
    return (-gap, True) if turned else (gap, False)


def _turned(test: RandomizationTest, alternative: Alternative) -> RandomizationTest:
    """The same test of differences with the other sign."""
    return replace(
        test,
        difference=-test.difference,
        g=-test.g,
        alternative=alternative,
        clusters=tuple(one._replace(sign=-one.sign) for one in test.clusters),
    )


def one_sample_tests(trials: Trials, contrast: Contrast, options: Options) -> Found:
    """One condition against a value: chance, unless another is given."""
    trials = with_groups(trials, contrast)
    columns, table = columns_of(trials, options.name, late=options.late)
    if options.own is not None or not columns.is_mean:
        raise InputError(f"design: one-sample needs a mean of participants; {options.name} is none")
    if options.against is None and options.name != "participant_mean":
        raise InputError(f"against: what {options.name} is compared with is not known; give the value (against)")
    value = table.known_guess("one-sample") if options.against is None else float(options.against)
    scores = scores_of(columns)
    labels = tuple(level.label for level in table.levels)
    flat = score_differences(scores, np.full_like(scores, value), labels=labels, name=options.name)
    if options.name == "participant_mean":
        with np.errstate(invalid="ignore"):
            p = curve_of(scores).mean
        flat = replace(flat, unit=np.where(flat.unit > 0, np.sqrt(np.maximum(np.nan_to_num(p * (1 - p)), 0.0)), 0.0))
    test = paired_test(flat, exact=options.exact, **options.resampling())
    if options.name == "participant_mean" and value not in (0.5,):
        note = (
            f"warning: flips assume that participants lie as often above {value:g} as below it where nothing differs; shares "
            "near 0 or 1 are skewed. Against chance, rapidvision analyse chance counts answers instead"
        )
        test = replace(test, notes=(note, *test.notes))
    own = curve_of(scores)
    flat_curve = Curve(np.full(len(labels), value), np.full(len(labels), np.nan), np.zeros(len(labels), dtype=np.int64))
    pair = PairTest((contrast.conditions[0], f"{value:g}"), f"difference from {value:g}", (own, flat_curve), test)
    return Found(table.levels, table, (own,), (pair,))
