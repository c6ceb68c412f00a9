"""``power`` and ``calibrate``: simulated experiments."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rapidvision.cli import Verbs, add_common_options, add_verb, give, say
from rapidvision.protocol import N_RELABELLINGS

from .design import add_by
from .options import add_guess, seed_of, tell, tell_notes

if TYPE_CHECKING:
    from ..sample_size.simulation import Design


def _add_design_options(parser: argparse.ArgumentParser, *, n_experiments: int, n_resamples: int) -> None:
    parser.add_argument("--threshold", type=float, default=1.5, metavar="LOG10", help="of the first group (1.5)")
    parser.add_argument(
        "--slope", type=float, default=6.0, metavar="SLOPE", help="of the logistic over log10 per cent (6)"
    )
    parser.add_argument("--late-share", type=float, default=0.05, metavar="SHARE", help="answers past the limit (0.05)")
    parser.add_argument("--n-images", type=int, default=80, metavar="N", help="images per participant (80)")
    parser.add_argument(
        "--n-experiments", type=int, default=n_experiments, metavar="N", help=f"simulated experiments ({n_experiments})"
    )
    parser.add_argument(
        "--n-resamples",
        type=int,
        default=n_resamples,
        metavar="N",
        help=f"relabellings of each experiment ({n_resamples})",
    )
    parser.add_argument("--alpha", type=float, default=0.05, metavar="ALPHA", help="level of the test (0.05)")
    add_common_options(parser, json=True)


def add_power(verbs: Verbs) -> None:
    """Add ``power``: how many participants."""
    parser = add_verb(
        verbs,
        "power",
        "how many participants: simulated experiments against group size and effect",
        "rapidvision analyse power --n-per-group 20 40 60 --effects 0.1 0.2 --out power/",
    )
    parser.add_argument(
        "--n-per-group",
        type=int,
        nargs="+",
        metavar="N",
        default=[10, 20, 30, 45, 60, 90],
        help="participants per group",
    )
    parser.add_argument(
        "--effects", type=float, nargs="+", metavar="LOG10", default=[0.1, 0.2], help="difference of thresholds, log10"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for power.csv, .pdf, .svg and .png")
    pilot = parser.add_argument_group("from a pilot instead of a simulated design")
    pilot.add_argument(
        "--from-pilot", type=Path, metavar="FILE", help="the pilot's trials table; the design comes from it"
    )
    add_by(pilot)
    pilot.add_argument("--conditions", nargs=2, metavar=("FIRST", "SECOND"), help="first minus second")
    pilot.add_argument(
        "--n-second", type=int, nargs="+", metavar="N", help="participants of the second group, where sizes are unequal"
    )
    pilot.add_argument(
        "--test",
        default="levels",
        choices=("levels", "threshold", "equivalence"),
        help="what counts: any level, the thresholds, or equivalence at every level",
    )
    pilot.add_argument(
        "--effect-share",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="the pilot's differences times SHARE are taken for the true ones (1)",
    )
    pilot.add_argument(
        "--bound", type=float, metavar="SIZE", help="also test equivalence within ± SIZE (0.05: five points)"
    )
    pilot.add_argument("--n-trials", type=int, metavar="N", help="answers of a participant at a level and condition")
    add_guess(pilot)
    _add_design_options(parser, n_experiments=300, n_resamples=2000)
    parser.set_defaults(run=_run_power)


def _run_power(arguments: argparse.Namespace) -> None:
    if arguments.from_pilot:
        _run_pilot(arguments)
        return
    from rapidvision.system import files
    from rapidvision.system.progress import progress
    from rapidvision.text.result_repr import frame_text

    from ..sample_size.power import power

    total = len(arguments.n_per_group) * len(arguments.effects) * arguments.n_experiments
    seed = seed_of(arguments)
    with progress("experiments", total, quiet=arguments.quiet) as advance:
        table = power(
            _design(arguments),
            n_per_group=arguments.n_per_group,
            effects=arguments.effects,
            n_experiments=arguments.n_experiments,
            n_resamples=arguments.n_resamples,
            alpha=arguments.alpha,
            seed=seed,
            advance=advance,
        )
    tell(frame_text(table))
    tell_notes(table.attrs["notes"])
    give(arguments, {"power": table, "seed": seed, "notes": table.attrs["notes"]})
    if arguments.out:
        from ..figures.plots import draw_power

        files.write_text(arguments.out / "power.csv", table.assign(seed=seed).to_csv(index=False))
        for path in draw_power(table).save(arguments.out):
            say(arguments, str(path))


def _run_pilot(arguments: argparse.Namespace) -> None:
    from rapidvision.errors import InputError
    from rapidvision.system import files
    from rapidvision.system.progress import progress

    from ..sample_size.pilot_power import pilot_power
    from ..table.trials import read_trials

    first, second = arguments.n_per_group, arguments.n_second
    if second is not None and len(second) != len(first):
        raise InputError(
            f"--n-second: {len(second)} numbers for {len(first)} of --n-per-group; give the size of the second group for each"
        )
    sizes = first if second is None else list(zip(first, second, strict=True))
    bound = {} if arguments.bound is None else {"bound": arguments.bound}
    with progress("experiments", len(sizes) * arguments.n_experiments, quiet=arguments.quiet) as advance:
        found = pilot_power(
            read_trials(arguments.from_pilot).guessing(arguments.guess),
            sizes,
            by=arguments.by,
            conditions=tuple(arguments.conditions) if arguments.conditions else None,
            test=arguments.test,
            effect=arguments.effect_share,
            n_trials=arguments.n_trials,
            alpha=arguments.alpha,
            n_experiments=arguments.n_experiments,
            n_resamples=arguments.n_resamples,
            seed=seed_of(arguments),
            advance=advance,
            **bound,
        )
    tell(str(found))
    tell_notes(found.notes)
    give(arguments, {"power": found.table, "levels": found.per_level, "seed": found.seed, "notes": found.notes})
    if arguments.out:
        files.write_text(arguments.out / "power.csv", found.table.assign(seed=found.seed).to_csv(index=False))
        files.write_text(
            arguments.out / "power-levels.csv", found.per_level.assign(seed=found.seed).to_csv(index=False)
        )
        for path in found.drawing.save(arguments.out):
            say(arguments, str(path))


def add_calibrate(verbs: Verbs) -> None:
    """Add ``calibrate``: error rates."""
    parser = add_verb(
        verbs,
        "calibrate",
        "do the tests keep their promises: simulated experiments without a difference",
        "rapidvision analyse calibrate --n-per-group 60 --n-experiments 2000",
    )
    parser.add_argument("--n-per-group", type=int, default=60, metavar="N", help="participants per group (60)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the table as CSV")
    _add_design_options(parser, n_experiments=2000, n_resamples=N_RELABELLINGS)
    parser.set_defaults(run=_run_calibrate)


def _run_calibrate(arguments: argparse.Namespace) -> None:
    from dataclasses import replace

    from rapidvision.system import files
    from rapidvision.system.progress import progress

    from ..sample_size.power import calibrate

    seed = seed_of(arguments)
    with progress("experiments", arguments.n_experiments, quiet=arguments.quiet) as advance:
        result = calibrate(
            replace(_design(arguments), n_per_group=arguments.n_per_group),
            n_experiments=arguments.n_experiments,
            n_resamples=arguments.n_resamples,
            alpha=arguments.alpha,
            seed=seed,
            advance=advance,
        )
    tell(str(result))
    tell_notes(result.notes)
    tell(f"alpha {result.alpha:g}, standard error of a rate {result.standard_error:.4f}")
    give(arguments, {"rates": result.to_frame(), "alpha": result.alpha, "seed": seed, "notes": result.notes})
    if arguments.out:
        files.write_text(arguments.out, result.to_frame().assign(seed=seed).to_csv(index=False))


def _design(arguments: argparse.Namespace) -> "Design":
    from ..sample_size.simulation import Design

    return Design(
        n_images=arguments.n_images,
        thresholds=(arguments.threshold, arguments.threshold),
        slope=arguments.slope,
        late_share=arguments.late_share,
    )
