"""Verbs of the measures: effects, d′, times, learning, images, confusions, consistency, reliability, diffusion."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rapidvision.cli import Verbs, add_common_options, add_verb, give, say
from rapidvision.protocol import N_RELABELLINGS

from .design import add_by
from .options import add_reading_options, seed_of, tell, tell_notes, trials_of

if TYPE_CHECKING:
    from ..scores.measure import Measure
    from ..table.trials import Trials

LATE = ("exclude", "wrong", "half")


@dataclass(frozen=True)
class Verb:
    """A measure as a verb: its name and help, the function's place, and which options it takes."""

    name: str
    text: str
    module: str
    function: str
    options: tuple[str, ...] = ()
    late: tuple[str, ...] = LATE
    more: Callable[[argparse.ArgumentParser], None] | None = None
    #: Options of its own, which are arguments of the function of the same name.
    own: tuple[str, ...] = ()


def _of_effects(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--statistic",
        default="participant_mean",
        choices=("participant_mean", "dprime", "criterion", "response_ms", "late_share"),
        metavar="NAME",
        help="what is compared: %(choices)s (default: %(default)s)",
    )
    parser.add_argument(
        "--bound", type=float, metavar="SIZE", help="also test equivalence within ± SIZE (0.05: five points)"
    )
    parser.add_argument(
        "--confidence", type=float, default=0.95, metavar="SHARE", help="of the intervals (default: %(default)s)"
    )
    parser.add_argument("--alpha", type=float, default=0.05, metavar="ALPHA", help="level of the test (0.05)")


def _of_times(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--quantiles", type=float, nargs="+", default=[0.1, 0.3, 0.5, 0.7, 0.9], metavar="SHARE", help="of the times"
    )


def _of_parts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--n-parts", type=int, default=5, metavar="N", help="parts of the answers, fast to slow (5)")


def _of_shapes(parser: argparse.ArgumentParser) -> None:
    from ..measures.cue_conflict import TEXTURE

    parser.add_argument(
        "--texture",
        default=TEXTURE,
        metavar="COLUMN",
        help="column of the texture's category, or a regular expression with a group named texture, for the image's name",
    )


