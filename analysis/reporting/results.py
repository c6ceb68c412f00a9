"""What ``results.json`` holds, section by section."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from rapidvision.system import files
from rapidvision.text.json_values import plain

from ..comparison import Comparison
from ..curve_fits import CurveFits
from ..level_comparison import LevelTests
from ..specifications.choices import rules_text
from ..table.accuracy import Level
from ..table.exclusions import Kept, Rules
from ..table.first_lines import LateRule
from ..table.trials import Trials
from .fig2b_panel import Fig2b

if TYPE_CHECKING:
    from ..fits.regression import Effects

#: Level of every decision of a report.
ALPHA = 0.05


def results(
    source: Trials, left: Kept, main: Fig2b, late: Mapping[LateRule, LevelTests], made: files.Provenance
) -> dict[str, Any]:
    """Table, exclusions, tests of every level, ceilings, networks and provenance."""
    test = main.tests.test
    return {
        "observers": list(source.observers),
        "n_trials": int(main.tests.cells.n_shown.sum()),
        "observer_kinds": sorted(set(source.people()["observer_kind"].unique())),
        "left_out": list(main.tests.cells.notes),
        "notes": [*left.trials.notes, *test.notes],
        "exclusions": {
            "before": left.before,
            "after": left.after,
            "rules": plain(left.excluded),
        },
        "test": {
            "groups": list(main.tests.groups),
            "direction": f"{main.tests.groups[0]} minus {main.tests.groups[1]}",
            "statistic": test.statistic,
            "late": main.tests.late,
            "alternative": test.alternative,
            "relabellings": test.n_resamples,
            "n": [test.n_first, test.n_second],
            "smallest_p": test.smallest_p,
            "correction": main.tests.correction,
            "alpha": ALPHA,
            "confidence": 1 - ALPHA,
            "n_levels": int(np.isfinite(main.tests.p).sum()),
            "level_unit": level_unit(main.tests.levels),
            "design": main.tests.contrast.design,
            "column": main.tests.contrast.column,
            "spread": test.spread,
            "levels": plain(main.tests.to_frame().to_dict("records")),
            "clusters": plain(test.clusters),
        },
        "late_share": _late_shares(main.tests),
        "late_agreement": {rule: _agreement(main.tests, one) for rule, one in late.items()},
        "late_rules": {rule: plain(one.to_frame().to_dict("records")) for rule, one in late.items()},
        "ceilings": [plain(one) | {"sentence": one.sentence()} for one in main.ceilings],
        "networks": [plain(one) | {"bar": one.bar} for one in main.networks],
        "provenance": {
            "command": made.command,
            "version": made.version,
            "seed": made.seed,
            "inputs": made.inputs,
            "packages": made.packages,
            **({"plugins": [msgspec.to_builtins(one) for one in made.plugins]} if made.plugins else {}),
        },
    }


def options(trials: Trials, rules: Rules | None, *, margin: float) -> dict[str, Any]:
    """Which rows and participants counted, and the margin of the ceiling."""
    return {**plain(trials.selection), "exclusion": rules_text(rules or Rules()), "margin": margin}


def level_unit(levels: Sequence[Level]) -> str:
    """What follows the label of a level in a sentence.

    Examples
    --------
    >>> level_unit([Level(0, "5", 5.0, 0.75)]), level_unit([Level(0, "5", 5.0, float("nan"))])
    ('% of the features', '%')
    >>> level_unit([Level(0, "low", float("nan"), float("nan"))])
    ''
    """
    shown = [level for level in levels if not level.full]
    if not shown or not all(level.percent > 0 for level in shown):
        return ""
    return "% of the features" if all(level.image_percent > 0 for level in shown) else "%"


def decisions(found: LevelTests, alpha: float = ALPHA) -> NDArray[np.int64]:
    """Decision at every level: 1 or -1 for a significant difference and its sign, 0 for none, also where none was tested.

    Parameters
    ----------
    found : LevelTests
        Tests of every level.
    alpha : float
        Level of the tests.
    """
    with np.errstate(invalid="ignore"):
        return np.where(found.p <= alpha, np.sign(found.test.difference), 0).astype(np.int64)


def _agreement(main: LevelTests, other: LevelTests) -> dict[str, int]:
    """At how many levels another rule gives the same decision."""
    same = decisions(main) == decisions(other)
    return {"same": int(same.sum()), "levels": len(same)}


def _late_shares(result: LevelTests) -> dict[str, float]:
    """Share of late, early and missing answers of each group."""
    table = result.cells
    return {
        group: float(table.n_untimely[table.of(group)].sum() / table.n_shown[table.of(group)].sum())
        for group in result.groups
    }


def fit_results(fits: CurveFits | None) -> Any:
    """Thresholds and their test; None where there are none."""
    if fits is None:
        return None
    return {
        "groups": plain(fits.to_frame().to_dict("records")),
        "notes": list(fits.cautions),
        "test": plain(fits.test) | {"ratio": fits.test.ratio},
    }


def regression_results(found: "Effects | None") -> Any:
    """Effects of the regression; None where it was not fitted."""
    if found is None:
        return None
    return {
        "effects": plain(found.to_frame().to_dict("records")),
        "mixed": plain(found.mixed),
        "sentence": found.sentence(),
        "notes": list(found.cautions),
    }


def comparison_results(compared: Comparison | None) -> Any:
    """Curves and error consistency of participants and networks; None where they were not compared."""
    if compared is None:
        return None
    kappas = [
        {"model": model, "with": other, "group": group} | plain(one)
        for model, other, group, one in compared.consistency
    ]
    curves = plain(compared.to_frame().to_dict("records"))
    return {"curves": curves, "error_consistency": kappas, "notes": list(compared.cautions)}
