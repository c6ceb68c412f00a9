"""``rapidvision analyse``: the room's verbs on the command line."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rapidvision.cli import add_common_options, say
from rapidvision.protocol import N_RELABELLINGS

if TYPE_CHECKING:  # pandas stays out of the help
    from .exclusions import Rules
    from .tables import Trials


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs of ``rapidvision analyse``."""
    verbs = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    _add_bins(verbs)
    _add_fig2b(verbs)
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
    say(arguments, table.to_string(index=False, float_format=lambda value: f"{value:.4g}"))
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
