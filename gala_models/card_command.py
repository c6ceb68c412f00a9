"""``rapidvision models card``: cards of timm's, torchvision's and Hugging Face's networks, and of those that come with a package."""

import argparse
from pathlib import Path

from rapidvision.cli import Verbs, add_common_options, add_verb, say


def add_card(verbs: Verbs) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "card",
        "write the card of a network: how it is loaded, what images it expects, what its outputs mean",
        "  rapidvision models card zoo --out cards/\n"
        "  rapidvision models card timm:vit_small_patch16_224 --checkpoint vit.safetensors --out cards/vit.toml\n"
        "  rapidvision models card torchvision:convnext_tiny --checkpoint convnext.pth --whole --out cards/convnext.toml\n"
        "  rapidvision models observe study/ --cards cards/*.toml --out study/models.csv",
    )
    parser.add_argument(
        "source",
        metavar="NETWORK",
        help="zoo: the three EfficientNet-Lites of the extra zoo; timm:NAME, torchvision:NAME or torchvision:NAME@WEIGHTS, "
        "huggingface:FOLDER, onnx:FILE",
    )
    parser.add_argument("--checkpoint", type=Path, metavar="FILE", help="weights of a timm or torchvision network")
    parser.add_argument("--card-name", metavar="NAME", help="its id in tables (default: the source's name)")
    parser.add_argument(
        "--whole",
        action="store_true",
        help="see the whole of a square stimulus, not the centre that the network's own evaluation cuts out",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="CARD", help="the card, or a folder for those of zoo"
    )
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_card)


def _card(arguments: argparse.Namespace) -> None:
    from rapidvision.errors import InputError
    from rapidvision.system.extras import need

    need("torch", extra="models", purpose="a network")
    from .cards.conversion import card_of, write_card
    from .cards.zoo import write_zoo

    if arguments.source == "zoo":
        if arguments.checkpoint or arguments.card_name or arguments.whole:
            raise InputError("card zoo: its cards are complete; leave out --checkpoint, --card-name and --whole")
        for path in write_zoo(arguments.out):
            say(arguments, str(path))
        return
    card = card_of(
        arguments.source, name=arguments.card_name or "", checkpoint=arguments.checkpoint, whole=arguments.whole
    )
    write_card(card, arguments.out)
    say(arguments, f"{arguments.out}: {card.name}, {card.preprocessing}")
