"""``rapidvision models``: the room's verbs."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from rapidvision.cli import add_common_options, say
from rapidvision.extras import need

if TYPE_CHECKING:
    from .observe import Network

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  no public name for it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs."""
    verbs = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    _add_observe(verbs)
    _add_attend(verbs)
    _add_pack(verbs)
    _add_train(verbs)
    _add_sweep(verbs)
    _add_evaluate(verbs)
    _add_table(verbs)
    _add_train_demo(verbs)


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


def _networks(arguments: argparse.Namespace) -> "list[Network]":
    from .networks import find

    return [
        network
        for what in arguments.model
        for network in find(
            what,
            readout=getattr(arguments, "readout", None),
            architecture=arguments.architecture,
            size_px=arguments.size,
            name=arguments.name,
        )
    ]


def _add_observe(verbs: Verbs) -> None:
    parser = _verb(
        verbs,
        "observe",
        "let networks take the test of a study: same plans, same pixels, same trials table",
        "  rapidvision models observe study/ --model bundled --out study/models.csv\n"
        "  rapidvision models observe study/ --model my_lab.nets:make --readout imagenet-animal --out study/models.csv\n"
        "  rapidvision models observe study/ --model resnet50.pth --architecture resnet50 --out study/models.csv\n"
        "  rapidvision models observe study/ --model gala.safetensors --participants dropout --seed 1 --out m.csv\n"
        "  rapidvision models observe study/ --model gala.safetensors --probe layer1 layer2 layer3 layer4 "
        "--early-exit 2 200 5",
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
    parser.add_argument(
        "--probe",
        nargs="+",
        metavar="LAYER",
        help="answer through linear probes on these layers, cross-validated by picture",
    )
    parser.add_argument(
        "--early-exit",
        nargs=3,
        type=float,
        metavar=("LOG_ODDS", "BASE_MS", "MS_PER_MILLION"),
        help="answer at the first probe this sure; multiply-accumulates become response times, and late answers late",
    )
    parser.add_argument("--set", type=Path, metavar="SET", help="where the stimulus set is now")
    parser.add_argument("--batch-size", type=int, default=64, metavar="N", help="pictures at once (default: 64)")
    add_common_options(parser)
    parser.set_defaults(run=_observe)


def _observe(arguments: argparse.Namespace) -> None:
    need("torch", extra="models", purpose="a network")
    from rapidvision.errors import InputError
    from rapidvision.study import Study

    from .participants import Participants
    from .probes import EarlyExit
    from .probing import Probing
    from .sitting import sit

    if arguments.early_exit and not arguments.probe:
        raise InputError("observe: --early-exit needs --probe with the layers that may answer, in the network's order")
    probing = None
    if arguments.probe:
        early = arguments.early_exit
        exits = EarlyExit(threshold=early[0], base_ms=early[1], ms_per_million=early[2]) if early else None
        probing = Probing(layers=tuple(arguments.probe), early_exit=exits, seed=arguments.seed or 0)
    networks = _networks(arguments)
    out = arguments.out or arguments.study / "models.csv"
    sitting = sit(
        Study(arguments.study),
        networks,
        out=out,
        participants=Participants(policy=arguments.participants, seed=arguments.seed or 0),
        probing=probing,
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


def _add_attend(verbs: Verbs) -> None:
    parser = _verb(
        verbs,
        "attend",
        "write networks' attention maps of pictures, and a mosaic of overlays",
        "  rapidvision models attend --set stimuli/ --model bundled --out attention/\n"
        "  rapidvision models attend cat.png zebra.png --model gala.safetensors --out attention/",
    )
    parser.add_argument("pictures", nargs="*", type=Path, metavar="PICTURE", help="square picture files of one size")
    parser.add_argument("--set", type=Path, metavar="SET", help="the intact pictures of a stimulus set instead")
    parser.add_argument("--n", type=int, default=8, help="how many of the set's pictures, spread evenly (default: 8)")
    _add_model_options(parser, several=True)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the maps")
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_attend)


def _attend(arguments: argparse.Namespace) -> None:
    need("torch", extra="models", purpose="a network")
    from .looking import pictures_of
    from .overlay import attend

    pictures = pictures_of(arguments.pictures, stimulus_set=arguments.set, n=arguments.n)
    written = attend(_networks(arguments), pictures, arguments.out)
    say(arguments, f"{arguments.out / 'mosaic.png'} and {len(written) - 2} maps")


def _add_pack(verbs: Verbs) -> None:
    parser = _verb(
        verbs,
        "pack",
        "pack pictures, maps and labels into a store that training reads at random",
        "  rapidvision models pack train.tfrecords --out train/ --size 256 --blur box\n"
        "  rapidvision models pack pictures/ --maps clickme --out train/ --size 96\n"
        "  rapidvision models pack imagenet/train/ --map-folder clickme/ --out train/ --size 256 --blur box",
    )
    parser.add_argument(
        "source",
        nargs="+",
        type=Path,
        help="ClickMe TFRecords, a folder of .npz, a picture folder (images.csv), or a folder with a folder per class",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="STORE", help="the store's folder")
    parser.add_argument(
        "--size", type=int, default=256, metavar="PX", help="side of the stored pictures (default: 256)"
    )
    parser.add_argument(
        "--maps", default="clickme", metavar="SOURCE", help="a picture folder's maps (default: clickme)"
    )
    parser.add_argument("--map-folder", type=Path, metavar="DIR", help="maps beside class folders")
    parser.add_argument(
        "--blur",
        choices=("none", "box", "gaussian", "gala_tpu"),
        default="none",
        help="kernel of 49 px per 256; the paper's is not named, so it is yours to choose (default: none)",
    )
    parser.add_argument("--first-label", type=int, default=0, choices=(0, 1), help="1 where labels count from 1")
    parser.add_argument("--strict", action="store_true", help="stop at a map that cannot be used")
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_pack)


