"""``rapidvision models``: the verbs that use networks."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rapidvision.cli import Verbs, add_common_options, add_plugin_option, add_verb, give, list_names, say
from rapidvision.system.extras import need

from .answers.class_lists import CLASS_LISTS
from .registries import ATTRIBUTIONS, NETWORKS, READOUTS
from .training_commands import add_verbs, architecture_names

if TYPE_CHECKING:
    import torch

    from .observer.observe import Network


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_observe(verbs)
    _add_attention_maps(verbs)
    _add_evaluate(verbs)
    _add_table(verbs)
    add_verbs(verbs)


def _add_model_options(parser: argparse.ArgumentParser, *, several: bool) -> None:
    parser.add_argument(
        "--model",
        action="append" if several else "store",
        required=True,
        metavar="bundled|FILE|NAME|MODULE:FUNCTION",
        help="the bundled networks, a file of weights, a registered network, or a function that returns a torch.nn.Module"
        + ("; may be given several times" if several else ""),
    )
    parser.add_argument("--architecture", metavar="NAME", help="for a checkpoint without a card")
    parser.add_argument("--size", type=int, metavar="PX", help="side of the input of such a network (default: 224)")
    parser.add_argument(
        "--resize",
        type=int,
        metavar="PX",
        help="what the shorter side is brought to before the centre of --size is cut out "
        "(default: --size, so that the whole of a square image is seen)",
    )
    parser.add_argument(
        "--name",
        action="append",
        metavar="NAME",
        help="the network's id in tables, once per --model (default: the file's or function's name)",
    )
    parser.add_argument("--readout", choices=READOUTS, metavar="NAME", help="%(choices)s (default: its own)")
    add_plugin_option(parser)
    list_names(parser, {"--model": NETWORKS, "--architecture": architecture_names})
    _add_device_option(parser)


def _add_device_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", metavar="DEVICE", help="cpu, cuda, cuda:1, mps (default: cpu)")


def _device(arguments: argparse.Namespace) -> "torch.device | None":
    from .devices import device_named

    return device_named(arguments.device) if arguments.device else None


def _networks(arguments: argparse.Namespace) -> "list[Network]":
    from rapidvision.errors import InputError

    from .observer.networks import find_networks

    names = arguments.name or [None] * len(arguments.model)
    if len(names) != len(arguments.model) or (arguments.name and "bundled" in arguments.model):
        raise InputError(
            f"--name: {len(names)} given for {len(arguments.model)} --model ({', '.join(arguments.model)}); give it once per "
            "--model, in their order, or not at all; the bundled networks have names of their own"
        )
    device = _device(arguments)
    return [
        network
        for what, name in zip(arguments.model, names, strict=True)
        for network in find_networks(
            what,
            readout=getattr(arguments, "readout", None),
            architecture=arguments.architecture,
            size_px=arguments.size,
            resize_px=arguments.resize,
            name=name,
            targets=getattr(arguments, "target_classes", None) or (),
            class_list=getattr(arguments, "class_list", None) or "",
            device=device,
        )
    ]


def _add_observe(verbs: Verbs) -> None:
    parser = add_verb(
        verbs,
        "observe",
        "run networks on a study: same plans, same pixels, same trials table",
        "  rapidvision models observe study/ --model bundled --out study/models.csv\n"
        "  rapidvision models observe study/ --model my_lab.nets:make --readout imagenet-animal --out study/models.csv\n"
        "  rapidvision models observe study/ --model resnet50.pth --architecture resnet50 --out study/models.csv\n"
        "  rapidvision models observe study/ --model gala.safetensors --participant-policy dropout --seed 1 --out m.csv\n"
        "  rapidvision models observe study/ --model gala.safetensors --probe layer1 layer2 layer3 layer4 "
        "--early-exit 2 200 5",
    )
    parser.add_argument("study", type=Path, metavar="STUDY", help="study folder, from `rapidvision session plan`")
    _add_model_options(parser, several=True)
    parser.add_argument("--out", type=Path, metavar="CSV", help="trials table to write (default: STUDY/models.csv)")
    parser.add_argument(
        "--target-classes",
        nargs="+",
        metavar="CLASS",
        help="target classes of a network whose card does not say which they are, as after training on class folders",
    )
    parser.add_argument(
        "--class-list",
        choices=[one.name for one in CLASS_LISTS],
        help="in tasks about categories: which of ImageNet's 1,000 classes a category is made of (default: the first list "
        "that has them all; networks with named classes need none)",
    )
    parser.add_argument(
        "--participant-policy",
        choices=("replay", "dropout", "seeds", "stochastic"),
        default="replay",
        help="what counts as a participant (default: replay, one per plan and without noise)",
    )
    parser.add_argument(
        "--probe",
        nargs="+",
        metavar="LAYER[=LAYOUT]",
        help="answer through linear probes on these layers, cross-validated by image; the layout (channels-first, "
        "channels-last, tokens, patch-tokens, patch-tokens-2, class-token) is declared where it is not certain",
    )
    parser.add_argument(
        "--early-exit",
        nargs=3,
        type=float,
        metavar=("LOG_ODDS", "BASE_MS", "MS_PER_MILLION"),
        help="stop at the first probe whose absolute log odds exceed this; multiply-accumulates become response times, and late answers late",
    )
    parser.add_argument("--set", type=Path, metavar="SET", help="where the stimulus set is now")
    parser.add_argument("--batch-size", type=int, default=64, metavar="N", help="images at once (default: 64)")
    add_common_options(parser, json=True)
    parser.set_defaults(run=_observe)


def _observe(arguments: argparse.Namespace) -> None:
    need("torch", extra="models", purpose="a network")
    from rapidvision.errors import InputError
    from rapidvision.study import Study

    from .answers.participants import Participants
    from .observer.probe_observer import Probing
    from .observer.probes import EarlyExit
    from .observer.study_run import run_study

    if arguments.early_exit and not arguments.probe:
        raise InputError("observe: --early-exit needs --probe with the layers that may answer, in the network's order")
    probing = None
    if arguments.probe:
        early = arguments.early_exit
        exits = EarlyExit(threshold=early[0], base_ms=early[1], ms_per_million=early[2]) if early else None
        probing = Probing.of_words(arguments.probe, early_exit=exits, seed=arguments.seed or 0)
    networks = _networks(arguments)
    out = arguments.out or arguments.study / "models.csv"
    study_run = run_study(
        Study(arguments.study),
        networks,
        out=out,
        participants=Participants(policy=arguments.participant_policy, seed=arguments.seed or 0),
        probing=probing,
        stimulus_set=arguments.set,
        batch_size=arguments.batch_size,
        quiet=arguments.quiet,
    )
    give(
        arguments,
        {
            "out": out,
            "n_trials": len(study_run.records),
            "accuracy": [
                {"model": name, "group": group, "correct": shares}
                for (name, group), shares in study_run.accuracies().items()
            ],
        },
    )
    for (name, group), shares in study_run.accuracies().items():
        words = ", ".join(f"{share:.0%} at level {label}" for label, share in shares.items())
        say(arguments, f"{name:<24} {group:<12} correct: {words}")
    say(
        arguments,
        f"{out}: {len(study_run.records)} trials, {study_run.n_participants} participants ({arguments.participant_policy}), "
        f"{study_run.n_stimuli} stimuli seen once each, in {study_run.seconds:.1f} s",
    )


def _add_attention_maps(verbs: Verbs) -> None:
    parser = add_verb(
        verbs,
        "attention-maps",
        "write networks' attention maps of images, and a mosaic of overlays",
        "  rapidvision models attention-maps --set stimuli/ --model bundled --out attention/\n"
        "  rapidvision models attention-maps cat.png zebra.png --model gala.safetensors --out attention/",
    )
    parser.add_argument("images", nargs="*", type=Path, metavar="IMAGE", help="square image files of one size")
    parser.add_argument("--set", type=Path, metavar="SET", help="the intact images of a stimulus set instead")
    parser.add_argument(
        "--n-images",
        type=int,
        default=8,
        metavar="N",
        help="how many of the set's images, spread evenly (default: 8)",
    )
    parser.add_argument(
        "--attribution",
        choices=ATTRIBUTIONS,
        default="attention",
        metavar="NAME",
        help="how maps are made: %(choices)s (default: attention)",
    )
    _add_model_options(parser, several=True)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the maps")
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_attention_maps)


def _attention_maps(arguments: argparse.Namespace) -> None:
    need("torch", extra="models", purpose="a network")
    from .observer.images import images_of
    from .observer.overlay import write_attention_maps

    images = images_of(arguments.images, stimulus_set=arguments.set, n=arguments.n_images)
    written = write_attention_maps(_networks(arguments), images, arguments.out, attribution=arguments.attribution)
    say(arguments, f"{arguments.out / 'mosaic.png'} and {len(written) - 2} maps")


def _add_evaluate(verbs: Verbs) -> None:
    parser = add_verb(
        verbs,
        "evaluate",
        "top-1 and top-5 error and agreement with maps, per image and in sum",
        "  rapidvision models evaluate gala.safetensors --store test/ --out gala.csv\n"
        "  rapidvision models evaluate gala.safetensors plain.safetensors --store test/ --seed 1 --out both.csv",
    )
    parser.add_argument(
        "model", nargs="+", type=Path, metavar="FILE", help="files of weights; the first is compared with the others"
    )
    parser.add_argument(
        "--store", type=Path, required=True, metavar="STORE", help="images that they were not trained on"
    )
    parser.add_argument(
        "--out", type=Path, metavar="CSV", help="a row per network and image; a .json with the sums beside it"
    )
    _add_device_option(parser)
    add_common_options(parser, json=True)
    parser.set_defaults(run=_evaluate)


def _evaluate(arguments: argparse.Namespace) -> None:
    need("torch", extra="models", purpose="a network")
    from .evaluation.compare_models import compare

    device = _device(arguments)
    result = compare(arguments.model, arguments.store, seed=arguments.seed or 0, out=arguments.out, device=device)
    say(arguments, result.text())
    give(arguments, result.summary())


def _add_table(verbs: Verbs) -> None:
    parser = add_verb(
        verbs,
        "table",
        "our networks' results beside the paper's Tables 1 to 4, and what was not reproduced",
        "  rapidvision models table\n  rapidvision models table runs/*/*.safetensors > tables.md",
    )
    parser.add_argument(
        "model", nargs="*", type=Path, metavar="FILE", help="files of weights (default: the bundled ones)"
    )
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_table)


def _table(arguments: argparse.Namespace) -> None:
    need("torch", extra="models", purpose="a network")
    from .evaluation import paper_tables
    from .observer.networks import bundled_paths
    from .weights.card import read_card

    cards = [read_card(path) for path in arguments.model or bundled_paths()]
    say(arguments, f"Ours\n\n{paper_tables.ours(cards)}\n\n{paper_tables.paper()}")
