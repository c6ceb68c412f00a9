"""What ``results.json`` holds, section by section."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from rapidvision.system import files
from rapidvision.text.json_values import plain

from ..comparison import Comparison
from ..curve_fits import CurveFits
from ..level_comparison import LevelTests
from ..table.exclusions import Kept
from ..table.first_lines import LateRule
from ..table.trials import Trials
from .fig2b_panel import Fig2b

if TYPE_CHECKING:
    from ..fits.regression import Effects


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
            "levels": plain(main.tests.to_frame().to_dict("records")),
            "clusters": plain(test.clusters),
        },
        "late_share": _late_shares(main.tests),
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
