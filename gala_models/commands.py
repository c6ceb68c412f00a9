"""``rapidvision models``: the verbs that use networks."""

import argparse
import sys
from pathlib import Path

from rapidvision.cli import Verbs, add_common_options, add_verb, give, say
from rapidvision.system.extras import need

from .answers.class_lists import CLASS_LISTS
from .attached.command import add_attach
from .attribution.command import add_compare_attributions
from .card_command import add_card
from .certify_command import add_certify
from .model_options import (
    add_device_option,
    add_model_options,
    device_of_arguments,
    loaded,
    loads_of_arguments,
    networks_of_arguments,
)
from .registries import ATTRIBUTIONS
from .training_commands import add_verbs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_observe(verbs)
    _add_attention_maps(verbs)
    _add_evaluate(verbs)
    add_attach(verbs)
    add_compare_attributions(verbs)
    add_certify(verbs)
    add_card(verbs)
    _add_table(verbs)
    add_verbs(verbs)


def _add_observe(verbs: Verbs) -> None:
    parser = add_verb(
        verbs,
        "observe",
        "run networks on a study: same plans, same pixels, same trials table",
        "  rapidvision models observe study/ --model bundled --out study/models.csv\n"
        "  rapidvision models observe study/ --model my_lab.nets:make --readout imagenet-animal --out study/models.csv\n"
        "  rapidvision models observe study/ --model resnet50.pth --architecture resnet50 --out study/models.csv\n"
        "  rapidvision models observe study/ --cards cards/*.toml --cache cache/ --device auto --out study/models.csv\n"
        "  rapidvision models observe study/ --model gala.safetensors --participant-policy dropout --seed 1 --out m.csv\n"
        "  rapidvision models observe study/ --model gala.safetensors --probe layer1 layer2 layer3 layer4 "
        "--early-exit 2 200 5",
    )
    parser.add_argument("study", type=Path, metavar="STUDY", help="study folder, from `rapidvision session plan`")
    add_model_options(parser, several=True)
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
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="keep class scores there, by network and stimulus; a second run, or one that was stopped, computes the rest only",
    )
    add_common_options(parser, json=True)
    parser.set_defaults(run=_observe)


def _observe(arguments: argparse.Namespace) -> int:
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
    networks, failed = loaded(loads_of_arguments(arguments))
    out = arguments.out or arguments.study / "models.csv"
    study_run = run_study(
        Study(arguments.study),
        networks,
        out=out,
        participants=Participants(policy=arguments.participant_policy, seed=arguments.seed or 0),
        probing=probing,
        stimulus_set=arguments.set,
        batch_size=arguments.batch_size,
        cache=arguments.cache,
        failed=failed,
        quiet=arguments.quiet,
    )
    give(
        arguments,
        {
            "out": out,
            "n_trials": len(study_run.records),
            "failed": study_run.failed,
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
    for name, why in study_run.failed.items():
        print(f"no results of {name}: {why}", file=sys.stderr)  # noqa: T201
    return 1 if study_run.failed else 0


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
    add_model_options(parser, several=True)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the maps")
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_attention_maps)


def _attention_maps(arguments: argparse.Namespace) -> None:
    need("torch", extra="models", purpose="a network")
    from .observer.images import images_of
    from .observer.overlay import write_attention_maps

    images = images_of(arguments.images, stimulus_set=arguments.set, n=arguments.n_images)
    written = write_attention_maps(
        networks_of_arguments(arguments), images, arguments.out, attribution=arguments.attribution
    )
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
    add_device_option(parser)
    add_common_options(parser, json=True)
    parser.set_defaults(run=_evaluate)


def _evaluate(arguments: argparse.Namespace) -> None:
    need("torch", extra="models", purpose="a network")
    from .evaluation.compare_models import compare

    device = device_of_arguments(arguments)
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
