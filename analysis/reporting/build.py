"""The whole analysis of a study in one call: report.html, results.json and the figures, the same bytes on every run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from rapidvision.formats.report_results import write_results
from rapidvision.seeds import fresh_seed
from rapidvision.system import files

from ..comparison import Comparison, compare
from ..inference.above_chance import chance_test
from ..table.exclusions import Kept, Rules
from ..table.first_lines import LATE_RULES, LateRule
from ..table.statistic_registry import STATISTICS
from ..table.trials import Trials, as_trials
from ..workflow import Bins, CurveFits, bins, curve, kept
from . import sections as text
from .attention_figure import attention
from .fig2b_panel import Fig2b, fig2b
from .html import page, plain

if TYPE_CHECKING:
    from ..fits.regression import Effects

PACKAGES = ("numpy", "scipy", "pandas", "matplotlib")


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """What was written, and the numbers in it.

    Attributes
    ----------
    folder : Path
        Where.
    html : Path
        ``report.html``, self-contained.
    results : dict
        What ``results.json`` holds.
    seed : int
        Given or drawn.
    """

    folder: Path
    html: Path
    results: dict[str, Any]
    seed: int

    @property
    def notes(self) -> tuple[str, ...]:
        """Every note and warning of the report, each once."""
        found = self.results
        ceilings = [note for one in found["ceilings"] for note in one["notes"]]
        others = [note for name in ("thresholds", "regression") if found[name] for note in found[name]["notes"]]
        return tuple(dict.fromkeys([*found["notes"], *found["chance_notes"], *ceilings, *others]))

    def __repr__(self) -> str:
        return f"report: {self.html} (seed {self.seed})"

    def _repr_html_(self) -> str:
        return f'<p>report: <a href="{self.html}">{self.html}</a> (seed {self.seed})</p>'


def report(
    trials: "Trials | Path | str",
    out: Path | str,
    *,
    models: "Trials | Path | str | None" = None,
    stimulus_set: Path | str | None = None,
    rules: Rules | None = None,
    margin: float = 0.05,
    mixed: bool = False,
    seed: int | None = None,
    command: str = "analyse report",
    **options: Any,
) -> Report:
    """Analyse a study and write the report.

    Parameters
    ----------
    trials : Trials or path
        The participants' table.
    out : path-like
        Folder for ``report.html``, ``results.json`` and the figures.
    models : Trials or path, optional
        The networks' table.
    stimulus_set : path, optional
        For the insets of Fig. 2B.
    rules : Rules, optional
        Exclusions; none by default.
    margin : float
        Of the ceiling.
    mixed : bool
        Also fit the mixed model, GEE and GLM; takes some seconds.
    seed : int, optional
        Drawn and stored when absent.
    command : str
        What to record as the command.
    **options
        Those of :func:`~rapidvision.analysis.workflow.bins`.

    Returns
    -------
    Report
        Running it again with the same seed writes the same bytes.
    """
    out = Path(out)
    seed = fresh_seed() if seed is None else seed
    source = as_trials(trials)
    networks = as_trials(models) if models is not None else None
    left = kept(source, rules)
    main = fig2b(left.trials, models=networks, stimulus_set=stimulus_set, margin=margin, seed=seed, **options)
    late = _late_rules(left.trials, main.bins, seed=seed, options=options)
    table = late[main.bins.late].cells
    tested = main.bins.groups if table.two_alternatives else ()  # a table of correctness alone names no guess rate
    chances = tuple(chance_test(table, group, m=main.bins.test.m, seed=seed) for group in tested)
    fits = _fits(left.trials, main, seed)
    compared = compare(left.trials, networks, late=main.bins.late, seed=seed) if networks is not None and fits else None
    regression = _regression(left.trials, main.bins.groups) if mixed else None
    plugins = STATISTICS.plugins(main.bins.test.statistic)
    inputs = _inputs(source, networks)
    made = files.provenance(command, seed=seed, inputs=inputs, packages=PACKAGES, plugins=plugins)
    svg = next(files.read_bytes(path) for path in main.save(out) if path.suffix == ".svg")
    drawn = text.People(left.trials, main)
    sections = [
        ("What was analysed", text.what(source, left, networks, main.bins.cells.notes)),
        ("Fig. 2B", text.fig2b(main, left.trials, svg)),
        ("Every level", text.levels(main.bins)),
        *([("Above chance", text.chance(chances))] if chances else []),
        ("Ceiling", text.ceilings(main)),
        ("Late answers under three rules", text.late(late)),
    ]
    if fits:
        sections.append(("Thresholds", text.thresholds(fits)))
    if regression:
        sections.append(("Regression", text.regression(regression)))
    sections.append(("Participants and response times", drawn.html()))
    if main.networks:
        seen = attention(Path(models)) if isinstance(models, Path | str) else ""
        sections.append(("Networks", text.networks(main, compared) + seen))
    sections.append(("How to make this again", text.provenance(made, main.bins)))
    results = _results(source, left, main, late, made) | {
        "chance": [plain(one.table().to_dict("records")) for one in chances],
        "chance_notes": [note for one in chances for note in one.notes],
        "thresholds": _fit_results(fits),
        "regression": _regression_results(regression),
        "response_ms": drawn.results(),
        "compare": _comparison_results(compared),
    }
    write_results(out, results)
    lead = f"{' against '.join(main.bins.groups)}, {len(main.bins.levels)} levels, seed {seed}"
    files.write_text(out / "report.html", page("Rapid categorization: report", lead, sections))
    return Report(out, out / "report.html", results, seed)


def _late_rules(trials: Trials, main: Bins, *, seed: int, options: dict[str, Any]) -> dict[LateRule, Bins]:
    """The same test under every rule for late answers."""
    exact = main.correction in ("holm", "bh", "none")  # these start from the exact p
    return {
        rule: main if rule == main.late else bins(trials, seed=seed, **{**options, "late": rule, "exact": exact})
        for rule in LATE_RULES
    }


def _regression(trials: Trials, groups: tuple[str, str]) -> "Effects":
    from ..fits.regression import effects

    return effects(trials, groups=groups)


def _inputs(source: Trials, networks: Trials | None) -> dict[str, str]:
    return {table.name: table.sha256 for table in (source, networks) if table is not None and table.sha256}


def _results(
    source: Trials, left: Kept, main: Fig2b, late: Mapping[LateRule, Bins], made: files.Provenance
) -> dict[str, Any]:
    test = main.bins.test
    return {
        "observers": list(source.observers),
        "n_trials": int(main.bins.cells.n_shown.sum()),
        "observer_kinds": sorted(set(source.people()["observer_kind"])),
        "left_out": list(main.bins.cells.notes),
        "notes": [*left.trials.notes, *test.notes],
        "exclusions": {
            "before": left.before,
            "after": left.after,
            "rules": plain(left.excluded),
        },
        "test": {
            "groups": list(main.bins.groups),
            "direction": f"{main.bins.groups[0]} minus {main.bins.groups[1]}",
            "statistic": test.statistic,
            "late": main.bins.late,
            "alternative": test.alternative,
            "relabellings": test.m,
            "n": [test.n_first, test.n_second],
            "smallest_p": test.smallest_p,
            "correction": main.bins.correction,
            "levels": plain(main.bins.table().to_dict("records")),
            "clusters": plain(test.clusters),
        },
        "late_share": _late_shares(main.bins),
        "late_rules": {rule: plain(one.table().to_dict("records")) for rule, one in late.items()},
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


def _late_shares(result: Bins) -> dict[str, float]:
    """Share of late, early and missing answers of each group."""
    table = result.cells
    return {
        group: float(table.n_untimely[table.of(group)].sum() / table.n_shown[table.of(group)].sum())
        for group in result.groups
    }


def _fits(trials: Trials, main: Fig2b, seed: int) -> CurveFits | None:
    """Psychometric functions, where the levels have a per cent."""
    if any(not level.full and np.isnan(level.percent) for level in main.bins.levels):
        return None
    return curve(trials, groups=main.bins.groups, late=main.bins.late, m=main.bins.test.m, seed=seed)


def _fit_results(fits: CurveFits | None) -> Any:
    if fits is None:
        return None
    return {
        "groups": plain(fits.table().to_dict("records")),
        "notes": list(fits.cautions),
        "test": plain(fits.test) | {"ratio": fits.test.ratio},
    }


def _regression_results(found: "Effects | None") -> Any:
    if found is None:
        return None
    return {
        "effects": plain(found.table().to_dict("records")),
        "mixed": plain(found.mixed),
        "sentence": found.sentence(),
        "notes": list(found.cautions),
    }


def _comparison_results(compared: Comparison | None) -> Any:
    if compared is None:
        return None
    kappas = [
        {"model": model, "with": other, "group": group} | plain(one)
        for model, other, group, one in compared.consistency
    ]
    return {"curves": plain(compared.table().to_dict("records")), "error_consistency": kappas}
