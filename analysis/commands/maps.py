"""``maps`` and ``strategy``: importance maps, and the players who made them."""

import argparse
from pathlib import Path

from rapidvision.cli import Verbs, add_common_options, add_verb, give
from rapidvision.protocol import N_RELABELLINGS

from .options import seed_of, tell, tell_notes


def add_maps(verbs: Verbs) -> None:
    """Add ``maps``: reliability and agreement of maps."""
    parser = add_verb(
        verbs,
        "maps",
        "reliability of participants' maps (one file), or agreement of two sources",
        "rapidvision analyse maps images/maps/clickme images/maps/salicon",
    )
    parser.add_argument(
        "first",
        metavar="MAPS",
        type=Path,
        help="folder of maps named after their images (IMAGE_ID.png), or .npz (participants x height x width)",
    )
    parser.add_argument("second", metavar="OTHER", type=Path, nargs="?", help="the other source")
    parser.add_argument(
        "--n-resamples", type=int, default=N_RELABELLINGS, metavar="N", help=f"relabellings ({N_RELABELLINGS:,})"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the result as JSON")
    add_common_options(parser, json=True)
    parser.set_defaults(run=_run_maps)


def _run_maps(arguments: argparse.Namespace) -> None:
    from rapidvision.map_agreement.reliability import Reliability
    from rapidvision.system import files
    from rapidvision.text.json_values import plain

    from ..importance_maps.comparison import maps

    result = maps(arguments.first, arguments.second, n_resamples=arguments.n_resamples, seed=seed_of(arguments))
    low, high = result.interval
    kind = "participants' maps" if isinstance(result, Reliability) else "sources"
    tell(
        f"{len(result.images)} images: {kind} correlate {result.mean:.3f} (95 % {low:.3f} to {high:.3f}), "
        f"different images {result.null:.3f}, p = {result.p:.4g}; {result.share_below_null:.1%} of images below the null",
    )
    if isinstance(result, Reliability):
        tell(f"split-half {result.split_half:.3f}, Spearman-Brown {result.spearman_brown:.3f}")
        if result.n_dropped:
            tell(f"dropped {result.n_dropped} constant maps, which have no ranks")
    tell_notes(result.notes)
    give(arguments, plain(result))
    if arguments.out:
        files.write_json(arguments.out, plain(result))


def add_strategy(verbs: Verbs) -> None:
    """Add ``strategy``: did players of the ClickMe game learn what the network likes."""
    parser = add_verb(
        verbs,
        "strategy",
        "ClickMe players early against late: first and second half, first and second ten rounds",
        "rapidvision analyse strategy export/rounds.csv",
    )
    parser.add_argument("rounds", metavar="ROUNDS", type=Path, help="rounds.csv of a ClickMe export")
    parser.add_argument("--n-players", type=int, default=200, metavar="N", help="only the N with most rounds (200)")
    parser.add_argument(
        "--n-resamples", type=int, default=N_RELABELLINGS, metavar="N", help=f"sign flips ({N_RELABELLINGS:,})"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the result as JSON")
    add_common_options(parser, json=True)
    parser.set_defaults(run=_run_strategy)


def _run_strategy(arguments: argparse.Namespace) -> None:
    from rapidvision.system import files
    from rapidvision.text.json_values import plain

    from ..inference.learning import WORDS, read_wins, strategy_test

    rounds = read_wins(arguments.rounds)
    seed = seed_of(arguments)
    results = {}
    for compare, (first, second) in WORDS.items():
        one = strategy_test(
            rounds, compare, most_frequent=arguments.n_players, n_resamples=arguments.n_resamples, seed=seed
        )
        results[compare] = plain(one)
        tell(
            f"{one.n_players} players: {first} {one.early:.1%}, {second} {one.late:.1%} of rounds won, p = {one.p:.4g} "
            f"({one.n_left_out} with too few rounds left out)",
        )
    give(arguments, {**results, "seed": seed})
    if arguments.out:
        files.write_json(arguments.out, results)
