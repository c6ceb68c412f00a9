"""``rapidvision models attach``: attention put into a network that exists, trained with importance maps."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rapidvision.cli import Verbs, add_common_options, add_verb, give, say
from rapidvision.system.extras import need

from ..model_options import add_model_options, networks_of_arguments

if TYPE_CHECKING:
    from ..observer.observe import Network
    from .training_options import CoTraining

GATES = ("gain", "rezero", "level", "small")


def add_attach(verbs: Verbs) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "attach",
        "put GALA modules behind layers of a network and train them with importance maps",
        "  rapidvision models attach --model my_lab.nets:lite0 --layers _blocks.14 --store train/ --out attention.safetensors\n"
        "  rapidvision models attach --model my_lab.nets:vit --layers blocks.6 blocks.9 --store train/ --held-out test/ "
        "--recipe cotraining.toml --out attention.safetensors",
    )
    add_model_options(parser, several=True)
    parser.add_argument("--layers", nargs="+", required=True, metavar="LAYER", help="names as in model.named_modules()")
    parser.add_argument(
        "--gate",
        choices=GATES,
        default="gain",
        help="how attention scales a layer: gain is exact at the start, small changes answers least (default: gain)",
    )
    parser.add_argument("--store", type=Path, required=True, metavar="STORE", help="images and maps to train on")
    parser.add_argument(
        "--held-out", type=Path, metavar="DIR", help="a store of other images, to measure maps and answers on"
    )
    parser.add_argument(
        "--recipe", metavar="RECIPE", help="TOML with settings of the training (default: those of CoTraining)"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the attached weights and their card")
    add_common_options(parser, json=True)
    parser.set_defaults(run=_attach)


def _attach(arguments: argparse.Namespace) -> None:
    need("torch", extra="models", purpose="a network")
    from rapidvision import recipes
    from rapidvision.errors import InputError

    from .training_options import CoTraining

    if len(arguments.model) != 1:
        raise InputError(f"attach: {len(arguments.model)} networks; give one --model")
    options = recipes.read(arguments.recipe, CoTraining) if arguments.recipe else CoTraining()
    networks = networks_of_arguments(arguments)
    if len(networks) != 1:
        raise InputError(f"attach: {arguments.model[0]} are {len(networks)} networks; name one of them")
    _run(arguments, networks[0], options)


def _run(arguments: argparse.Namespace, network: "Network", options: "CoTraining") -> None:
    import torch

    from rapidvision.system.progress import progress

    from .cotrain import cotrain
    from .hooks import attach
    from .measures import measured
    from .state import save_attached
    from .stores import read

    seed = arguments.seed or 0
    data = read(arguments.store, network)
    held_out = read(arguments.held_out, network) if arguments.held_out else None
    evidence = None
    if options.task == "target":
        with torch.no_grad():
            network.readout.check(network.model(data.images[:1]).shape[1], network=network.name)
        evidence = network.readout.evidence
    attach(network.model, arguments.layers, data.images[:64], form=arguments.gate, seed=seed)
    labels = data.targets if options.task == "target" else data.labels
    with progress("steps", options.n_steps, quiet=arguments.quiet) as advance:
        done = cotrain(
            network.model,
            data.images,
            data.maps,
            options=options,
            labels=labels,
            evidence=evidence,
            seed=seed,
            advance=advance,
        )
    results = measured(network.model, held_out.images, held_out.maps) if held_out is not None else {}
    save_attached(arguments.out, network.model, name=network.name, recipe=options, results=results)
    say(arguments, f"{arguments.out}: {', '.join(arguments.layers)} of {network.name}, {done.n_maps} maps")
    if done.note:
        say(arguments, f"trained without a cache: {done.note}")
    for layer, numbers in results.items():
        text = ", ".join(f"{key} {value:.3f}".removesuffix(".000") for key, value in numbers.items())
        say(arguments, f"held out, {layer}: {text}")
    give(
        arguments,
        {
            "out": arguments.out,
            "n_maps": done.n_maps,
            "cached": done.cached,
            "map_distance": [done.map_distance[0], done.map_distance[-1]] if done.map_distance else [],
            "held_out": results,
        },
    )
