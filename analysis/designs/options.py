"""What the tests of a design are told, and what they find."""

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.resampling import Alternative

from ..inference.permutation import RandomizationTest
from ..inference.spread_rule import Spread
from ..table.accuracy import Cells, Curve, Level
from ..table.columns import Columns
from ..table.first_lines import LateRule
from .resampling_tests.own_statistic import OwnStatistic
from .resampling_tests.paired import corrected_over_pairs
from .resampling_tests.results import OmnibusTest, PairTest
from .resampling_tests.several_groups import Several

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Options:
    """How the tests of a design are made; see :func:`~rapidvision.analysis.level_tests`."""

    statistic: str | OwnStatistic
    late: LateRule
    alternative: Alternative
    n_resamples: int
    seed: int
    spread: Spread
    exact: bool
    strata: str = ""
    covariates: tuple[str, ...] = ()
    against: float | None = None

    @property
    def name(self) -> str:
        """Name of the statistic whose scores are compared."""
        return self.statistic if isinstance(self.statistic, str) else "participant_mean"

    @property
    def own(self) -> OwnStatistic | None:
        """A callable of the user's own."""
        return None if isinstance(self.statistic, str) else self.statistic

    def resampling(self) -> dict[str, Any]:
        """What every test is told."""
        return {"n_resamples": self.n_resamples, "seed": self.seed, "alternative": self.alternative}


@dataclass(frozen=True, eq=False)
class Found:
    """What a design's tests find: one curve per condition, one test per pair, and the omnibus test of three and more."""

    levels: tuple[Level, ...]
    cells: Cells
    curves: tuple[Curve, ...]
    pairs: tuple[PairTest, ...]
    omnibus: OmnibusTest | None = None
    others: tuple[PairTest, ...] = ()


def joined_pairs(
    names: tuple[str, ...],
    curves: tuple[Curve, ...],
    tests: list[RandomizationTest],
    joint: Several | None,
    *,
    effect: str = "difference",
) -> tuple[tuple[PairTest, ...], OmnibusTest | None]:
    """Pairs with their corrections, and the omnibus test."""
    if joint is not None:
        tests = corrected_over_pairs(tests, joint.p_max_t, joint.p_step_down)
    pairs = tuple(
        PairTest((names[a], names[b]), effect, (curves[a], curves[b]), test)
        for (a, b), test in zip(combinations(range(len(names)), 2), tests, strict=True)
    )
    return pairs, None if joint is None else joint.omnibus


def scores_of(columns: Columns) -> Floats:
    """Every row's score, NaN where there is none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(columns.present, columns.value(columns.parts.astype(float)), np.nan)
