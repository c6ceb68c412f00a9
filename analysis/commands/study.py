"""``bins``, ``fig2b``, ``report``, ``curve``, ``compare``: a study from its trials table."""

import argparse
from pathlib import Path

from rapidvision.cli import Verbs, add_common_options, add_verb, give, say
from rapidvision.protocol import N_RELABELLINGS

from ..fits.choices import SCALES
from .drawing import add_drawing, drawing_options
from .options import (
    add_by,
    add_checks,
    add_company,
    add_design_options,
    add_guess,
    add_mixed,
    add_reading_options,
    add_test_options,
    command_of,
    design_options,
    kept_of,
    rules_of,
    seed_of,
    tell,
    tell_notes,
    test_options,
    trials_of,
)


def add_bins(verbs: Verbs) -> None:
    """Add ``bins``: conditions at every level."""
    parser = add_verb(
        verbs,
        "bins",
        "conditions at every level, between or within participants, with randomization tests",
        "rapidvision analyse bins study/trials.csv --groups clickme salicon --alternative greater",
    )
    add_test_options(parser)
    add_by(parser)
    add_design_options(parser)
    add_guess(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the table as CSV")
    parser.set_defaults(run=_run_bins)


def _run_bins(arguments: argparse.Namespace) -> None:
    from rapidvision.system import files

    from ..level_comparison import level_tests

    left = kept_of(arguments)
    seed = seed_of(arguments)
    result = level_tests(left.trials, seed=seed, **test_options(arguments), **design_options(arguments))
    tell(str(result))
    if result.omnibus is not None:
        tell(str(result.omnibus))
    tell_notes(result.notes)
    more = {"omnibus": result.omnibus.to_frame()} if result.omnibus is not None else {}
    give(
        arguments,
        {"levels": result.to_frame(), **more, "design": result.contrast.design, "seed": seed, "notes": result.notes},
    )
    if arguments.out:
        files.write_text(arguments.out, result.to_frame().assign(seed=seed).to_csv(index=False))


def add_fig2b(verbs: Verbs) -> None:
    """Add ``fig2b``: Fig. 2B."""
    parser = add_verb(
        verbs,
        "fig2b",
        "Fig. 2B as PDF, SVG and PNG",
        "rapidvision analyse fig2b study/trials.csv --models study/models.csv --out figures/",
    )
    add_test_options(parser)
    add_by(parser)
    add_design_options(parser)
    add_company(parser)
    add_guess(parser)
    add_drawing(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for fig2b.pdf, .svg and .png")
    parser.set_defaults(run=_run_fig2b)


def _run_fig2b(arguments: argparse.Namespace) -> None:
    from ..reporting.fig2b_panel import fig2b

    left = kept_of(arguments)
    result = fig2b(
        left.trials,
        models=arguments.models,
        stimulus_set=arguments.set,
        margin=arguments.margin,
        seed=seed_of(arguments),
        **drawing_options(arguments),
        **test_options(arguments),
        **design_options(arguments),
    )
    for line in result.opening():
        tell(line)
    tell_notes(result.tests.notes)
    for one in result.ceilings:
        tell(one.sentence())
        tell_notes(one.notes)
    paths = result.save(arguments.out)
    for path in paths:
        say(arguments, str(path))
    tests = result.tests
    more = {"omnibus": tests.omnibus.to_frame()} if tests.omnibus is not None else {}
    found = {"levels": tests.to_frame(), **more, "design": tests.contrast.design, "seed": tests.pairs[0].test.seed}
    give(arguments, {**found, "notes": tests.notes, "files": paths})


def add_report(verbs: Verbs) -> None:
    """Add ``report``: the whole report."""
    parser = add_verb(
        verbs,
        "report",
        "everything: report.html, results.json and the figures",
        "rapidvision analyse report study/trials.csv --models study/models.csv --set set/ --out report/",
    )
    add_test_options(parser)
    add_by(parser)
    add_design_options(parser)
    add_company(parser)
    add_guess(parser)
    add_mixed(parser)
    add_checks(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the report")
    parser.set_defaults(run=_run_report)


def _run_report(arguments: argparse.Namespace) -> None:
    from ..reporting.build import report

    seed = seed_of(arguments)
    source = trials_of(arguments)
    result = report(
        source,
        arguments.out,
        models=arguments.models,
        stimulus_set=arguments.set,
        rules=rules_of(arguments),
        margin=arguments.margin,
        mixed=arguments.mixed,
        seed=seed,
        command=command_of("report", arguments, seed=seed),
        multiverse=arguments.multiverse,
        prereg=arguments.prereg,
        **test_options(arguments),
        **design_options(arguments),
    )
    for line in (*result.results["left_out"], result.results["test"]["contrast"]["sentence"]):
        tell(line)
    tell_notes(note for note in result.notes if note not in source.notes)
    for one in result.results["ceilings"]:
        tell(one["sentence"])
    say(arguments, str(result.html))
    give(arguments, {**result.results, "files": [result.html]})


def add_curve(verbs: Verbs) -> None:
    """Add ``curve``: psychometric functions."""
    parser = add_verb(
        verbs,
        "curve",
        "psychometric functions, thresholds with intervals, and the test of their difference",
        "rapidvision analyse curve study/trials.csv --groups clickme salicon --out figures/",
    )
    parser.add_argument("trials", metavar="TRIALS", type=Path, help="the trials table (CSV or Parquet)")
    parser.add_argument("--groups", nargs=2, metavar=("FIRST", "SECOND"), help="first minus second is tested")
    add_by(parser)
    parser.add_argument("--late", default="exclude", choices=("exclude", "wrong", "half"), help="see bins")
    parser.add_argument(
        "--n-resamples", type=int, default=N_RELABELLINGS, metavar="N", help=f"resamples ({N_RELABELLINGS:,})"
    )
    add_guess(parser)
    parser.add_argument("--axis", default="auto", choices=SCALES, help="axis of the levels (auto: by their unit)")
    parser.add_argument("--people", type=Path, metavar="FILE", help="also write every participant's own curve as CSV")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for psychometric.pdf, .svg and .png")
    add_reading_options(parser)
    add_common_options(parser, json=True)
    parser.set_defaults(run=_run_curve)


def _run_curve(arguments: argparse.Namespace) -> None:
    from rapidvision.system import files

    from ..curve_fits import fit_psychometric
    from ..designs.contrast import grouped_by

    groups = tuple(arguments.groups) if arguments.groups else None
    result = fit_psychometric(
        grouped_by(trials_of(arguments), arguments.by),
        groups=groups,
        late=arguments.late,
        n_resamples=arguments.n_resamples,
        seed=seed_of(arguments),
        axis=arguments.axis,
    )
    tell(str(result))
    test = result.test
    unit = "log10" if test.axis.log else test.axis.unit
    tell(
        f"threshold of {test.groups[0]} minus {test.groups[1]}: {test.difference:.3f} {unit} "
        f"(95 % {test.interval[0]:.3f} to {test.interval[1]:.3f}), p = {test.p:.4g}",
    )
    tell_notes(result.cautions)
    give(
        arguments,
        {
            "groups": result.to_frame(),
            "threshold_difference": test.difference,
            "threshold_difference_unit": unit,
            "interval": test.interval,
            "p": test.p,
            "notes": result.cautions,
        },
    )
    if arguments.people:
        files.write_text(arguments.people, result.people().to_csv(index=False))
    if arguments.out:
        for path in result.drawing.save(arguments.out):
            say(arguments, str(path))
