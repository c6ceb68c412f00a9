"""What the verbs share: how a verb is added, the options of every test, and how tables and seeds are told."""

import argparse
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rapidvision.cli import add_common_options, add_plugin_option
from rapidvision.protocol import N_RELABELLINGS

from ..table.statistic_registry import STATISTICS
from .foreign import add_foreign_options, read_confirmed

#: How a note begins that changes what a p is worth; see :mod:`rapidvision.analysis.inference.cautions`.
WARNING = "warning: "

if TYPE_CHECKING:  # pandas stays out of the help
    from ..table.exclusions import Kept, Rules
    from ..table.trials import Trials


def tell(text: str) -> None:
    """Print a result, or a note on it: ``--quiet`` takes away progress and paths, never these."""
    print(text, flush=True)  # noqa: T201


def tell_notes(notes: Iterable[str]) -> None:
    """Print notes on a result, a line each; warnings say themselves what they are."""
    for note in notes:
        tell(note if note.startswith(WARNING) else f"note: {note}")


def add_test_options(parser: argparse.ArgumentParser) -> None:
    """Add the trials table, what is tested, and the exclusions."""
    parser.add_argument("trials", metavar="TRIALS", type=Path, help="the trials table, or any table of trials")
    parser.add_argument("--groups", nargs=2, metavar=("FIRST", "SECOND"), help="first minus second is tested")
    parser.add_argument(
        "--spread",
        default="auto",
        choices=("auto", "pooled", "raw"),
        help="pooled: studentized by one spread per group, where spreads or sizes differ (auto); raw: the paper's difference",
    )
    parser.add_argument(
        "--statistic",
        default="participant_mean",
        choices=STATISTICS,
        metavar="NAME",
        help="what is compared: %(choices)s (default: %(default)s)",
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
        "--n-resamples",
        type=int,
        default=N_RELABELLINGS,
        metavar="N",
        help=f"relabellings ({N_RELABELLINGS:,} in the paper)",
    )
    parser.add_argument("--by-slot", action="store_true", help="relabel only among participants with the same plan")
    rules = parser.add_argument_group("exclusions (none by default)")
    rules.add_argument("--min-full-accuracy", type=float, metavar="SHARE", help="with intact images")
    rules.add_argument("--max-late-share", type=float, metavar="SHARE", help="late, early and missing answers")
    rules.add_argument("--max-response-bias", type=float, metavar="SHARE", help="share of the same answer")
    rules.add_argument("--first-session-only", action="store_true", help="of a participant who came more than once")
    add_reading_options(parser)
    add_plugin_option(parser)
    add_common_options(parser, json=True)


def add_by(parser: argparse._ActionsContainer) -> None:
    """Add the column that holds the conditions."""
    parser.add_argument(
        "--by", metavar="COLUMN", help="column of the conditions (default: group, else the first factor that varies)"
    )


def add_design_options(parser: argparse.ArgumentParser) -> None:
    """Add which conditions are compared, how they are spread over participants, and who is resampled."""
    design = parser.add_argument_group("design (found where not declared)")
    design.add_argument(
        "--design",
        choices=("one-sample", "between", "within", "mixed"),
        help="whether the conditions differ between or within participants; mixed: two within, over groups",
    )
    design.add_argument(
        "--unit",
        default="participant",
        choices=("participant", "image", "both"),
        help="who is resampled; both: participants, with images and min F' over both beside",
    )
    design.add_argument(
        "--strata", default="", metavar="COLUMN", help="relabel only among participants with the same value"
    )
    design.add_argument(
        "--covariate",
        action="append",
        metavar="COLUMN",
        help="adjust two groups for a column of participants; again for more",
    )
    design.add_argument(
        "--pairing",
        default="levels",
        choices=("levels", "images"),
        help="images: within participants, only images seen under every condition",
    )
    design.add_argument(
        "--against", type=float, metavar="VALUE", help="what one condition is compared with (default: the guess rate)"
    )


