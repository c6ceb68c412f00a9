"""``chance``, ``mixed`` and ``compare``: a study against chance, as a regression, and beside networks."""

import argparse
from pathlib import Path

from rapidvision.cli import Verbs, add_common_options, add_verb, give, say
from rapidvision.protocol import N_RELABELLINGS

from .options import add_by, add_guess, add_reading_options, seed_of, tell, tell_notes, trials_of


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


def add_mixed(verbs: Verbs) -> None:
    """Add ``mixed``: the regression with random participants and images."""
    parser = add_verb(
        verbs,
        "mixed",
        "accuracy ~ log reveal x group with random participants and images, beside GEE and GLM",
        "rapidvision analyse mixed study/trials.csv --groups clickme salicon --guess 0.5",
    )
    parser.add_argument("trials", metavar="TRIALS", type=Path, help="the trials table (CSV or Parquet)")
    parser.add_argument("--groups", nargs=2, metavar=("FIRST", "SECOND"), help="what FIRST adds to SECOND")
    parser.add_argument("--guess", type=float, default=0.0, metavar="SHARE", help="guess rate of the link (0: logit)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the table as CSV")
    add_reading_options(parser)
    add_common_options(parser, seed=False, json=True)
    parser.set_defaults(run=_run_mixed)


def _run_mixed(arguments: argparse.Namespace) -> None:
    from rapidvision.system import files

    from ..fits.regression import fit_mixed

    groups = tuple(arguments.groups) if arguments.groups else None
    result = fit_mixed(trials_of(arguments), groups=groups, guess=arguments.guess)
    tell(str(result))
    tell(result.sentence())
    tell_notes(result.cautions)
    give(arguments, {"effects": result.to_frame(), "notes": result.cautions})
    if arguments.out:
        files.write_text(arguments.out, result.to_frame().to_csv(index=False))


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
