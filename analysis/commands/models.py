"""``chance``, ``mixed``, ``hierarchical``, ``compare``: a study against chance, as a regression, as curves, beside networks."""

import argparse
from pathlib import Path

from rapidvision.cli import Verbs, add_common_options, add_verb, give, say
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.system.progress import steps

from ..fits.choices import IMAGE_EFFECTS, RANDOM, SCALES, TIME_LIMIT_S
from .design import add_by
from .options import add_guess, add_reading_options, seed_of, tell, tell_notes, trials_of


def add_chance(verbs: Verbs) -> None:
    """Add ``chance``: is a group above chance."""
    parser = add_verb(
        verbs,
        "chance",
        "every group and level against chance, by sign flips over participants",
        "rapidvision analyse chance study/trials.csv",
    )
    parser.add_argument("trials", metavar="TRIALS", type=Path, help="the trials table (CSV or Parquet)")
    parser.add_argument("--late", default="exclude", choices=("exclude", "wrong", "half"), help="see bins")
    parser.add_argument(
        "--n-resamples", type=int, default=N_RELABELLINGS, metavar="N", help=f"sign flips ({N_RELABELLINGS:,})"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the table as CSV")
    add_by(parser)
    add_guess(parser)
    add_reading_options(parser)
    add_common_options(parser, json=True)
    parser.set_defaults(run=_run_chance)


def _run_chance(arguments: argparse.Namespace) -> None:
    from rapidvision.system import files
    from rapidvision.text.result_repr import frame_text

    from ..against_chance import chance
    from ..table.first_lines import opening

    seed = seed_of(arguments)
    trials = trials_of(arguments)
    found = chance(trials, late=arguments.late, n_resamples=arguments.n_resamples, seed=seed, by=arguments.by)
    for line in opening(trials, late=arguments.late):
        tell(line)
    table = found.to_frame()
    tell(frame_text(table))
    for one in found.tests:
        tell(one.sentence())
        tell_notes(one.notes)
    give(arguments, {"levels": table, "seed": seed, "notes": [note for one in found.tests for note in one.notes]})
    if arguments.out:
        files.write_text(arguments.out, table.assign(seed=seed).to_csv(index=False))


def add_time_limit(parser: argparse.ArgumentParser) -> None:
    """Add after how long a fit ends."""
    parser.add_argument(
        "--time-limit",
        type=float,
        default=TIME_LIMIT_S,
        metavar="S",
        help=f"seconds after which a fit ends unfinished ({TIME_LIMIT_S:g})",
    )


def add_mixed(verbs: Verbs) -> None:
    """Add ``mixed``: the regression with random participants and images."""
    parser = add_verb(
        verbs,
        "mixed",
        "accuracy ~ level x condition with random participants and images, beside GEE and GLM",
        "rapidvision analyse mixed study/trials.csv --groups clickme salicon --link guess",
    )
    parser.add_argument("trials", metavar="TRIALS", type=Path, help="the trials table (CSV or Parquet)")
    parser.add_argument("--groups", nargs=2, metavar=("FIRST", "SECOND"), help="what FIRST adds to SECOND")
    parser.add_argument(
        "--by", metavar="COLUMN", help="column of the conditions; participants may have met both (group)"
    )
    parser.add_argument(
        "--link",
        choices=("logit", "guess"),
        help="guess: the curve's lower end is the guess rate (logit, unless --guess is given)",
    )
    add_guess(parser)
    parser.add_argument(
        "--random",
        default="auto",
        choices=RANDOM,
        help="what differs between participants and images beside their intercepts (auto: slopes where the data allow them)",
    )
    parser.add_argument("--axis", default="auto", choices=SCALES, help="axis of the levels (auto: by their unit)")
    add_time_limit(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the table as CSV")
    add_reading_options(parser)
    add_common_options(parser, seed=False, json=True)
    parser.set_defaults(run=_run_mixed)


def _run_mixed(arguments: argparse.Namespace) -> None:
    from rapidvision.system import files

    from ..fits.regression import fit_mixed

    groups = tuple(arguments.groups) if arguments.groups else None
    with steps("mixed model", quiet=arguments.quiet) as on_step:
        result = fit_mixed(
            trials_of(arguments),
            groups=groups,
            by=arguments.by,
            link=arguments.link,
            random=arguments.random,
            axis=arguments.axis,
            time_limit_s=arguments.time_limit,
            on_step=on_step,
            guess=arguments.guess,
        )
    tell(str(result))
    tell(result.sentence())
    tell_notes(result.cautions)
    give(arguments, {"effects": result.to_frame(), "notes": [*result.notes, *result.cautions]})
    if arguments.out:
        files.write_text(arguments.out, result.to_frame().to_csv(index=False))


def add_hierarchical(verbs: Verbs) -> None:
    """Add ``hierarchical``: psychometric functions with random people and images."""
    parser = add_verb(
        verbs,
        "hierarchical",
        "psychometric functions whose thresholds and slopes differ between participants and between images",
        "rapidvision analyse hierarchical study/trials.csv --groups clickme salicon",
    )
    parser.add_argument("trials", metavar="TRIALS", type=Path, help="the trials table (CSV or Parquet)")
    parser.add_argument("--groups", nargs=2, metavar=("FIRST", "SECOND"), help="first minus second is estimated")
    parser.add_argument("--by", metavar="COLUMN", help="column of the conditions (group)")
    add_guess(parser)
    parser.add_argument("--axis", default="auto", choices=SCALES, help="axis of the levels (auto: by their unit)")
    parser.add_argument(
        "--images-random",
        default="auto",
        choices=IMAGE_EFFECTS,
        help="what differs between images (auto: threshold and slope, less where there are many images)",
    )
    add_time_limit(parser)
    parser.add_argument("--people", type=Path, metavar="FILE", help="also write every participant's own curve as CSV")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the table as CSV")
    add_reading_options(parser)
    add_common_options(parser, seed=False, json=True)
    parser.set_defaults(run=_run_hierarchical)


def _run_hierarchical(arguments: argparse.Namespace) -> None:
    from rapidvision.system import files

    from ..fits.hierarchical.model import fit_hierarchical

    with steps("hierarchical model", quiet=arguments.quiet) as on_step:
        result = fit_hierarchical(
            trials_of(arguments),
            groups=tuple(arguments.groups) if arguments.groups else None,
            by=arguments.by,
            axis=arguments.axis,
            images=arguments.images_random,
            time_limit_s=arguments.time_limit,
            on_step=on_step,
        )
    tell(str(result))
    tell(result.sentence())
    tell_notes(result.cautions)
    give(
        arguments,
        {
            "parameters": result.to_frame(),
            "people": result.people(),
            "images": result.images(),
            "notes": [*result.notes, *result.cautions],
        },
    )
    for path, table in ((arguments.people, result.people()), (arguments.out, result.to_frame())):
        if path:
            files.write_text(path, table.to_csv(index=False))


def add_compare(verbs: Verbs) -> None:
    """Add ``compare``: networks beside people."""
    parser = add_verb(
        verbs,
        "compare",
        "networks beside people on the same trials",
        "rapidvision analyse compare study/trials.csv study/models.csv",
    )
    parser.add_argument("trials", metavar="TRIALS", type=Path, help="the participants' trials table")
    parser.add_argument("models", metavar="MODELS", type=Path, help="the networks' trials table")
    parser.add_argument("--late", default="exclude", choices=("exclude", "wrong", "half"), help="see bins")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the table as CSV")
    add_guess(parser)
    parser.add_argument("--figures", type=Path, metavar="DIR", help="folder for networks.pdf, .svg and .png")
    add_reading_options(parser)
    add_common_options(parser, json=True)
    parser.set_defaults(run=_run_compare)


def _run_compare(arguments: argparse.Namespace) -> None:
    from rapidvision.system import files

    from ..comparison import compare

    result = compare(trials_of(arguments), arguments.models, late=arguments.late, seed=seed_of(arguments))
    tell(str(result))
    for model, other, group, one in result.consistency:
        tell(
            f"{model} and the {other} ({group}): kappa {one.kappa:.3f} (95 % {one.interval[0]:.3f} to "
            f"{one.interval[1]:.3f}), {one.n} stimuli",
        )
    tell_notes(result.cautions)
    consistency = [
        {"model": model, "other": other, "group": group, "kappa": one.kappa, "interval": one.interval, "n": one.n}
        for model, other, group, one in result.consistency
    ]
    give(arguments, {"models": result.to_frame(), "consistency": consistency, "seed": result.seed})
    if arguments.out:
        files.write_text(arguments.out, result.to_frame().assign(seed=result.seed).to_csv(index=False))
    if arguments.figures:
        for path in result.drawing.save(arguments.figures):
            say(arguments, str(path))
