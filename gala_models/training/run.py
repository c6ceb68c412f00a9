"""A whole training run from its recipe."""

from pathlib import Path

from ..data.dataset import open_store
from ..weights.card import Card
from .processes import World
from .processes import world as join_world
from .recipe import Training, read_recipe
from .train import Trainer


def train(
    recipe: Training | Path | str, out: Path | str, *, root: Path | str | None = None, progress: bool = False
) -> Card:
    """Train a network from a recipe; a run that was stopped is resumed.

    Parameters
    ----------
    recipe : Training or path-like
        What to do, or its TOML file.
    out : path-like
        The run's folder: recipe, checkpoint, metrics, and ``NAME.safetensors`` at the end.
    root : path-like, optional
        What the recipe's stores are relative to; by default the folder of the TOML file, or the current folder.
    progress : bool, default False
        Show a progress bar.

    Returns
    -------
    Card
        What the best weights are; they lie in ``out / (card.name + ".safetensors")``.

    Raises
    ------
    InputError
        When recipe and stores do not fit, or the folder holds another run.
    CheckFailed
        When the loss is not finite; the last checkpoint is sound.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from PIL import Image
    >>> import rapidvision as rv
    >>> rng = np.random.default_rng(0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for label in ("cat", "dog"):
    ...         (Path(folder) / "images" / label).mkdir(parents=True)
    ...         for number in range(2):
    ...             pixels = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    ...             Image.fromarray(pixels).save(Path(folder) / "images" / label / f"{number}.png")
    ...     _ = rv.models.pack_images(folder + "/images", folder + "/store", side_px=64)
    ...     recipe = rv.models.Training(
    ...         name="tiny",
    ...         train="store",
    ...         validation="store",
    ...         model=rv.models.Architecture(family="compact", n_classes=2),
    ...         preprocessing=rv.models.Preprocessing(size_px=64),
    ...         annotation="none",
    ...         schedule=rv.models.Schedule(epochs=1),
    ...         batch_size=2,
    ...     )
    ...     card = rv.models.train(recipe, folder + "/run", root=folder)
    ...     network = rv.models.load(folder + "/run/tiny.safetensors", targets=["cat"])
    >>> card.name, network.name
    ('tiny', 'tiny')
    """
    if not isinstance(recipe, Training):
        root = Path(recipe).parent if root is None else root
        recipe = read_recipe(recipe)
    with join_world() as here:
        return run_recipe(recipe, Path(out), base=Path(root or "."), world=here, quiet=not progress).card()


def run_recipe(recipe: Training, out: Path, *, base: Path, world: World, quiet: bool = False) -> Trainer:
    """Run a recipe whose stores lie relative to `base`, and return the finished trainer."""
    stores = world.together(
        lambda: {name: open_store(base / getattr(recipe, name)) for name in ("train", "validation")}
    )
    trainer = Trainer(recipe, out, **stores, world=world)
    trainer.run(quiet=quiet)
    return trainer