def _pack(arguments: argparse.Namespace) -> None:
    need("torch", extra="models", purpose="a store")
    from .packing import pack_from

    description = pack_from(
        arguments.source,
        arguments.out,
        side_px=arguments.size,
        maps=arguments.maps,
        map_folder=arguments.map_folder,
        blur=arguments.blur,
        first_label=arguments.first_label,
        strict=arguments.strict,
        quiet=arguments.quiet,
    )
    reasons = ", ".join(f"{n} {reason}" for reason, n in description.left_out.items()) or "none"
    say(
        arguments,
        f"{arguments.out}: {description.n} pictures, {description.n_maps} with a map; maps left out: {reasons}",
    )


def _add_train(verbs: Verbs) -> None:
    parser = _verb(
        verbs,
        "train",
        "train a network from a recipe; stopped runs go on where they were",
        "  rapidvision models train --example > gala.toml\n"
        "  rapidvision models train gala.toml --out runs/gala\n"
        "  torchrun --nproc-per-node 8 -m rapidvision models train gala.toml --out runs/gala",
    )
    parser.add_argument("recipe", nargs="?", type=Path, metavar="RECIPE", help="TOML")
    parser.add_argument("--out", type=Path, metavar="DIR", help="the run's folder")
    parser.add_argument(
        "--example", choices=("paper", "tpu"), nargs="?", const="paper", help="print a recipe with every key and stop"
    )
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_train)


def _train(arguments: argparse.Namespace) -> None:
    need("torch", extra="models", purpose="training")
    from rapidvision import recipes
    from rapidvision.errors import InputError

    from .processes import world
    from .recipe import PRESETS, Training
    from .train import train

    if arguments.example:
        say(arguments, recipes.dump(PRESETS[arguments.example]))
        return
    if arguments.recipe is None or arguments.out is None:
        raise InputError("train: needs a recipe and --out (or --example to print a recipe)")
    recipe = recipes.read(arguments.recipe, Training)
    with world() as here:
        trainer = train(recipe, arguments.out, base=arguments.recipe.parent, world=here, quiet=arguments.quiet)
        if here.first:
            from .figures import learning_curves

            learning_curves(trainer.progress.history, arguments.out / "curves.png")
            best = trainer.progress.best_top1_error
            say(arguments, f"{arguments.out / recipe.name}.safetensors: best validation top-1 error {best:.2f} %")


