"""``rapidvision models``: the room's verbs."""

import argparse
from pathlib import Path
from typing import TypeAlias

from rapidvision.cli import add_common_options, say
from rapidvision.extras import need

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  no public name for it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs."""
    verbs = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    _add_observe(verbs)


def _verb(verbs: Verbs, name: str, summary: str, examples: str) -> argparse.ArgumentParser:
    return verbs.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:],
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_model_options(parser: argparse.ArgumentParser, *, several: bool) -> None:
    parser.add_argument(
        "--model",
        action="append" if several else "store",
        required=True,
        metavar="bundled|FILE|MODULE:FUNCTION",
        help="the bundled networks, a file of weights, or a function that returns a torch.nn.Module"
        + ("; may be given several times" if several else ""),
    )
    parser.add_argument("--architecture", metavar="NAME", help="for a checkpoint without a card: resnet50, …")
    parser.add_argument("--size", type=int, metavar="PX", help="side of the input of such a network (default: 224)")
    parser.add_argument("--name", help="the network's id in tables (default: the file's or function's name)")


def _add_observe(verbs: Verbs) -> None:
    parser = _verb(
        verbs,
        "observe",
        "let networks take the test of a study: same plans, same pixels, same trials table",
        "  rapidvision models observe study/ --model bundled --out study/models.csv\n"
        "  rapidvision models observe study/ --model my_lab.nets:make --readout imagenet-animal --out study/models.csv\n"
        "  rapidvision models observe study/ --model resnet50.pth --architecture resnet50 --out study/models.csv\n"
        "  rapidvision models observe study/ --model gala.safetensors --participants dropout --seed 1 --out m.csv",
    )
    parser.add_argument("study", type=Path, metavar="STUDY", help="study folder, from `rapidvision session plan`")
    _add_model_options(parser, several=True)
    parser.add_argument("--out", type=Path, metavar="CSV", help="trials table to write (default: STUDY/models.csv)")
    parser.add_argument(
        "--readout", metavar="NAME", help="imagenet-animal, imagenet-categories, binary (default: its own)"
    )
    parser.add_argument(
        "--participants",
        choices=("replay", "dropout", "seeds", "stochastic"),
        default="replay",
        help="what counts as a participant (default: replay, one per plan and without noise)",
    )
    parser.add_argument("--set", type=Path, metavar="SET", help="where the stimulus set is now")
    parser.add_argument("--batch-size", type=int, default=64, metavar="N", help="pictures at once (default: 64)")
    add_common_options(parser)
    parser.set_defaults(run=_observe)


def _observe(arguments: argparse.Namespace) -> None:
    need("torch", extra="models", purpose="a network")
    from rapidvision.study import Study

    from .networks import find
    from .participants import Participants
    from .sitting import sit

    networks = [
        network
        for what in arguments.model
        for network in find(
            what,
            readout=arguments.readout,
            architecture=arguments.architecture,
            size_px=arguments.size,
            name=arguments.name,
        )
    ]
    out = arguments.out or arguments.study / "models.csv"
    sitting = sit(
        Study(arguments.study),
        networks,
        out=out,
        participants=Participants(policy=arguments.participants, seed=arguments.seed or 0),
        stimulus_set=arguments.set,
        batch_size=arguments.batch_size,
        quiet=arguments.quiet,
    )
    for (name, group), (highest, intact) in sitting.accuracies().items():
        say(arguments, f"{name:<24} {group:<12} {highest:.0%} correct at 100 % of the features, {intact:.0%} intact")
    say(
        arguments,
        f"{out}: {len(sitting.records)} trials, {sitting.n_participants} participants ({arguments.participants}), "
        f"{sitting.n_stimuli} stimuli seen once each, in {sitting.seconds:.1f} s",
    )