def _of_halves(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--n-splits", type=int, default=200, metavar="N", help="random splits that are averaged (200)")


def _of_observers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--models", type=Path, metavar="FILE", help="the networks' trials table")
    parser.add_argument("--n-bootstrap", type=int, default=1000, metavar="N", help="resamples of images (1,000)")


TESTED = ("conditions", "n_resamples", "seed")
VERBS = (
    Verb("effects", "effect sizes with intervals at every level, equivalence, Bayes factors", "level_effects",
         "level_effects", ("conditions",), more=_of_effects, own=("statistic", "bound", "confidence", "alpha")),
    Verb("sensitivity", "d' and criterion of every participant, and tests between two conditions", "sensitivity",
         "sensitivity", TESTED),
    Verb("times", "median and quantiles of response times, for correct and wrong answers", "response_times",
         "response_times", late=("exclude", "wrong"), more=_of_times, own=("quantiles",)),
    Verb("conditional-accuracy", "accuracy as a function of response time", "response_times", "conditional_accuracy",
         late=("exclude", "wrong"), more=_of_parts, own=("n_parts",)),
    Verb("learning", "accuracy and time over blocks, and each participant's slope", "learning_curves", "learning", TESTED),
    Verb("speed-accuracy", "speed against accuracy, of conditions, participants and answers", "speed_accuracy",
         "speed_accuracy", TESTED),
    Verb("images", "effects image by image, shrunken, and two conditions with images as units", "image_effects",
         "image_effects", TESTED),
    Verb("confusion", "what was answered to what: counts and rates", "confusion", "confusion", late=()),
    Verb("consistency", "error consistency of all pairs of participants, and of networks with them", "",
         "observer_consistency", ("seed",), late=("exclude", "wrong"), more=_of_observers, own=("n_bootstrap",)),
    Verb("shape-bias", "shape against texture in images whose cues conflict", "shape_bias", "shape_bias", late=(),
         more=_of_shapes, own=("texture",)),
    Verb("split-half", "reliability of every measure from random halves of the trials", "split_half", "split_half",
         ("seed",), more=_of_halves, own=("n_splits",)),
    Verb("diffusion", "drift diffusion model of every participant (needs the extra ddm)", "diffusion", "fit_diffusion",
         TESTED, late=()),
)  # fmt: skip


def add_measures(verbs: Verbs) -> None:
    """Add a verb for every measure."""
    for verb in VERBS:
        parser = add_verb(verbs, verb.name, verb.text, f"rapidvision analyse {verb.name} study/trials.csv")
        parser.add_argument("trials", metavar="TRIALS", type=Path, help="the trials table (CSV or Parquet)")
        add_by(parser)
        if "conditions" in verb.options:
            parser.add_argument("--conditions", nargs=2, metavar=("FIRST", "SECOND"), help="first minus second")
        if verb.late:
            parser.add_argument("--late", default="exclude", choices=verb.late, help="see bins")
        if "n_resamples" in verb.options:
            parser.add_argument(
                "--n-resamples",
                type=int,
                default=N_RELABELLINGS,
                metavar="N",
                help=f"relabellings or sign flips ({N_RELABELLINGS:,})",
            )
        if verb.more:
            verb.more(parser)
        parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the tables as CSV")
        add_reading_options(parser)
        add_common_options(parser, seed="seed" in verb.options, json=True)
        parser.set_defaults(run=_run, measure=verb)


def _run(arguments: argparse.Namespace) -> None:
    verb: Verb = arguments.measure
    words: dict[str, Any] = {"by": arguments.by}
    if verb.late:
        words["late"] = arguments.late
    if "conditions" in verb.options:
        words["conditions"] = tuple(arguments.conditions) if arguments.conditions else None
    if "n_resamples" in verb.options:
        words["n_resamples"] = arguments.n_resamples
    if "seed" in verb.options:
        words["seed"] = seed_of(arguments)
    words |= {name: getattr(arguments, name) for name in verb.own}
    trials = trials_of(arguments)
    found = _measured(verb, trials, arguments, words)
    tell(str(found))
    tables = tables_of(found)
    for name, table in tables.items():
        if name == "tests" and not table.empty:
            from rapidvision.text.result_repr import frame_text

            tell(frame_text(table))
    tell_notes(found.notes)
    seed = {"seed": words["seed"]} if "seed" in words else {}
    give(arguments, {verb.name: found.to_frame(), **tables, **seed, "notes": found.notes})
    if arguments.out:
        from rapidvision.system import files

        for name, table in {verb.name: found.to_frame(), **tables}.items():
            path = arguments.out / f"{name if name == verb.name else f'{verb.name}-{name}'}.csv"
            files.write_text(path, table.assign(**seed).to_csv(index=False))
            say(arguments, str(path))


def _measured(verb: Verb, trials: "Trials", arguments: argparse.Namespace, words: dict[str, Any]) -> "Measure":
    from importlib import import_module

    if not verb.module:
        from ..models.observers import observer_consistency

        return observer_consistency(trials, arguments.models, **words)
    package = __package__.rpartition(".")[0]
    function = getattr(import_module(f"{package}.measures.{verb.module}"), verb.function)
    if verb.name == "diffusion":
        from rapidvision.system.progress import progress

        people = trials.people()
        total = people["participant_id"].nunique() * people[arguments.by or "group"].nunique()
        with progress("fits", total, quiet=arguments.quiet) as advance:
            return function(trials, advance=advance, **words)  # type: ignore[no-any-return]
    return function(trials, **words)  # type: ignore[no-any-return]


def tables_of(found: "Measure") -> dict[str, Any]:
    """Further tables of a result, by name: those of participants, pairs, tests."""
    import pandas as pd

    names = [name for name in getattr(found, "__dataclass_fields__", {}) if name != "table"]
    tables = {name: getattr(found, name) for name in names}
    return {name: one for name, one in tables.items() if isinstance(one, pd.DataFrame) and not one.empty}
