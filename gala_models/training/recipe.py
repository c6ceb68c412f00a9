"""The training recipe: every number of a training run, with the paper's as defaults."""

from math import inf
from pathlib import Path
from typing import Any, Literal

import msgspec

from rapidvision import recipes
from rapidvision.recipes import Recipe
from rapidvision.system import files

from ..computing.device import Precision
from ..data.targets import Annotation
from ..layers.architecture import Architecture
from ..layers.architecture import named as architecture_named
from ..preprocessing import Preprocessing
from .loss import MapLoss
from .loss import preset as loss_preset


class Schedule(Recipe, frozen=True):
    """Learning rate over time, by epochs.

    Attributes
    ----------
    learning_rate : float
        At the start. The paper is silent; 0.1 per 256 images is the usual rule, and the one of the authors' code.
    epochs : int
        Passes over the training images.
    milestones : tuple of int
        After these epochs the rate is multiplied by `decay`.
    decay : float
        1/10 in the paper.
    warmup_epochs : float
        Linear rise from 0; 5 in the authors' code, none in the paper.

    Examples
    --------
    >>> import rapidvision as rv
    >>> rate = rv.models.Schedule(learning_rate=1.0, warmup_epochs=1)
    >>> [round(rate.at(step, steps_per_epoch=10), 6) for step in (0, 9, 10, 299, 300, 600, 899, 900)]
    [0.1, 1.0, 1.0, 1.0, 0.1, 0.01, 0.001, 0.0001]
    """

    learning_rate: float = 0.0125
    epochs: int = 100
    milestones: tuple[int, ...] = (30, 60, 80, 90)
    decay: float = 0.1
    warmup_epochs: float = 0.0

    def __post_init__(self) -> None:
        if not (self.learning_rate > 0 and self.epochs >= 1 and 0 < self.decay <= 1 and self.warmup_epochs >= 0):
            raise ValueError("learning_rate and epochs must be > 0, decay in (0, 1], warmup_epochs >= 0")
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError(f"milestones must rise, got {list(self.milestones)}")

    def at(self, step: int, *, steps_per_epoch: int) -> float:
        """Learning rate of a step, counted from 0."""
        epoch = step // steps_per_epoch
        rate = self.learning_rate * self.decay ** sum(epoch >= milestone for milestone in self.milestones)
        warmup_steps = self.warmup_epochs * steps_per_epoch
        return rate * min(1.0, (step + 1) / warmup_steps) if warmup_steps else rate


