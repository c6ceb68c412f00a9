"""What ``results.json`` holds, section by section."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from rapidvision.system import files
from rapidvision.text.json_values import plain

from ..comparison import Comparison
from ..curve_fits import CurveFits
from ..designs.contrast import SEPARATOR
from ..designs.resampling_tests.results import OmnibusTest, PairTest
from ..level_comparison import LevelTests
from ..resampling.multiplicity import CORRECTIONS
from ..specifications.choices import rules_text
from ..table.accuracy import Level
from ..table.exclusions import Kept, Rules
from ..table.first_lines import LateRule
from ..table.trials import Trials
from .fig2b_panel import Fig2b, effect_name

if TYPE_CHECKING:
    from ..fits.regression import Effects

#: Level of every decision of a report.
ALPHA = 0.05


def results(
    source: Trials,
    left: Kept,
    main: Fig2b,
    late: Mapping[LateRule, LevelTests],
    made: files.Provenance,
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """Table, exclusions, tests of every level, ceilings, networks and provenance."""
    found = main.tests
    return {
        "observers": list(source.observers),
        "n_trials": int(main.tests.cells.n_shown.sum()),
        "observer_kinds": sorted(set(source.people()["observer_kind"].unique())),
        "left_out": list(main.tests.cells.notes),
        "notes": [*left.trials.notes, *found.notes],
        "exclusions": {
            "before": left.before,
            "after": left.after,
            "rules": plain(left.excluded),
        },
        "test": tests_of(found, settings),
        "late_share": _late_shares(main),
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


def tests_of(found: LevelTests, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Design, options and every p. The numbers of a single comparison also stand at the top."""
    pairs = [_pair(found, one) for one in (*found.pairs, *found.others)]
    first = pairs[0]
    test = found.pairs[0].test
    value = found.pairs[0].curves[1].mean[:1] if found.contrast.design == "one-sample" else None
    return {
        "groups": list(found.groups),
        "direction": first["direction"],
        "statistic": found.statistic,
        "late": found.late,
        "alternative": test.alternative,
        "relabellings": test.n_resamples,
        "n": first["n"],
        "smallest_p": test.smallest_p,
        "correction": found.correction,
        "alpha": ALPHA,
        "confidence": 1 - ALPHA,
        "n_levels": int(np.isfinite(np.atleast_2d(found.p)).any(axis=0).sum()),
        "level_unit": level_unit(found.levels),
        "design": found.contrast.design,
        "column": found.contrast.column,
        "contrast": plain(found.contrast) | {"sentence": found.contrast.sentence()},
        "unit": found.unit,
        "strata": "slot" if settings.get("by_slot") else settings.get("strata", ""),
        "covariates": list(settings.get("covariates", ())),
        "pairing": settings.get("pairing", "levels"),
        "against": None if value is None else float(value[0]),
        "spread": test.spread,
        "levels": plain(found.to_frame().to_dict("records")) if len(pairs) == 1 else [],
        "clusters": first["clusters"] if len(pairs) == 1 else [],
        "pairs": pairs,
        "omnibus": None if found.omnibus is None else _omnibus(found.omnibus),
    }


def _pair(found: LevelTests, one: PairTest) -> dict[str, Any]:
    """A comparison of two conditions; `n_pairs` is over how many its p are corrected, beside the levels."""
    family = [other for other in (*found.pairs, *found.others) if other.effect == one.effect]
    n = [one.test.n_first] if paired(found, one) else [one.test.n_first, one.test.n_second]
    return {
        "groups": list(one.conditions),
        "effect": one.effect,
        "direction": effect_name(one),
        "n": n,
        "paired": paired(found, one),
        "n_pairs": len(family),
        "spread": one.test.spread,
        "smallest_p": one.test.smallest_p,
        "levels": plain(one.to_frame().to_dict("records")),
        "clusters": plain(one.test.clusters),
    }


def paired(found: LevelTests, one: PairTest) -> bool:
    """Whether a comparison is of two values of each participant (or image), or of one with a fixed value."""
    if found.contrast.design == "mixed":
        return one.effect == f"main effect of {found.contrast.within}"
    if found.unit != "image":
        return found.contrast.design in ("within", "one-sample")
    images = Counter(name.rsplit(SEPARATOR, 1)[0] for name in found.cells.participants)
    shared = sum(count == len(found.contrast.conditions) for count in images.values())
    return 2 * shared >= len(images)  # as the test over images decides


def _omnibus(found: OmnibusTest) -> dict[str, Any]:
    return {
        "conditions": list(found.conditions),
        "p_overall": found.p_overall,
        "relabellings": found.n_resamples,
        "levels": plain(found.to_frame().to_dict("records")),
        "notes": list(found.notes),
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
    """Decisions, shape (tests, levels): 1 or -1 for a significant difference and its sign, else 0, also where none was tested.

    Parameters
    ----------
    found : LevelTests
        Tests of every level.
    alpha : float
        Level of the tests.
    """
    column = CORRECTIONS[found.correction][0]
    tests = [one.test for one in (*found.pairs, *found.others)]
    p, difference = (np.array([getattr(one, name) for one in tests]) for name in (column, "difference"))
    with np.errstate(invalid="ignore"):
        return np.where(p <= alpha, np.sign(difference), 0).astype(np.int64)


def _agreement(main: LevelTests, other: LevelTests) -> dict[str, int]:
    """At how many levels another rule gives the same decision in every test."""
    same = (decisions(main) == decisions(other)).all(axis=0)
    return {"same": int(same.sum()), "levels": len(same)}


def _late_shares(main: Fig2b) -> dict[str, float]:
    """Share of late, early and missing answers under each condition."""
    table = main.shown.cells
    return {
        name: float(table.n_untimely[table.of(name)].sum() / table.n_shown[table.of(name)].sum())
        for name in main.shown.names
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
