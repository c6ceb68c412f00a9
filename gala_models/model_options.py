"""The options by which every verb names its networks, and the networks that they mean."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rapidvision.cli import add_plugin_option, list_names

from .registries import NETWORKS, READOUTS

if TYPE_CHECKING:
    from .computing.device import Device
    from .observer.observe import Network


def architecture_names() -> tuple[str, ...]:
    """Return what ``--architecture`` takes; called when a help is shown."""
    from .layers import architecture

    return architecture.architecture_names()


def add_computing_options(parser: argparse.ArgumentParser, *, device: str, precision: str) -> None:
    """Add ``--device`` and ``--precision``; `device` and `precision` say what stands without them."""
    parser.add_argument(
        "--device",
        metavar="DEVICE",
        help=f"cpu, cuda, cuda:1, mps, or auto, a GPU where there is one (default: {device})",
    )
    parser.add_argument(
        "--precision",
        choices=("float32", "bf16", "fp16"),
        help=f"numbers of products and convolutions; weights, norms and losses stay float32 (default: {precision})",
    )


def add_model_options(parser: argparse.ArgumentParser, *, several: bool) -> None:
    """Add the options that say which network is meant."""
    parser.add_argument(
        "--model",
        action="append" if several else "store",
        required=not several,
        default=[] if several else None,
        metavar="bundled|FILE|NAME|MODULE:FUNCTION",
        help="the bundled networks, a file of weights, a model card, a registered network, or a function that returns a torch.nn.Module"
        + ("; may be given several times" if several else ""),
    )
    if several:
        parser.add_argument(
            "--cards",
            nargs="+",
            type=Path,
            default=[],
            metavar="CARD",
            help="model cards (.toml, see `models card`), beside or instead of --model",
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
    add_device_option(parser)


def add_device_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--device`` and ``--precision``."""
    add_computing_options(parser, device="cpu", precision="float32")


def device_of_arguments(arguments: argparse.Namespace) -> "Device":
    """Return the device and the precision that were named."""
    from .computing.device import Device

    return Device.named(arguments.device or "cpu", precision=arguments.precision or "float32")


def networks_of_arguments(arguments: argparse.Namespace) -> "list[Network]":
    """Load the networks that were named; InputError says which option does not fit, or what cannot be loaded."""
    return [network for load in loads_of_arguments(arguments) for network in load()]


def loads_of_arguments(arguments: argparse.Namespace) -> "list[Load]":
    """Return a function per ``--model`` and card that loads what it names, so that one that fails does not cost the others."""
    from rapidvision.errors import InputError

    from .observer.networks import find_networks

    several = isinstance(arguments.model, list)
    models = arguments.model if several else [arguments.model]
    cards = [str(path) for path in arguments.cards] if several else []
    if not models and not cards:
        raise InputError("no network: give --model or --cards")
    names = arguments.name or [None] * len(models)
    if len(names) != len(models) or (arguments.name and "bundled" in models):
        raise InputError(
            f"--name: {len(names)} given for {len(models)} --model ({', '.join(models)}); give it once per "
            "--model, in their order, or not at all; the bundled networks and cards have names of their own"
        )
    device = device_of_arguments(arguments)
    shared: dict[str, Any] = {
        "readout": getattr(arguments, "readout", None),
        "targets": getattr(arguments, "target_classes", None) or (),
        "class_list": getattr(arguments, "class_list", None) or "",
        "device": device,
    }
    own: dict[str, Any] = {
        "architecture": arguments.architecture,
        "size_px": arguments.size,
        "resize_px": arguments.resize,
    }
    return [
        *(
            Load(what, partial(find_networks, what, name=name, **shared, **own))
            for what, name in zip(models, names, strict=True)
        ),
        *(Load(card, partial(find_networks, card, **shared)) for card in cards),
    ]


@dataclass(frozen=True, slots=True)
class Load:
    """What names networks, and the function that loads them."""

    what: str
    make: "Callable[[], list[Network]]"

    def __call__(self) -> "list[Network]":
        """Load them."""
        return self.make()


def loaded(loads: "Sequence[Load]") -> "tuple[list[Network], dict[str, str]]":
    """Load networks one by one; return them, and why others could not be loaded. One that is alone is refused outright."""
    from rapidvision.errors import RapidVisionError

    networks, failed = [], {}
    for load in loads:
        try:
            networks += load()
        except RapidVisionError as error:
            if len(loads) == 1:
                raise
            failed[load.what] = str(error)
    return networks, failed
