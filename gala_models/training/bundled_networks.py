"""The bundled networks: their recipe, and the functions that make them again from nothing."""

from collections.abc import Sequence
from concurrent.futures import as_completed
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import msgspec
import torch

from rapidvision import recipes
from rapidvision.commands.demo import draw_images
from rapidvision.errors import InputError
from rapidvision.formats import image_folder
from rapidvision.recipes import Recipe
from rapidvision.system import files
from rapidvision.system.pools import pool_of
from rapidvision.system.progress import progress

from ..data.dataset import Store, open_store, pack
from ..data.folders import images_in_folder
from ..data.targets import Annotation
from ..evaluation.evaluate import evaluate
from ..weights.card import Card, read_card
from ..weights.load import load_model, save_model
from .recipe import Training
from .train import Trainer

SETS = ("train", "validation", "test")


class Images(Recipe, frozen=True):
    """Which images `rapidvision demo render` draws.

    Attributes
    ----------
    size_px : int
        Their side.
    maps : str
        Whose maps supervise.
    n_train, n_validation, n_test : int
        How many.
    seed_train, seed_validation, seed_test : int
        Different ones.
    """

    size_px: int = 96
    maps: str = "clickme"
    n_train: int = 3000
    n_validation: int = 400
    n_test: int = 640
    seed_train: int = 7
    seed_validation: int = 8
    seed_test: int = 9

    def __post_init__(self) -> None:
        seeds = (self.seed_train, self.seed_validation, self.seed_test)
        if len(set(seeds)) < len(seeds):
            raise ValueError(f"the three seeds must differ, got {list(seeds)}")


class Variant(Recipe, frozen=True, kw_only=True):
    """One network: what differs from the shared training recipe."""

    name: str
    attention: Literal["none", "se", "gala"]
    annotation: Annotation


class DemoRecipe(Recipe, frozen=True):
    """``recipe.toml`` of the bundled networks.

    Attributes
    ----------
    images : Images
        Drawn first.
    training : Training
        Shared by all networks.
    networks : tuple of Variant
        Those that are bundled.
    controls : tuple of Variant
        Trained and measured only when asked for.
    """

    images: Images = Images()
    training: Training = Training()
    networks: tuple[Variant, ...] = ()
    controls: tuple[Variant, ...] = ()

    def of(self, variant: Variant, *, seed: int | None = None) -> Training:
        """The training recipe of one network."""
        training = self.training
        model = msgspec.structs.replace(training.model, attention=variant.attention)
        return msgspec.structs.replace(
            training,
            name=variant.name,
            model=model,
            annotation=variant.annotation,
            seed=training.seed if seed is None else seed,
        )


#: Recipes that come with RapidVision: the bundled networks', and the test of what maps add.
RECIPES = {"bundled": "recipe.toml", "few-images": "few-images.toml"}


def bundled_recipe(name: str = "bundled") -> DemoRecipe:
    """Read one of :data:`RECIPES`."""
    path = Path(str(resources.files("rapidvision.gala_models") / "bundled" / RECIPES[name]))
    return recipes.read(path, DemoRecipe)


def named_recipe(what: str) -> DemoRecipe:
    """Read a recipe of ours by its name, or anybody's by its path."""
    return bundled_recipe(what) if what in RECIPES else recipes.read(Path(what), DemoRecipe)


def draw_training_images(recipe: Images, out: Path, *, n_workers: int, quiet: bool) -> dict[str, Store]:
    """Draw and pack the three sets of images; those that are there already are kept."""
    stores = {}
    for name in SETS:
        store = out / "stores" / name
        if not (store / "store.json").is_file():
            folder = out / "images" / name
            n, seed = getattr(recipe, f"n_{name}"), getattr(recipe, f"seed_{name}")
            if not (folder / image_folder.TABLE).is_file():
                draw_images(
                    folder,
                    n=n,
                    side_px=recipe.size_px,
                    seed=seed,
                    map_sources=[recipe.maps],
                    n_workers=n_workers,
                    quiet=quiet,
                )
            source = images_in_folder(folder, maps=recipe.maps)
            with progress(f"packing {name}", source.n, quiet=quiet) as advance:
                pack(
                    source,
                    store,
                    n=source.n,
                    side_px=recipe.size_px,
                    categories=source.categories,
                    strict=True,
                    provenance=files.provenance("models train-demo", seed=seed),
                    advance=advance,
                )
        stores[name] = open_store(store)
    return stores


def build_networks(
    recipe: DemoRecipe,
    out: Path,
    *,
    controls: bool = False,
    seeds: Sequence[int] | None = None,
    n_workers: int = 2,
    quiet: bool = False,
) -> list[Card]:
    """Draw the images, train every network, measure it on the test images, and write it as float16.

    Parameters
    ----------
    recipe : DemoRecipe
        Usually :func:`bundled_recipe`.
    out : Path
        ``images/``, ``stores/``, ``runs/`` and ``networks/`` go here; what is done already is not done again.
    controls : bool, default False
        Train the recipe's controls too.
    seeds : sequence of int, optional
        Train every network from each of these; the recipe's own by default. Only its own seed's network is named plainly.
    n_workers : int, default 2
        Processes, one network and one thread each. The bytes do not depend on it.
    quiet : bool, default False
        No progress.

    Returns
    -------
    list of Card
        With the test results, in the order of the recipe.
    """
    if n_workers < 1:
        raise InputError(f"workers: got {n_workers}, at least 1 is needed")
    draw_training_images(recipe.images, out, n_workers=n_workers, quiet=quiet)
    variants = [*recipe.networks, *(recipe.controls if controls else ())]
    trainings = [recipe.of(variant, seed=seed) for seed in seeds or (recipe.training.seed,) for variant in variants]
    paths = [out / "networks" / f"{_label(recipe, one)}.safetensors" for one in trainings]
    todo = [(one, path) for one, path in zip(trainings, paths, strict=True) if not path.is_file()]
    with (
        progress("networks", len(todo), quiet=quiet) as advance,
        pool_of(min(n_workers, max(1, len(todo)))) as pool,
    ):
        for future in as_completed([pool.submit(_make_one, one, out, path) for one, path in todo]):
            future.result()
            advance(1)
    return [read_card(path) for path in paths]


def _label(recipe: DemoRecipe, training: Training) -> str:
    return training.name if training.seed == recipe.training.seed else f"{training.name}-seed{training.seed}"


def _make_one(training: Training, out: Path, path: Path) -> None:
    """Train one network in this process, on one thread."""
    torch.set_num_threads(1)
    stores = {name: open_store(out / "stores" / name) for name in SETS}
    run = out / "runs" / path.stem
    trainer = Trainer(training, run, train=stores["train"], validation=stores["validation"])
    trainer.run()
    finish_network(run / f"{training.name}.safetensors", path, stores["test"])


def finish_network(trained: Path, path: Path, test: Store) -> Card:
    """Store a trained network as float16, with the results of exactly these weights on the test images."""
    model, card = load_model(trained)
    half = trained.with_name("float16.safetensors")  # a file without results must not look like a finished one
    save_model(half, model, card, dtype="float16")
    model, card = load_model(half)
    results: dict[str, Any] = {**card.results, "test": evaluate(model, test, card.preprocessing).summary()}
    training = recipes.convert(card.recipe, Training, name=f"{trained}: recipe")
    if any(training.harder.values()):
        results["test_cluttered"] = evaluate(model, test, card.preprocessing, **training.harder).summary()
    card = msgspec.structs.replace(card, name=path.stem, results=results)
    save_model(path, model, card, dtype="float16")
    return card
