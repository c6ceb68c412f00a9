"""The whole analysis of a study in one call: report.html, results.json and the figures, the same bytes on every run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rapidvision import files
from rapidvision.seeds import fresh_seed

from .accuracy import LATE_RULES, LateRule, curve_of
from .attention import attention
from .exclusions import Kept, Rules
from .page import bullets, figure, page, paragraph, plain, table
from .statistics import columns_of
from .tables import PARTICIPANTS, Trials
from .workflow import (
    CORRECTIONS,
    Bins,
    Comparison,
    CurveFits,
    Fig2b,
    as_trials,
    bins,
    compare,
    curve,
    fig2b,
    kept,
    observer_note,
)

PACKAGES = ("numpy", "scipy", "pandas", "matplotlib")


@dataclass(frozen=True, eq=False)
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
    late = {
        rule: main.bins
        if rule == main.bins.late
        else bins(left.trials, seed=seed, **{**options, "late": rule, "exact": False})
        for rule in LATE_RULES
    }
    made = files.provenance(command, seed=seed, inputs=_inputs(source, networks), packages=PACKAGES)
    fits = _fits(left.trials, main, seed)
    compared = compare(left.trials, networks, late=main.bins.late, seed=seed) if networks is not None and fits else None
    main.save(out)
    results = _results(source, left, main, late, made) | {
        "thresholds": _fit_results(fits),
        "compare": plain(compared.table().to_dict("records")) if compared else None,
    }
    sections = [
        ("What was analysed", _what(source, left, networks)),
        ("Fig. 2B", _fig2b(main, left.trials)),
        ("Every level", _levels(main.bins)),
        ("Ceiling", _ceilings(main)),
        ("Late answers under three rules", _late(late)),
    ]
    if fits:
        sections.append(("Thresholds", _thresholds(fits)))
    sections.append(("Participants and response times", _people_figures(left.trials, main)))
    if main.networks:
        seen = attention(Path(models)) if isinstance(models, Path | str) else ""
        sections.append(("Networks", _networks(main, compared) + seen))
    sections.append(("How to make this again", _provenance(made, main.bins)))
    files.write_json(out / "results.json", results)
    lead = f"{' against '.join(main.bins.groups)}, {len(main.bins.levels)} levels, seed {seed}"
    files.write_text(out / "report.html", page("Rapid categorization: report", lead, sections))
    return Report(out, out / "report.html", results, seed)


def _inputs(source: Trials, networks: Trials | None) -> dict[str, str]:
    return {table.name: table.sha256 for table in (source, networks) if table is not None and table.sha256}


def _results(
    source: Trials, left: Kept, main: Fig2b, late: Mapping[LateRule, Bins], made: files.Provenance
) -> dict[str, Any]:
    test = main.bins.test
    return {
        "observers": list(source.observers),
        "simulated": bool(observer_note(source)),
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
        "late_rules": {rule: plain(one.table().to_dict("records")) for rule, one in late.items()},
        "ceilings": [plain(one) | {"sentence": one.sentence()} for one in main.ceilings],
        "networks": [plain(one) | {"bar": one.bar} for one in main.networks],
        "provenance": {
            "command": made.command,
            "version": made.version,
            "seed": made.seed,
            "inputs": made.inputs,
            "packages": made.packages,
        },
    }


def _what(source: Trials, left: Kept, networks: Trials | None) -> str:
    text = ""
    if note := observer_note(source):
        text += paragraph(
            f"These are {note}: no person answered, and nothing here is evidence about people."
            if note == "simulated participants"
            else f"{note[0].upper()}{note[1:]}; their answers are not evidence about people.",
            "notice",
        )
    frame = left.trials.main()
    people = frame[frame["observer"].isin(PARTICIPANTS)]
    text += paragraph(
        f"{source.name}: {len(people)} main-phase trials. {left.sentence()[0].upper()}{left.sentence()[1:]}."
    )
    rows = [(group, left.before[group], left.after.get(group, 0)) for group in left.before]
    text += table(("group", "participants before", "after exclusions"), rows)
    if left.excluded:
        text += table(
            ("rule", "excluded", "who"), [(one.rule, one.n, ", ".join(one.who) or "nobody") for one in left.excluded]
        )
    text += bullets(left.trials.notes)
    if networks is not None:
        names = sorted(set(networks.frame["observer"]) - set(PARTICIPANTS))
        text += paragraph(f"{networks.name}: networks {', '.join(names)}, on the same plans.")
    return text


def _fig2b(main: Fig2b, trials: Trials) -> str:
    a, b = main.bins.groups
    caption = (
        f"Accuracy of {a} and {b} at every reveal level; error bars are S.E.M. over participants. Stars: "
        f"{CORRECTIONS[main.bins.correction][1]}, {main.bins.test.m:,} relabellings. Dashed grey: chance."
    )
    if main.networks:
        caption += (
            " Broken curves: networks; a band, drawn only for a single network, resamples pictures, never participants."
        )
    if note := observer_note(trials):
        caption += f" The participants: {note}."
    return figure(main.drawing.to_bytes("svg"), caption)


def _levels(result: Bins) -> str:
    a, b = result.groups
    test = result.test
    words = {"two-sided": "two-sided", "greater": f"one-sided, {a} above {b}", "less": f"one-sided, {a} below {b}"}
    text = paragraph(
        f"Randomization test of {a} minus {b} ({words[test.alternative]}): participants relabelled jointly over all "
        f"levels, {test.m:,} times, groups of {test.n_first} and {test.n_second}, ties counted as extreme, "
        f"p = (b + 1)/(m + 1). Statistic: {test.statistic.replace('_', ' ')}; late answers: {result.late}. "
        f"No p below {test.smallest_p:.1e} can be reached. Smallest p of the relabellings: {1 / (test.m + 1):.1e}; "
        "the exact p counts every relabelling."
    )
    head = (
        "level",
        a,
        "S.E.M.",
        b,
        "S.E.M.",
        "difference",
        "p",
        "95 % of p",
        "exact p",
        "Holm",
        "BH",
        "max-T",
        "step-down",
    )
    rows = []
    for place, level in enumerate(result.levels):
        first, second = result.curves
        rows.append(
            (
                level.label,
                first.mean[place],
                first.sem[place],
                second.mean[place],
                second.sem[place],
                test.difference[place],
                test.p[place],
                f"{test.p_low[place]:.4f} to {test.p_high[place]:.4f}" if np.isfinite(test.p[place]) else "–",
                test.p_exact[place],
                test.p_holm[place],
                test.p_bh[place],
                test.p_max_t[place],
                test.p_step_down[place],
            )
        )
    text += table(head, rows)
    for cluster in test.clusters:
        low, high = result.levels[cluster.first].label, result.levels[cluster.last].label
        above = a if cluster.sign > 0 else b
        text += paragraph(
            f"Cluster from {low} to {high}: {above} higher, mass {cluster.mass:.1f}, p = {cluster.p:.4f}."
        )
    return text + bullets(test.notes)


def _ceilings(main: Fig2b) -> str:
    if not main.ceilings:
        return paragraph("The table has no intact pictures, so no ceiling can be named.")
    text = "".join(paragraph(one.sentence()) for one in main.ceilings)
    one = main.ceilings[0]
    text += paragraph(
        f"Rule: non-inferior to the intact picture by {100 * one.margin:g} points, paired sign flips, alpha = {one.alpha:g}, "
        "from the highest level downward until the first that fails. Beside it the naive rule (no significant "
        "difference from full), which rewards small samples."
    )
    rows = [
        (
            one.group,
            one.full_accuracy,
            one.level.label if one.level else "undetermined",
            f"{one.level.image_percent:.1f} %" if one.level else "–",
            one.naive_level.label if one.naive_level else "undetermined",
        )
        for one in main.ceilings
    ]
    return text + table(("group", "intact", "ceiling (% of features)", "pixels", "naive rule"), rows)


def _late(late: Mapping[LateRule, Bins]) -> str:
    first = next(iter(late.values()))
    a, b = first.groups
    text = paragraph(
        "Answers later than the response limit (early and missing ones too) can be left out, counted as wrong, or as "
        "half correct. Leaving them out selects on response time, so all three stand here, each with its own test."
    )
    head = ["level"] + [f"{rule}: {name}" for rule in late for name in (f"{a} - {b}", "corrected p")]
    rows = [
        [level.label, *(value for one in late.values() for value in (one.test.difference[place], one.p[place]))]
        for place, level in enumerate(first.levels)
    ]
    shares = [
        (group, float(table_.n_untimely[table_.of(group)].sum() / table_.n_shown[table_.of(group)].sum()))
        for table_ in [first.cells]
        for group in first.groups
    ]
    return text + table(head, rows) + table(("group", "late, early or missing"), [(g, f"{s:.1%}") for g, s in shares])


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
        "test": plain(fits.test) | {"ratio": fits.test.ratio},
    }


def _thresholds(fits: CurveFits) -> str:
    test = fits.test
    a, b = test.groups
    text = paragraph(
        f"Threshold: per cent of the features halfway between guessing and the group's best, with 95 % intervals from "
        f"resampled participants. {a} minus {b}: {test.difference:.3f} log10 (95 % {test.interval[0]:.3f} to "
        f"{test.interval[1]:.3f}), a factor of {test.ratio:.2f}; randomization test p = {test.p:.4g} (two-sided, both "
        f"curves fitted again after each of {test.m:,} relabellings)."
    )
    rows = fits.table()
    head = ("group", "threshold %", "low", "high", "slope", "lapse", "deviance", "p of fit")
    text += table(head, rows.itertuples(index=False))
    return text + figure(
        fits.drawing.to_bytes("svg"), "Data with S.E.M., fitted curves, thresholds with 95 % intervals."
    )


def _people_figures(trials: Trials, main: Fig2b) -> str:
    from .figures.plots import draw_individuals, draw_response_times

    groups, levels = main.bins.groups, main.bins.levels
    individuals = draw_individuals(main.bins.cells, groups, main.bins.curves)
    columns, cells_of = columns_of(trials, "response_ms", late=main.bins.late)
    times = tuple(curve_of(columns.individual(cells_of.of(group), cells_of)) for group in groups)
    text = figure(individuals.to_bytes("svg"), "Every participant (thin) and the group's mean.")
    return text + figure(
        draw_response_times(levels, groups, times).to_bytes("svg"),
        "Median response time of correct answers in time, mean over participants with S.E.M.",
    )


def _networks(main: Fig2b, compared: Comparison | None) -> str:
    text = paragraph(
        "A network that always answers the same picture alike has no participants: its bars resample pictures and say "
        "how much the curve would change with other pictures."
    )
    head = ["network", "map source", "pictures", *(level.label for level in main.bins.levels)]
    rows = [[one.model, one.group, one.n_images, *one.mean] for one in main.networks]
    text += table(head, rows) + bullets(f"{one.model}, {one.group}: {one.bar}" for one in main.networks)
    if compared is None:
        return text
    text += paragraph(
        "Beside the people: threshold difference (model minus human, log10 per cent; positive: it needs to see more), "
        "mean of human minus model accuracy over the log axis, root mean square difference with the noise of the human "
        "curve, and partial Spearman correlation of the network's evidence with people's accuracy, given class and level."
    )
    head2 = ("network", "group", "threshold", "area", "RMSE", "noise", "rho", "low", "high")
    text += table(head2, compared.table().itertuples(index=False))
    kappas = [
        (model, group, one.kappa, one.interval[0], one.interval[1], one.n)
        for model, _, group, one in compared.consistency
    ]
    text += paragraph("Error consistency (kappa) with the majority of the people, stimuli resampled:")
    return text + table(("network", "group", "kappa", "low", "high", "stimuli"), kappas)


def _provenance(made: files.Provenance, result: Bins) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in made.packages.items())
    text = paragraph(f"Command: {made.command}. Seed: {made.seed}. RapidVision {made.version}; {versions}.")
    if made.inputs:
        text += table(("input", "SHA-256"), made.inputs.items())
    return text + paragraph(f"Running it again with this seed writes the same bytes ({result.test.m:,} relabellings).")
