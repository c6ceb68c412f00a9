"""``rapidvision analyse``: the room's verbs on the command line."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rapidvision.cli import add_common_options, say
from rapidvision.protocol import N_RELABELLINGS

if TYPE_CHECKING:  # pandas stays out of the help
    import pandas as pd

    from .exclusions import Rules
    from .simulation import Design
    from .tables import Trials


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs of ``rapidvision analyse``."""
    verbs = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    _add_bins(verbs)
    _add_fig2b(verbs)
    _add_curve(verbs)
    _add_compare(verbs)
    _add_maps(verbs)
    _add_power(verbs)
    _add_calibrate(verbs)
    _add_report(verbs)


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str, example: str
) -> argparse.ArgumentParser:
    return verbs.add_parser(
        name,
        help=text,
        description=text,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_test_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("trials", type=Path, help="the trials table (CSV or Parquet)")
    parser.add_argument("--groups", nargs=2, metavar=("FIRST", "SECOND"), help="first minus second is tested")
    parser.add_argument(
        "--statistic",
        default="participant_mean",
        metavar="NAME",
        help="participant_mean, pooled, dprime, criterion, response_ms or late_share",
    )
    parser.add_argument(
        "--late",
        default="exclude",
        choices=("exclude", "wrong", "half"),
        help="what a late, early or missing answer counts as",
    )
    parser.add_argument(
        "--alternative",
        default="two-sided",
        choices=("two-sided", "greater", "less"),
        help="greater: FIRST scores higher (the paper's test, with clickme first)",
    )
    parser.add_argument(
        "--correction",
        default="step-down",
        choices=("step-down", "max-t", "holm", "bh", "none"),
        help="which p the stars show (none: the paper's raw stars)",
    )
    parser.add_argument(
        "-m",
        "--relabellings",
        type=int,
        default=N_RELABELLINGS,
        metavar="M",
        help=f"relabellings ({N_RELABELLINGS:,} in the paper)",
    )
    parser.add_argument("--by-slot", action="store_true", help="relabel only among participants with the same plan")
    rules = parser.add_argument_group("exclusions (none by default)")
    rules.add_argument("--min-full-accuracy", type=float, metavar="SHARE", help="with intact pictures")
    rules.add_argument("--max-late-share", type=float, metavar="SHARE", help="late, early and missing answers")
    rules.add_argument("--max-response-bias", type=float, metavar="SHARE", help="share of the same answer")
    rules.add_argument("--first-session-only", action="store_true", help="of a participant who came more than once")
    rules.add_argument("--dedupe", choices=("first",), help="keep the first of rows that are equal byte for byte")
    rules.add_argument(
        "--repeats",
        default="refuse",
        choices=("refuse", "first", "keep"),
        help="when a participant met a picture twice",
    )
    add_common_options(parser)


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "groups": tuple(arguments.groups) if arguments.groups else None,
        "statistic": arguments.statistic,
        "late": arguments.late,
        "alternative": arguments.alternative,
        "correction": arguments.correction,
        "m": arguments.relabellings,
        "by_slot": arguments.by_slot,
    }


def _trials(arguments: argparse.Namespace) -> "Trials":
    from .tables import read_trials

    return read_trials(arguments.trials, dedupe=arguments.dedupe, repeats=arguments.repeats)


def _rules(arguments: argparse.Namespace) -> "Rules":
    from .exclusions import Rules

    return Rules(
        min_full_accuracy=arguments.min_full_accuracy,
        max_late_share=arguments.max_late_share,
        max_response_bias=arguments.max_response_bias,
        first_session_only=arguments.first_session_only,
    )


def _seed(arguments: argparse.Namespace) -> int:
    from rapidvision.seeds import fresh_seed

    if arguments.seed is not None:
        return int(arguments.seed)
    seed = fresh_seed()
    say(arguments, f"seed {seed} (drawn; give --seed {seed} to repeat this run)")
    return seed


