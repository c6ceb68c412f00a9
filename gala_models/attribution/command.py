"""``rapidvision models compare-attributions``: where networks look beside where people look."""

import argparse
from pathlib import Path

from rapidvision.cli import Verbs, add_common_options, add_verb, give, say
from rapidvision.system.extras import need

from ..model_options import add_model_options, networks_of_arguments
from ..registries import ATTRIBUTIONS


def add_compare_attributions(verbs: Verbs) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "compare-attributions",
        "compare networks' attributions with human maps, image by image, beside two controls for centre bias",
        "  rapidvision models compare-attributions --store test/ --model bundled --attribution attention "
        "--attribution grad-cam --out maps.csv\n"
        "  rapidvision models compare-attributions --store test/ --model my_lab.nets:vit --attribution rollout --ceiling .81",
    )
    add_model_options(parser, several=True)
    parser.add_argument("--store", type=Path, required=True, metavar="STORE", help="images with human maps")
    parser.add_argument(
        "--attribution",
        action="append",
        choices=ATTRIBUTIONS,
        metavar="NAME",
        help="how maps are made, may be given several times: %(choices)s (default: attention)",
    )
    parser.add_argument(
        "--ceiling", type=float, metavar="RHO", help="noise ceiling of the human maps, to give scores as a share of it"
    )
    parser.add_argument(
        "--out", type=Path, metavar="CSV", help="a row per map and image; a .json with the sums beside it"
    )
    add_common_options(parser, json=True)
    parser.set_defaults(run=_compare)


def _compare(arguments: argparse.Namespace) -> None:
    need("torch", extra="models", purpose="a network")
    import numpy as np

    from ..data.dataset import open_store
    from .alignment import human_alignment

    store, seed = open_store(arguments.store), arguments.seed or 0
    human = np.where(store.has_map[:, None, None], store.maps, 0)
    found = human_alignment(
        networks_of_arguments(arguments),
        np.asarray(store.images),
        human,
        methods=arguments.attribution or ("attention",),
        names=store.ids,
        ceiling=arguments.ceiling,
    )
    if arguments.out is not None:
        found.write(arguments.out, seed=seed, inputs={"store": store.description.digest})
    say(arguments, found.text(seed=seed))
    if found.n_left_out:
        say(arguments, f"{found.n_left_out} images without a human map were left out")
    give(arguments, found.summary(seed=seed))