def design_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options of :func:`add_by` and :func:`add_design_options`, as `level_tests` takes them."""
    return {
        "by": arguments.by,
        "design": arguments.design,
        "unit": arguments.unit,
        "strata": arguments.strata,
        "covariates": tuple(arguments.covariate or ()),
        "pairing": arguments.pairing,
        "against": arguments.against,
    }


def add_reading_options(parser: argparse.ArgumentParser) -> None:
    """Add which rows of the trials table count."""
    rows = parser.add_argument_group("rows that count")
    rows.add_argument(
        "--observers",
        choices=("human", "pilot", "simulated", "model"),
        help="kind of observer, where the table holds several",
    )
    rows.add_argument(
        "--timing",
        default="not-false",
        choices=("all", "not-false", "verified"),
        help="not-false: leave out trials whose measured durations were wrong; verified: and those not measured",
    )
    rows.add_argument(
        "--attempts",
        default="first",
        choices=("first", "all"),
        help="first: leave out repeated attempts, whose image had been seen",
    )
    rows.add_argument(
        "--where",
        action="append",
        metavar="COLUMN=VALUE",
        help="only rows with this value, such as factor_cue=animal; given again for one column: any of the values",
    )
    rows.add_argument("--dedupe", choices=("first",), help="keep the first of rows that are equal byte for byte")
    rows.add_argument(
        "--repeats",
        default="refuse",
        choices=("refuse", "first", "keep"),
        help="when a participant met an image twice",
    )
    add_foreign_options(parser)


def add_company(parser: argparse.ArgumentParser) -> None:
    """Add networks, the stimulus set and the margin of the ceiling."""
    parser.add_argument("--models", type=Path, metavar="FILE", help="the networks' trials table")
    parser.add_argument("--set", type=Path, metavar="SET", help="the stimulus set, for the insets")
    parser.add_argument(
        "--margin",
        type=float,
        default=0.05,
        metavar="SHARE",
        help="how far below the intact image is still the ceiling (0.05)",
    )


def add_guess(parser: argparse._ActionsContainer) -> None:
    """Add the guess rate that the user states."""
    parser.add_argument(
        "--guess",
        type=float,
        metavar="SHARE",
        help="share of answers that guessing gets right (0.25 for four), where the table does not show it",
    )


def add_mixed(parser: argparse.ArgumentParser) -> None:
    """Add whether a report carries the regressions."""
    parser.add_argument("--mixed", action="store_true", help="also the mixed model, GEE and GLM (some seconds more)")


def add_checks(parser: argparse.ArgumentParser) -> None:
    """Add what a report is held against: its plan, and other analyses."""
    parser.add_argument(
        "--multiverse", action="store_true", help="also every other late rule, exclusion, statistic, correction"
    )
    parser.add_argument("--prereg", type=Path, metavar="FILE", help="prereg.toml: the report lists every deviation")


def test_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options of :func:`rapidvision.analysis.level_comparison.level_tests`."""
    return {
        "groups": tuple(arguments.groups) if arguments.groups else None,
        "statistic": arguments.statistic,
        "spread": arguments.spread,
        "late": arguments.late,
        "alternative": arguments.alternative,
        "correction": arguments.correction,
        "n_resamples": arguments.n_resamples,
        "by_slot": arguments.by_slot,
    }


def command_of(verb_name: str, arguments: argparse.Namespace, *, seed: int) -> str:
    """The command that makes the same output again: files by name, options where they are not the default, the seed.

    Examples
    --------
    >>> parser = argparse.ArgumentParser()
    >>> add_test_options(parser)
    >>> command_of("bins", parser.parse_args(["study/trials.csv", "--groups", "b", "a", "--by-slot"]), seed=7)
    'rapidvision analyse bins trials.csv --groups b a --by-slot --seed 7'
    """
    parser = argparse.ArgumentParser(add_help=False)
    add_test_options(parser)
    add_by(parser)
    add_design_options(parser)
    add_company(parser)
    add_mixed(parser)
    add_guess(parser)
    add_checks(parser)
    words = [f"rapidvision analyse {verb_name} {arguments.trials.name}"]
    for name, value in vars(parser.parse_args(["-"])).items():
        given = getattr(arguments, name, value)
        if name in ("trials", "seed", "quiet", "json") or given == value:
            continue
        if name in ("plugin", "where", "field", "covariate"):  # given once for each value
            words += [f"--{name} {shlex.quote(one)}" for one in given]
            continue
        parts = given if isinstance(given, list | tuple) else [] if given is True else [given]
        shown = [part.name if isinstance(part, Path) else str(part) for part in parts]
        words.append(shlex.join([f"--{name.replace('_', '-')}", *shown]))
    return " ".join([*words, f"--seed {seed}"])


def trials_of(arguments: argparse.Namespace) -> "Trials":
    """Read the trials table as asked, and say what was done or odd on the way in."""
    source = read_confirmed(arguments)
    tell_notes(source.notes)
    source = source.select(
        observers=arguments.observers,
        timing=arguments.timing,
        attempts=arguments.attempts,
        where=tuple(arguments.where or ()),
    )
    return source.guessing(getattr(arguments, "guess", None))


def kept_of(arguments: argparse.Namespace) -> "Kept":
    """Read the trials, apply the exclusions, and say what is known to go wrong before anything runs."""
    from ..inference.cautions import forewarnings
    from ..table.exclusions import exclude

    left = exclude(trials_of(arguments), rules_of(arguments))
    tell(left.sentence())
    sizes = [left.after.get(group, 0) for group in arguments.groups or sorted(left.after)]
    if len(sizes) == 2 and all(sizes):
        tell_notes(forewarnings(*sizes, n_resamples=arguments.n_resamples))
    return left


def rules_of(arguments: argparse.Namespace) -> "Rules":
    """Return the exclusion rules."""
    from ..table.exclusions import Rules

    return Rules(
        min_full_accuracy=arguments.min_full_accuracy,
        max_late_share=arguments.max_late_share,
        max_response_bias=arguments.max_response_bias,
        first_session_only=arguments.first_session_only,
    )


def seed_of(arguments: argparse.Namespace) -> int:
    """Return the seed; one that is not given is drawn and printed."""
    from rapidvision.seeds import fresh_seed

    if arguments.seed is not None:
        return int(arguments.seed)
    seed = fresh_seed()
    tell(f"seed {seed} (drawn; give --seed {seed} to repeat this run)")
    return seed