def _add_sweep(verbs: Verbs) -> None:
    parser = _verb(
        verbs,
        "sweep",
        "train over weights of the map loss and seeds, and draw Fig. 7",
        "  rapidvision models sweep gala.toml --lam 0 1 3 6 10 --seeds 5 --out sweep/",
    )
    parser.add_argument("recipe", type=Path, metavar="RECIPE", help="TOML")
    parser.add_argument(
        "--lam", type=float, nargs="+", default=[0.0, 1.0, 3.0, 6.0, 10.0], help="weights of the map loss"
    )
    parser.add_argument(
        "--seeds", type=int, default=5, metavar="N", help="networks per weight (default: 5, as in the paper)"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder")
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_sweep)


def _sweep(arguments: argparse.Namespace) -> None:
    need("torch", extra="models", purpose="training")
    from rapidvision import recipes

    from .figures import figure_7
    from .recipe import Training
    from .sweep import sweep

    recipe = recipes.read(arguments.recipe, Training)
    seeds = range(recipe.seed, recipe.seed + arguments.seeds)
    base = arguments.recipe.parent
    points = sweep(recipe, arguments.out, base=base, lams=arguments.lam, seeds=seeds, quiet=arguments.quiet)
    for kind in ("png", "pdf", "svg"):
        figure_7(points, arguments.out / f"fig7.{kind}")
    say(arguments, f"{arguments.out / 'fig7.png'}: {len(points)} networks")


def _add_evaluate(verbs: Verbs) -> None:
    parser = _verb(
        verbs,
        "evaluate",
        "top-1 and top-5 error and agreement with maps, per picture and in sum",
        "  rapidvision models evaluate gala.safetensors --store test/ --out gala.csv\n"
        "  rapidvision models evaluate gala.safetensors plain.safetensors --store test/ --seed 1 --out both.csv",
    )
    parser.add_argument(
        "model", nargs="+", type=Path, metavar="FILE", help="files of weights; the first is compared with the others"
    )
    parser.add_argument(
        "--store", type=Path, required=True, metavar="STORE", help="pictures that they were not trained on"
    )
    parser.add_argument(
        "--out", type=Path, metavar="CSV", help="a row per network and picture; a .json with the sums beside it"
    )
    add_common_options(parser)
    parser.set_defaults(run=_evaluate)


def _evaluate(arguments: argparse.Namespace) -> None:
    need("torch", extra="models", purpose="a network")
    from .comparing import compare

    result = compare(arguments.model, arguments.store, seed=arguments.seed or 0, out=arguments.out)
    say(arguments, result.text())


def _add_table(verbs: Verbs) -> None:
    parser = _verb(
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
    from . import tables
    from .networks import bundled_paths
    from .weights import read_card

    cards = [read_card(path) for path in arguments.model or bundled_paths()]
    say(arguments, f"Ours\n\n{tables.ours(cards)}\n\n{tables.paper()}")


def _add_train_demo(verbs: Verbs) -> None:
    parser = _verb(
        verbs,
        "train-demo",
        "make the bundled networks again: draw their pictures, train and measure them",
        "  rapidvision models train-demo --out networks/\n"
        "  rapidvision models train-demo --out networks/ --controls --seeds 0 1",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for pictures, runs and networks")
    parser.add_argument("--recipe", type=Path, metavar="TOML", help="another recipe than the bundled one")
    parser.add_argument("--controls", action="store_true", help="train the controls too")
    parser.add_argument("--seeds", type=int, nargs="+", metavar="SEED", help="one network of each kind per seed")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="processes (default: 2)")
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_train_demo)


def _train_demo(arguments: argparse.Namespace) -> None:
    need("torch", extra="models", purpose="training")
    from rapidvision import recipes

    from . import demo, tables

    recipe = recipes.read(arguments.recipe, demo.DemoRecipe) if arguments.recipe else demo.bundled_recipe()
    cards = demo.make(
        recipe,
        arguments.out,
        controls=arguments.controls,
        seeds=arguments.seeds,
        n_workers=arguments.workers,
        quiet=arguments.quiet,
    )
    say(arguments, tables.ours(cards))
