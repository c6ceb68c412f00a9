"""The verbs that make networks and their files: ``pack-dataset``, ``train``, ``sweep``, ``train-demo`` and ``export-onnx``."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rapidvision.cli import Verbs, add_common_options, add_plugin_option, add_verb, list_names, say
from rapidvision.system.extras import need

from .model_options import add_computing_options, architecture_names
from .registries import ARCHITECTURES

if TYPE_CHECKING:
    from .training.recipe import Training


def add_verbs(verbs: Verbs) -> None:
    """Add the five verbs."""
    _add_pack_dataset(verbs)
    _add_train(verbs)
    _add_sweep(verbs)
    _add_train_demo(verbs)
    _add_export(verbs)


def _add_pack_dataset(verbs: Verbs) -> None:
    parser = add_verb(
        verbs,
        "pack-dataset",
        "pack images, maps and labels into a store that training reads at random",
        "  rapidvision models pack-dataset train.tfrecords --out train/ --size 256 --blur paper\n"
        "  rapidvision models pack-dataset images/ --map-source clickme --out train/ --size 96\n"
        "  rapidvision models pack-dataset imagenet/train/ --map-folder clickme/ --out train/ --size 256 --blur paper\n"
        "  rapidvision models pack-dataset shards/*.tar --map-fit centre --workers 8 --skip-bad --out train/",
    )
    parser.add_argument(
        "source",
        metavar="SOURCE",
        nargs="+",
        type=Path,
        help="ClickMe TFRecords, WebDataset tars, a folder of .npz, an image folder (images.csv), or a folder with a folder per class",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="STORE", help="the store's folder")
    parser.add_argument("--size", type=int, default=256, metavar="PX", help="side of the stored images (default: 256)")
    parser.add_argument(
        "--map-source", default="clickme", metavar="SOURCE", help="an image folder's maps (default: clickme)"
    )
    parser.add_argument("--map-folder", type=Path, metavar="DIR", help="maps beside class folders")
    parser.add_argument(
        "--blur",
        default="none",
        metavar="BLUR",
        help="none, paper (49 x 49 box), gala_tpu, gauss:SIGMA, disc:RADIUS in pixels of an image of 256, in proportion "
        "for others; the paper names no kernel, so it is yours to choose (default: none)",
    )
    parser.add_argument("--first-label", type=int, default=0, choices=(0, 1), help="1 where labels count from 1")
    parser.add_argument("--strict", action="store_true", help="stop at a map that cannot be used")
    parser.add_argument(
        "--skip-bad",
        action="store_true",
        help="leave out images and maps that cannot be read and list them in skipped.csv (default: stop at the first)",
    )
    parser.add_argument(
        "--map-fit",
        choices=("same", "resized", "centre"),
        default="same",
        help="what maps show: their image at its own size, the whole image at another size, or the square centre of the "
        "image at another size (default: same)",
    )
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default: 1)")
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_pack_dataset)


def _pack_dataset(arguments: argparse.Namespace) -> None:
    need("torch", extra="models", purpose="a store")
    from .data.packing import pack_images

    description = pack_images(
        arguments.source,
        arguments.out,
        side_px=arguments.size,
        maps=arguments.map_source,
        map_folder=arguments.map_folder,
        blur=arguments.blur,
        first_label=arguments.first_label,
        strict=arguments.strict,
        skip_bad=arguments.skip_bad,
        map_fit=arguments.map_fit,
        n_workers=arguments.workers,
        quiet=arguments.quiet,
    )
    reasons = ", ".join(f"{n} {reason}" for reason, n in description.left_out.items()) or "none"
    say(
        arguments,
        f"{arguments.out}: {description.n} images, {description.n_maps} with a map; maps left out: {reasons}",
    )
    if description.ignored:
        say(arguments, f"not read: {', '.join(f'{n} {what}' for what, n in description.ignored.items())}")
    if description.n_skipped:
        say(arguments, f"{description.n_skipped} could not be read and were skipped: {arguments.out / 'skipped.csv'}")


def _changed(recipe: "Training", arguments: argparse.Namespace) -> "Training":
    """Return the recipe with the seed and the precision of the command line, where they are given."""
    import msgspec

    given = {"seed": arguments.seed, "precision": arguments.precision}
    return msgspec.structs.replace(recipe, **{name: value for name, value in given.items() if value is not None})


def _add_train(verbs: Verbs) -> None:
    parser = add_verb(
        verbs,
        "train",
        "train a network from a recipe; stopped runs resume",
        "  rapidvision models train --example > gala.toml\n"
        "  rapidvision models train gala.toml --out runs/gala\n"
        "  torchrun --nproc-per-node 8 -m rapidvision models train gala.toml --out runs/gala",
    )
    parser.add_argument("recipe", nargs="?", type=Path, metavar="RECIPE", help="TOML")
    parser.add_argument("--out", type=Path, metavar="DIR", help="the run's folder")
    parser.add_argument(
        "--example",
        choices=("paper", "tpu", "gala_tpu"),
        nargs="?",
        const="paper",
        help="print a recipe with every key and stop",
    )
    add_plugin_option(parser)
    list_names(parser, {"model.family": ARCHITECTURES})
    add_computing_options(parser, device="auto", precision="the recipe's")
    add_common_options(parser)
    parser.set_defaults(run=_train)


def _train(arguments: argparse.Namespace) -> None:
    need("torch", extra="models", purpose="training")
    from rapidvision import recipes
    from rapidvision.errors import InputError

    from .training.processes import world
    from .training.recipe import PRESETS, read_recipe
    from .training.run import run_recipe

    if arguments.example:
        say(arguments, recipes.dump(PRESETS[arguments.example]))
        return
    if arguments.recipe is None or arguments.out is None:
        raise InputError("train: needs a recipe and --out (or --example to print a recipe)")
    recipe = _changed(read_recipe(arguments.recipe), arguments)
    with world(arguments.device or "auto") as here:
        trainer = run_recipe(recipe, arguments.out, base=arguments.recipe.parent, world=here, quiet=arguments.quiet)
        if here.first:
            from .figures import learning_curves

            learning_curves(trainer.progress.history, arguments.out / "curves.png")
            best = trainer.progress.best_top1_error
            say(arguments, f"{arguments.out / recipe.name}.safetensors: best validation top-1 error {best:.2f} %")


def _add_sweep(verbs: Verbs) -> None:
    parser = add_verb(
        verbs,
        "sweep",
        "train over weights of the map loss and seeds, and draw Fig. 7",
        "  rapidvision models sweep gala.toml --lam 0 1 3 6 10 --n-seeds 5 --out sweep/",
    )
    parser.add_argument("recipe", type=Path, metavar="RECIPE", help="TOML")
    parser.add_argument(
        "--lam",
        type=float,
        nargs="+",
        metavar="LAMBDA",
        default=[0.0, 1.0, 3.0, 6.0, 10.0],
        help="weights of the map loss",
    )
    parser.add_argument(
        "--n-seeds", type=int, default=5, metavar="N", help="networks per weight (default: 5, as in the paper)"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder")
    add_plugin_option(parser)
    list_names(parser, {"model.family": ARCHITECTURES})
    add_computing_options(parser, device="auto", precision="the recipe's")
    add_common_options(parser)
    parser.set_defaults(run=_sweep)


def _sweep(arguments: argparse.Namespace) -> None:
    need("torch", extra="models", purpose="training")
    from .figures import figure_7
    from .training.processes import world
    from .training.recipe import read_recipe
    from .training.sweep import sweep

    recipe = _changed(read_recipe(arguments.recipe), arguments)
    seeds = range(recipe.seed, recipe.seed + arguments.n_seeds)
    base = arguments.recipe.parent
    with world(arguments.device or "auto") as here:
        points = sweep(
            recipe, arguments.out, base=base, lams=arguments.lam, seeds=seeds, world=here, quiet=arguments.quiet
        )
    for kind in ("png", "pdf", "svg"):
        figure_7(points, arguments.out / f"fig7.{kind}")
    say(arguments, f"{arguments.out / 'fig7.png'}: {len(points)} networks")


def _add_train_demo(verbs: Verbs) -> None:
    parser = add_verb(
        verbs,
        "train-demo",
        "make the bundled networks again: draw their images, train and measure them",
        "  rapidvision models train-demo --out networks/\n"
        "  rapidvision models train-demo --out networks/ --controls --seeds 0 1\n"
        "  rapidvision models train-demo --recipe few-images --controls --seeds 0 1 --out few/",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for images, runs and networks")
    parser.add_argument(
        "--recipe",
        default="bundled",
        metavar="RECIPE",
        help='"bundled", "few-images" (the test of what maps add), or a file (default: bundled)',
    )
    parser.add_argument("--controls", action="store_true", help="train the controls too")
    parser.add_argument("--seeds", type=int, nargs="+", metavar="SEED", help="one network of each kind per seed")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="processes (default: 2)")
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_train_demo)


def _train_demo(arguments: argparse.Namespace) -> None:
    need("torch", extra="models", purpose="training")
    from .evaluation import paper_tables
    from .training import bundled_networks

    recipe = bundled_networks.named_recipe(arguments.recipe)
    cards = bundled_networks.build_networks(
        recipe,
        arguments.out,
        controls=arguments.controls,
        seeds=arguments.seeds,
        n_workers=arguments.workers,
        quiet=arguments.quiet,
    )
    say(arguments, paper_tables.ours(cards))


def _add_export(verbs: Verbs) -> None:
    parser = add_verb(
        verbs,
        "export-onnx",
        "write a network as one ONNX file, bytes of images in and probabilities out",
        "  rapidvision models export-onnx gala.safetensors --out gala.onnx\n"
        "  rapidvision models export-onnx resnet50.pth --architecture resnet50 --class-names names.txt --out resnet50.onnx\n"
        "  rapidvision clickme serve images/ --out game/ --partner gala.onnx",
    )
    parser.add_argument("model", type=Path, metavar="FILE", help="a file of weights")
    parser.add_argument("--out", type=Path, required=True, metavar="ONNX", help="the new file")
    parser.add_argument("--architecture", metavar="NAME", help="for a checkpoint without a card")
    add_plugin_option(parser)
    list_names(parser, {"--architecture": architecture_names})
    parser.add_argument("--size", type=int, default=224, metavar="PX", help="side of its input (default: %(default)s)")
    parser.add_argument(
        "--resize",
        type=int,
        default=0,
        metavar="PX",
        help="shorter side before the centre is cut out (default: --size)",
    )
    parser.add_argument("--class-names", type=Path, metavar="FILE", help="names of its classes in order, one per line")
    parser.add_argument(
        "--image-px", type=int, default=256, metavar="PX", help="side of the images that come in (default: 256)"
    )
    add_computing_options(parser, device="cpu", precision="float32")
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_export)


def _export(arguments: argparse.Namespace) -> None:
    need("torch", extra="models", purpose="a network")
    from .computing.device import Device
    from .onnx_export import export_file

    n_classes = export_file(
        arguments.model,
        arguments.out,
        architecture=arguments.architecture,
        size_px=arguments.size,
        resize_px=arguments.resize,
        names=arguments.class_names,
        image_px=arguments.image_px,
        device=Device.named(arguments.device or "cpu", precision=arguments.precision or "float32"),
    )
    say(arguments, f"{arguments.out}: {n_classes} classes, images of {arguments.image_px} px")
