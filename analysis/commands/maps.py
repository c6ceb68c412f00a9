"""``maps`` and ``strategy``: importance maps, and the players who made them."""

import argparse
from pathlib import Path

from rapidvision.cli import add_common_options
from rapidvision.protocol import N_RELABELLINGS

from .options import seed_of, tell, verb


def add_maps(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``maps``: reliability and agreement of maps."""
    parser = verb(
        verbs,
        "maps",
        "reliability of participants' maps (one file), or agreement of two sources",
        "rapidvision analyse maps pictures/maps/clickme pictures/maps/salicon",
    )
    parser.add_argument(
        "first", metavar="MAPS", type=Path, help="folder of IMAGE_ID.png, or .npz (participants x height x width)"
    )
    parser.add_argument("second", metavar="OTHER", type=Path, nargs="?", help="the other source")
    parser.add_argument("-m", "--relabellings", type=int, default=N_RELABELLINGS, metavar="M")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the result as JSON")
    add_common_options(parser)
    parser.set_defaults(run=_run_maps)


def _run_maps(arguments: argparse.Namespace) -> None:
    from rapidvision.map_agreement.reliability import Reliability
    from rapidvision.system import files

    from ..importance_maps.comparison import maps
    from ..reporting.html import plain

    result = maps(arguments.first, arguments.second, m=arguments.relabellings, seed=seed_of(arguments))
    low, high = result.interval
    kind = "participants' maps" if isinstance(result, Reliability) else "sources"
    tell(
        f"{len(result.images)} pictures: {kind} correlate {result.mean:.3f} (95 % {low:.3f} to {high:.3f}), "
        f"different pictures {result.null:.3f}, p = {result.p:.4g}; {result.share_below_null:.1%} of pictures below the null",
    )
    if isinstance(result, Reliability):
        tell(f"split-half {result.split_half:.3f}, Spearman-Brown {result.spearman_brown:.3f}")
        if result.n_dropped:
            tell(f"dropped {result.n_dropped} constant maps, which have no ranks")
    if arguments.out:
        files.write_json(arguments.out, plain(result))


def add_strategy(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``strategy``: did players of the ClickMe game learn what the network likes."""
    parser = verb(
        verbs,
        "strategy",
        "ClickMe players early against late: first and second half, first and second ten rounds",
        "rapidvision analyse strategy export/rounds.csv",
    )
    parser.add_argument("rounds", metavar="ROUNDS", type=Path, help="rounds.csv of a ClickMe export")
    parser.add_argument("--players", type=int, default=200, metavar="N", help="only the N with most rounds (200)")
    parser.add_argument("-m", "--flips", type=int, default=N_RELABELLINGS, metavar="M", help=f"({N_RELABELLINGS:,})")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the result as JSON")
    add_common_options(parser)
    parser.set_defaults(run=_run_strategy)


def _run_strategy(arguments: argparse.Namespace) -> None:
    from rapidvision.system import files

    from ..inference.learning import WORDS, read_wins, strategy_test
    from ..reporting.html import plain

    rounds = read_wins(arguments.rounds)
    seed = seed_of(arguments)
    results = {}
    for compare, (first, second) in WORDS.items():
        one = strategy_test(rounds, compare, most_frequent=arguments.players, m=arguments.flips, seed=seed)
        results[compare] = plain(one)
        tell(
            f"{one.n_players} players: {first} {one.early:.1%}, {second} {one.late:.1%} of rounds won, p = {one.p:.4g} "
            f"({one.n_left_out} with too few rounds left out)",
        )
    if arguments.out:
        files.write_json(arguments.out, results)
