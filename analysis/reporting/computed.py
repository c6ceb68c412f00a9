"""What a report computes beside the tests of every level: chance, thresholds, regression, networks; reasons where it cannot."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from rapidvision.errors import InputError

from ..comparison import Comparison, compare
from ..curve_fits import CurveFits, fit_psychometric
from ..inference.above_chance import ChanceTest, chance_test
from ..level_comparison import LevelTests, level_tests
from ..table.first_lines import LATE_RULES, LateRule
from ..table.trials import Trials
from .drawn_conditions import networks_under
from .fig2b_panel import Fig2b

if TYPE_CHECKING:
    from ..fits.regression import Effects

Result = TypeVar("Result")
#: Names of the parts, under which a reason is kept where one cannot be computed.
CHANCE, THRESHOLDS, REGRESSION = "test against chance", "thresholds", "regression"
NETWORKS = "comparison with networks"


class Fits(NamedTuple):
    """What was computed; None, or nothing, where the table or design does not allow it."""

    chances: tuple[ChanceTest, ...]
    thresholds: CurveFits | None
    regression: "Effects | None"
    networks: Comparison | None


def fits_of(
    trials: Trials,
    main: Fig2b,
    *,
    networks: Trials | None,
    mixed: bool,
    seed: int,
    without: dict[str, str],
) -> Fits:
    """Compute the parts of a report; why one is missing is added to `without` under its name.

    Parameters
    ----------
    trials : Trials
        The participants.
    main : Fig2b
        The figure and its tests.
    networks : Trials or None
        The networks' table.
    mixed : bool
        Also the regression.
    seed : int
        Of every resampling.
    without : dict
        Name of the part → why it could not be computed.
    """
    shown, tests = main.shown, main.tests
    n_resamples, rule = tests.pairs[0].test.n_resamples, tests.late
    chances = allowed(
        CHANCE,
        lambda: tuple(chance_test(shown.cells, name, n_resamples=n_resamples, seed=seed) for name in shown.names),
        without,
    )
    thresholds = allowed(THRESHOLDS, lambda: _thresholds(main, n_resamples=n_resamples, seed=seed), without)
    regression = allowed(REGRESSION, lambda: _effects(trials, tests), without) if mixed else None
    compared = None
    if networks is not None:
        under = networks_under(networks, tests.contrast)
        compared = allowed(NETWORKS, lambda: compare(shown.trials, under, late=rule, seed=seed), without)
    return Fits(chances or (), thresholds, regression, compared)


def late_rules(
    trials: Trials, main: LevelTests, *, seed: int, options: Mapping[str, Any]
) -> dict[LateRule, LevelTests]:
    """The same test under every rule for late answers."""
    exact = main.correction in ("holm", "bh", "none")  # these start from the exact p
    return {
        rule: main if rule == main.late else level_tests(trials, seed=seed, **{**options, "late": rule, "exact": exact})
        for rule in LATE_RULES
    }


def allowed(name: str, compute: Callable[[], Result], without: dict[str, str]) -> Result | None:
    """Compute a part; where the table does not allow it, keep the reason under its name."""
    try:
        return compute()
    except InputError as why:
        without[name] = str(why)
        return None


def _thresholds(main: Fig2b, *, n_resamples: int, seed: int) -> CurveFits:
    contrast, names = main.tests.contrast, main.shown.names
    if contrast.design != "between" or len(names) != 2:
        raise InputError(
            f"thresholds are compared between two groups of participants; here the {contrast.sentence()}. Within participants: "
            "rapidvision analyse hierarchical --by COLUMN"
        )
    return fit_psychometric(
        main.shown.trials, groups=(names[0], names[1]), late=main.tests.late, n_resamples=n_resamples, seed=seed
    )


def _effects(trials: Trials, tests: LevelTests) -> "Effects":
    from ..fits.regression import fit_mixed

    contrast = tests.contrast
    if contrast.design == "mixed" or len(contrast.conditions) != 2:
        raise InputError(f"the regression is of two conditions of one column; here the {contrast.sentence()}")
    by = None if contrast.column == "group" else contrast.column
    return fit_mixed(trials, groups=(contrast.conditions[0], contrast.conditions[1]), by=by)
