"""Options of training attached attention with importance maps, and what the training gives."""

from dataclasses import dataclass
from typing import Literal

from rapidvision.recipes import Recipe

from ..training.loss import MapLoss

Task = Literal["keep", "classes", "target", "none"]


class CoTraining(Recipe, frozen=True):
    """How attached attention is trained.

    Attributes
    ----------
    maps : MapLoss
        The map term of Eq. 1; λ is 1 here: the paper's 6 is for training from scratch, and a trained network has answers
        to keep.
    task : {"keep", "classes", "target", "none"}
        Beside the map term: the network's own answers (Kullback-Leibler divergence, no labels needed), cross-entropy of
        class labels, cross-entropy of "target" by a readout's evidence, or nothing.
    n_steps : int
        Adam steps.
    learning_rate : float
        It falls to 0 in a straight line.
    batch_size : int
        Images per step; drawn with replacement where there are fewer training images.
    n_task_images : int
        Of them, how many enter the task term.
    task_every : int
        The task term enters every so many steps.
    mirrored : bool
        Show half of the images mirrored, with their maps.
    backbone : {"frozen", "trained"}
        Whether the network's own parameters are trained too; its batch norm keeps its statistics in either case.
    backbone_rate : float
        The learning rate of the network's own parameters.
    cache_mb : int
        Most memory for cached values of a frozen network; above it, and where the network cannot be cut, every step runs
        the whole network.

    Examples
    --------
    >>> import rapidvision as rv
    >>> rv.models.CoTraining().maps.lam
    1.0
    """

    maps: MapLoss = MapLoss(lam=1.0)
    task: Task = "keep"
    n_steps: int = 50
    learning_rate: float = 0.01
    batch_size: int = 12
    n_task_images: int = 4
    task_every: int = 2
    mirrored: bool = True
    backbone: Literal["frozen", "trained"] = "frozen"
    backbone_rate: float = 1e-4
    cache_mb: int = 2048

    def __post_init__(self) -> None:
        if min(self.n_steps, self.batch_size, self.n_task_images, self.task_every) < 1 or self.cache_mb < 0:
            raise ValueError("n_steps, batch_size, n_task_images and task_every must be >= 1 and cache_mb >= 0")
        if not (self.learning_rate > 0 and self.backbone_rate > 0):
            raise ValueError(f"learning rates must be > 0, got {self.learning_rate} and {self.backbone_rate}")


@dataclass(frozen=True)
class CoTrained:
    """What a run of co-training did.

    Attributes
    ----------
    map_distance : tuple of float
        The map term before λ, per step.
    task_loss : tuple of float
        The task term of the steps that have one.
    n_maps : int
        Training images with a map that could be used.
    cached : bool
        Whether the part before the first attended layer ran once per image.
    note : str
        Why it did not; empty otherwise.
    """

    map_distance: tuple[float, ...]
    task_loss: tuple[float, ...]
    n_maps: int
    cached: bool
    note: str = ""