def _add_bins(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _verb(
        verbs,
        "bins",
        "both groups at every level, with randomization tests",
        "rapidvision analyse bins study/trials.csv --groups clickme salicon --alternative greater",
    )
    _add_test_options(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the table as CSV")
    parser.set_defaults(run=_run_bins)


def _run_bins(arguments: argparse.Namespace) -> None:
    from rapidvision import files

    from .workflow import bins, kept

    left = kept(_trials(arguments), _rules(arguments))
    say(arguments, left.sentence())
    result = bins(left.trials, seed=_seed(arguments), **_options(arguments))
    table = result.table()
    say(arguments, _frame(table))
    for note in result.test.notes:
        say(arguments, f"note: {note}")
    if arguments.out:
        files.write_text(arguments.out, table.assign(seed=result.test.seed).to_csv(index=False))


def _add_fig2b(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _verb(
        verbs,
        "fig2b",
        "Fig. 2B as PDF, SVG and PNG",
        "rapidvision analyse fig2b study/trials.csv --models study/models.csv --out figures/",
    )
    _add_test_options(parser)
    _add_company(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for fig2b.pdf, .svg and .png")
    parser.set_defaults(run=_run_fig2b)


def _add_company(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--models", type=Path, metavar="FILE", help="the networks' trials table")
    parser.add_argument("--set", type=Path, metavar="DIR", help="the stimulus set, for the insets")
    parser.add_argument(
        "--margin",
        type=float,
        default=0.05,
        metavar="SHARE",
        help="how far below the intact picture is still the ceiling (0.05)",
    )


def _run_fig2b(arguments: argparse.Namespace) -> None:
    from .workflow import fig2b, kept

    left = kept(_trials(arguments), _rules(arguments))
    say(arguments, left.sentence())
    result = fig2b(
        left.trials,
        models=arguments.models,
        stimulus_set=arguments.set,
        margin=arguments.margin,
        seed=_seed(arguments),
        **_options(arguments),
    )
    for one in result.ceilings:
        say(arguments, one.sentence())
    for path in result.save(arguments.out):
        say(arguments, str(path))


def _add_report(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _verb(
        verbs,
        "report",
        "everything: report.html, results.json and the figures",
        "rapidvision analyse report study/trials.csv --models study/models.csv --set set/ --out report/",
    )
    _add_test_options(parser)
    _add_company(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the report")
    parser.set_defaults(run=_run_report)


def _run_report(arguments: argparse.Namespace) -> None:
    from .reporting import report

    result = report(
        _trials(arguments),
        arguments.out,
        models=arguments.models,
        stimulus_set=arguments.set,
        rules=_rules(arguments),
        margin=arguments.margin,
        seed=_seed(arguments),
        command="analyse report",
        **_options(arguments),
    )
    for one in result.results["ceilings"]:
        say(arguments, one["sentence"])
    say(arguments, str(result.html))


def _add_curve(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _verb(
        verbs,
        "curve",
        "psychometric functions, thresholds with intervals, and the test of their difference",
        "rapidvision analyse curve study/trials.csv --groups clickme salicon --out figures/",
    )
    parser.add_argument("trials", type=Path, help="the trials table (CSV or Parquet)")
    parser.add_argument("--groups", nargs=2, metavar=("FIRST", "SECOND"), help="first minus second is tested")
    parser.add_argument("--late", default="exclude", choices=("exclude", "wrong", "half"), help="see bins")
    parser.add_argument("-m", "--relabellings", type=int, default=N_RELABELLINGS, metavar="M")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for psychometric.pdf, .svg and .png")
    add_common_options(parser)
    parser.set_defaults(run=_run_curve)


def _run_curve(arguments: argparse.Namespace) -> None:
    from .workflow import curve

    groups = tuple(arguments.groups) if arguments.groups else None
    result = curve(
        arguments.trials, groups=groups, late=arguments.late, m=arguments.relabellings, seed=_seed(arguments)
    )
    say(arguments, _frame(result.table()))
    test = result.test
    say(
        arguments,
        f"threshold of {test.groups[0]} minus {test.groups[1]}: {test.difference:.3f} log10 "
        f"(95 % {test.interval[0]:.3f} to {test.interval[1]:.3f}), p = {test.p:.4g}",
    )
    if arguments.out:
        for path in result.drawing.save(arguments.out):
            say(arguments, str(path))


def _add_compare(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _verb(
        verbs,
        "compare",
        "networks beside people on the same trials",
        "rapidvision analyse compare study/trials.csv study/models.csv",
    )
    parser.add_argument("trials", type=Path, help="the participants' trials table")
    parser.add_argument("models", type=Path, help="the networks' trials table")
    parser.add_argument("--late", default="exclude", choices=("exclude", "wrong", "half"), help="see bins")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the table as CSV")
    add_common_options(parser)
    parser.set_defaults(run=_run_compare)


def _run_compare(arguments: argparse.Namespace) -> None:
    from rapidvision import files

    from .workflow import compare

    result = compare(arguments.trials, arguments.models, late=arguments.late, seed=_seed(arguments))
    say(arguments, _frame(result.table()))
    for model, other, group, one in result.consistency:
        say(
            arguments,
            f"{model} and the {other} ({group}): kappa {one.kappa:.3f} (95 % {one.interval[0]:.3f} to "
            f"{one.interval[1]:.3f}), {one.n} stimuli",
        )
    if arguments.out:
        files.write_text(arguments.out, result.table().assign(seed=result.seed).to_csv(index=False))


def _add_maps(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _verb(
        verbs,
        "maps",
        "reliability of participants' maps (one file), or agreement of two sources",
        "rapidvision analyse maps pictures/maps/clickme pictures/maps/salicon",
    )
    parser.add_argument("first", type=Path, help="folder of IMAGE_ID.png, or .npz (participants x height x width)")
    parser.add_argument("second", type=Path, nargs="?", help="the other source")
    parser.add_argument("-m", "--relabellings", type=int, default=N_RELABELLINGS, metavar="M")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the result as JSON")
    add_common_options(parser)
    parser.set_defaults(run=_run_maps)


def _run_maps(arguments: argparse.Namespace) -> None:
    from rapidvision import files

    from .mapping import maps
    from .page import plain
    from .reliability import Reliability

    result = maps(arguments.first, arguments.second, m=arguments.relabellings, seed=_seed(arguments))
    low, high = result.interval
    kind = "participants' maps" if isinstance(result, Reliability) else "sources"
    say(
        arguments,
        f"{len(result.images)} pictures: {kind} correlate {result.mean:.3f} (95 % {low:.3f} to {high:.3f}), "
        f"different pictures {result.null:.3f}, p = {result.p:.4g}; {result.share_below_null:.1%} of pictures below the null",
    )
    if isinstance(result, Reliability):
        say(arguments, f"split-half {result.split_half:.3f}, Spearman-Brown {result.spearman_brown:.3f}")
        if result.n_dropped:
            say(arguments, f"dropped {result.n_dropped} constant maps, which have no ranks")
    if arguments.out:
        files.write_json(arguments.out, plain(result))


def _add_design_options(parser: argparse.ArgumentParser, *, experiments: int, relabellings: int) -> None:
    parser.add_argument("--threshold", type=float, default=1.5, metavar="LOG10", help="of the first group (1.5)")
    parser.add_argument("--slope", type=float, default=6.0, help="of the logistic over log10 per cent (6)")
    parser.add_argument("--late-share", type=float, default=0.05, metavar="SHARE", help="answers past the limit (0.05)")
    parser.add_argument("--images", type=int, default=80, metavar="N", help="pictures per participant (80)")
    parser.add_argument("--experiments", type=int, default=experiments, metavar="N", help=f"({experiments})")
    parser.add_argument("-m", "--relabellings", type=int, default=relabellings, metavar="M", help=f"({relabellings})")
    parser.add_argument("--alpha", type=float, default=0.05, help="(0.05)")
    add_common_options(parser)


def _add_power(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _verb(
        verbs,
        "power",
        "how many participants: simulated experiments against group size and effect",
        "rapidvision analyse power --n 20 40 60 --effects 0.1 0.2 --out power/",
    )
    parser.add_argument("--n", type=int, nargs="+", default=[10, 20, 30, 45, 60, 90], help="participants per group")
    parser.add_argument("--effects", type=float, nargs="+", default=[0.1, 0.2], help="difference of thresholds, log10")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for power.csv, .pdf, .svg and .png")
    _add_design_options(parser, experiments=300, relabellings=2000)
    parser.set_defaults(run=_run_power)


def _run_power(arguments: argparse.Namespace) -> None:
    from rapidvision import files
    from rapidvision.progress import progress

    from .planning import power

    total = len(arguments.n) * len(arguments.effects) * arguments.experiments
    seed = _seed(arguments)
    with progress("experiments", total, quiet=arguments.quiet) as advance:
        table = power(
            _design(arguments),
            n_per_group=arguments.n,
            effects=arguments.effects,
            n_experiments=arguments.experiments,
            m=arguments.relabellings,
            alpha=arguments.alpha,
            seed=seed,
            advance=advance,
        )
    say(arguments, _frame(table))
    if arguments.out:
        from .figures.plots import draw_power

        files.write_text(arguments.out / "power.csv", table.assign(seed=seed).to_csv(index=False))
        for path in draw_power(table).save(arguments.out):
            say(arguments, str(path))


def _add_calibrate(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _verb(
        verbs,
        "calibrate",
        "do the tests keep their promises: simulated experiments without a difference",
        "rapidvision analyse calibrate --per-group 60 --experiments 2000",
    )
    parser.add_argument("--per-group", type=int, default=60, metavar="N", help="participants per group (60)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the table as CSV")
    _add_design_options(parser, experiments=2000, relabellings=N_RELABELLINGS)
    parser.set_defaults(run=_run_calibrate)


def _run_calibrate(arguments: argparse.Namespace) -> None:
    from dataclasses import replace

    from rapidvision import files
    from rapidvision.progress import progress

    from .planning import calibrate

    seed = _seed(arguments)
    with progress("experiments", arguments.experiments, quiet=arguments.quiet) as advance:
        result = calibrate(
            replace(_design(arguments), n_per_group=arguments.per_group),
            n_experiments=arguments.experiments,
            m=arguments.relabellings,
            alpha=arguments.alpha,
            seed=seed,
            advance=advance,
        )
    say(arguments, _frame(result.table()))
    say(arguments, f"alpha {result.alpha:g}, standard error of a rate {result.standard_error:.4f}")
    if arguments.out:
        files.write_text(arguments.out, result.table().assign(seed=seed).to_csv(index=False))


def _design(arguments: argparse.Namespace) -> "Design":
    from .simulation import Design

    return Design(
        n_images=arguments.images,
        thresholds=(arguments.threshold, arguments.threshold),
        slope=arguments.slope,
        late_share=arguments.late_share,
    )


def _frame(table: "pd.DataFrame") -> str:
    return table.to_string(index=False, float_format=lambda value: f"{value:.4g}")