class Training(Recipe, frozen=True):
    """A training run. The defaults are the paper's run on the ClickMe subset (appendix "GALA-ResNet-50 training").

    Attributes
    ----------
    name : str
        The network's id.
    seed : int
        First weights, order and augmentation follow from it.
    train, validation : str
        Stores, from `rapidvision models pack-dataset`; relative to the recipe.
    model : Architecture
        `n_classes` must fit the store.
    preprocessing : Preprocessing
        Cuts of `size_px` from the store's larger images.
    annotation : {"maps", "boxes", "shuffled", "none"}
        What supervises: importance maps, rectangles around them, other images' maps, nothing.
    surround : float
        Share of training images shown as a patch on their own phase-scrambled surround, 0 … 1, as in the test. The
        paper trained on intact images.
    clutter : int
        Fragments of other images that are pasted onto each of the others, off the high places of its map; 0 in the
        paper. Validation images get them too.
    scatter : bool
        Whether images are moved around their borders, so that objects lie anywhere. The paper has no such thing.
        Validation images are moved too.
    supervise : {"attention", "features"}
        What is supervised; ``features`` is the paper's control "ResNet-50 w/ ClickMe".
    map_loss : MapLoss
        λ and the switches of Eq. 1.
    schedule : Schedule
        See there.
    batch_size, n_accumulate : int
        Images per step over all processes, and in how many parts they are computed.
    momentum, weight_decay : float
        SGD with Nesterov momentum. The paper gives neither number; these are the authors' code's.
    precision : {"float32", "bf16", "fp16"}
        Of products and convolutions; the maps that are supervised and the loss are float32 all the same. With fp16 the
        loss is scaled, and a step whose gradients overflow is left out and counted.
    compile : bool
        Use torch.compile where it works.
    no_weight_decay : tuple of {"attention", "norm"}
        Whose parameters are exempt from weight decay: attention modules' (as in the authors' code), norms'.
    batch_norm_momentum : float
        Share of the newest batch in batch norm's running statistics; the authors' code has .003 (its "momentum" is .997).
    clip_norm : float
        Largest norm of the gradient; longer ones are shortened to it. 0 for no limit.
    watch_gradients : bool
        Write the gradient's norm beside the losses, and stop at one that is not finite.
    ema : float
        Decay of averaged weights, which are then validated and kept instead of the last ones; 0 for none. The average
        starts short: after n steps the decay is at most n / (n + 9).
    freeze_batch_norm : bool
        Keep batch norm's statistics as they are (per process they differ by nature).
    n_workers : int
        Threads that prepare batches.
    tensorboard : bool
        Write the metrics for TensorBoard too, by PyTorch's own writer, into ``OUT/tensorboard``.
    checkpoint_steps : int
        Steps between checkpoints besides the one after every epoch; 0 for none.
    plugins : tuple of str
        Modules that register the architecture, imported before the recipe is read.

    Examples
    --------
    >>> import rapidvision as rv
    >>> recipe = rv.models.Training(name="mine", annotation="none", batch_size=64)
    >>> recipe.schedule.epochs, recipe.map_loss.lam
    (100, 6.0)
    """

    name: str = "network"
    seed: int = 0
    train: str = "train"
    validation: str = "validation"
    model: Architecture = Architecture(attention="gala")
    preprocessing: Preprocessing = Preprocessing()
    annotation: Annotation = "maps"
    surround: float = 0.0
    clutter: int = 0
    scatter: bool = False
    supervise: Literal["attention", "features"] = "attention"
    map_loss: MapLoss = MapLoss()
    schedule: Schedule = Schedule()
    batch_size: int = 32
    n_accumulate: int = 1
    momentum: float = 0.9
    weight_decay: float = 1e-4
    precision: Precision = "float32"
    compile: bool = False
    no_weight_decay: tuple[Literal["attention", "norm"], ...] = ()
    batch_norm_momentum: float = 0.1
    clip_norm: float = 0.0
    watch_gradients: bool = False
    ema: float = 0.0
    freeze_batch_norm: bool = False
    n_workers: int = 1
    tensorboard: bool = False
    checkpoint_steps: int = 0
    plugins: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        if self.batch_size < 1 or self.n_accumulate < 1 or self.batch_size % self.n_accumulate:
            raise ValueError(
                f"batch_size must be a multiple of n_accumulate, got {self.batch_size}, {self.n_accumulate}"
            )
        if self.supervised and self.supervise == "attention" and self.model.attention == "none":
            raise ValueError(
                'a network without attention can only be supervised with supervise = "features"; '
                'or set model.attention = "gala", or annotation = "none"'
            )
        if self.map_loss.reduction == "supervised" and self.n_accumulate > 1:
            raise ValueError('map_loss.reduction "supervised" cannot be accumulated; use "batch"')
        if self.seed < 0 or self.n_workers < 0 or self.checkpoint_steps < 0 or not 0 <= self.momentum < 1:
            raise ValueError("seed, n_workers and checkpoint_steps must be >= 0, momentum in [0, 1)")
        if not 0 <= self.surround <= 1:
            raise ValueError(f"surround must lie in 0 … 1, got {self.surround}")
        if not 0 < self.batch_norm_momentum <= 1 or not 0 <= self.ema < 1 or not 0 <= self.clip_norm < inf:
            raise ValueError(
                "batch_norm_momentum must lie in (0, 1], ema in [0, 1), clip_norm must be >= 0 and finite, got "
                f"{self.batch_norm_momentum}, {self.ema}, {self.clip_norm}"
            )
        if self.clutter < 0:
            raise ValueError(f"clutter must be >= 0, got {self.clutter}")

    @property
    def harder(self) -> dict[str, Any]:
        """What makes images harder in training and in evaluation alike."""
        return {"clutter": self.clutter, "scatter": self.scatter}

    @property
    def digest(self) -> str:
        """Hash of everything that decides the result: threads, checkpoints, logs and names of modules do not."""
        decisive = msgspec.structs.replace(
            self, n_workers=0, checkpoint_steps=0, tensorboard=False, plugins=msgspec.UNSET
        )
        return files.canonical_digest(decisive)

    @property
    def supervised(self) -> bool:
        """Whether maps enter the loss."""
        return self.annotation != "none" and self.map_loss.lam > 0


_TPU = Training(
    batch_size=1024,
    map_loss=loss_preset("gala_tpu"),
    schedule=Schedule(learning_rate=0.4, epochs=160, milestones=(30, 60, 80), warmup_epochs=5.0),
    precision="bf16",
)
#: The paper's two settings, ClickMe subset on GPUs and ILSVRC12 on TPUs (the paper's network with the loss, schedule and
#: batch of the authors' code); and that code as a whole, with its network, its batch norm and its weight decay.
PRESETS = {
    "paper": Training(),
    "tpu": _TPU,
    "gala_tpu": msgspec.structs.replace(
        _TPU,
        model=architecture_named("gala-tpu-resnet50"),
        no_weight_decay=("attention", "norm"),
        batch_norm_momentum=0.003,
    ),
}


def read_recipe(path: Path | str) -> Training:
    """Read a training recipe, after the plug-in modules that it names.

    Raises
    ------
    RecipeError
        As :func:`rapidvision.recipes.read`.
    InputError
        When a plug-in module is not found or cannot be imported.
    """
    recipes.import_plugins_of(path)
    return recipes.read(path, Training)
