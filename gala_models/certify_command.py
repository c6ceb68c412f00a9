"""``rapidvision models certify``: whether a network finds the category where nothing is revealed yet."""

import argparse
from pathlib import Path

from rapidvision.cli import Verbs, add_common_options, add_verb, give, say
from rapidvision.system.extras import need

from .model_options import add_model_options, networks_of_arguments


def add_certify(verbs: Verbs) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "certify",
        "test what networks' features and evidence tell of the category at the lowest level of a stimulus set",
        "  rapidvision models certify set/ --model bundled\n"
        "  rapidvision models certify set/ --model my_lab.nets:make --readout imagenet-animal --json",
    )
    parser.add_argument("set", type=Path, metavar="SET", help="a stimulus set")
    add_model_options(parser, several=True)
    add_common_options(parser, json=True)
    parser.set_defaults(run=_certify)


def _certify(arguments: argparse.Namespace) -> int:
    need("torch", extra="models", purpose="a network")
    import msgspec

    from .evaluation.certify import certify

    certificate = certify(networks_of_arguments(arguments), arguments.set, seed=arguments.seed)
    for sentence in certificate.sentences:
        say(arguments, sentence)
    give(arguments, {"flagged": certificate.flagged, **msgspec.to_builtins(certificate)})
    return 0
