"""``model.toml``: where a network comes from, what images it expects, and what its outputs mean."""

from pathlib import Path
from typing import Any, Literal

import msgspec

from rapidvision import recipes
from rapidvision.errors import InputError
from rapidvision.recipes import Recipe
from rapidvision.text import csv_text

from ..preprocessing import Preprocessing

Kind = Literal["function", "timm", "torchvision", "huggingface", "onnx", "architecture"]


class Loader(Recipe, frozen=True, kw_only=True):
    """How a network is made.

    Attributes
    ----------
    kind : {"function", "timm", "torchvision", "huggingface", "onnx", "architecture"}
        ``function`` calls ``module:function``; ``timm`` and ``torchvision`` build a network of that name;
        ``huggingface`` reads a folder with ``config.json``; ``onnx`` an ONNX file; ``architecture`` builds a network of
        :data:`rapidvision.gala_models.NETWORKS`.
    target : str
        The function, the network's name, the folder or the file.
    checkpoint : str
        Its weights; a path relative to the card. Empty where `target` brings them.
    ema : bool
        Take the averaged weights of a checkpoint that holds both.
    seed : int or None
        Of fresh weights, for a network without a checkpoint; otherwise a checkpoint is needed.
    options : dict
        Further arguments of the function, or of timm's and torchvision's builders.
    returns : {"logits", "probabilities"}
        What an ONNX file puts out.
    """

    kind: Kind
    target: str
    checkpoint: str = ""
    ema: bool = False
    seed: int | None = None
    options: dict[str, Any] = msgspec.field(default_factory=dict)
    returns: Literal["logits", "probabilities"] = "logits"


class Classes(Recipe, frozen=True, kw_only=True):
    """What the outputs stand for.

    Attributes
    ----------
    n : int
        How many there are; 0 where it is not stated.
    names : tuple of str
        In the order of the outputs; empty for ImageNet's 1,000 in their usual order.
    file : str
        A text file with a name per line instead; a path relative to the card.
    targets : tuple of str
        Which of the named classes are targets.
    source : str
        Where the list comes from, in words.
    """

    n: int = 0
    names: tuple[str, ...] = ()
    file: str = ""
    targets: tuple[str, ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        if self.names and self.file:
            raise ValueError("classes: give names or file, not both")


class ModelCard(Recipe, frozen=True, kw_only=True):
    """A network by its card.

    Attributes
    ----------
    model_card : int
        Version of this form.
    name : str
        The network's id in trials tables.
    loader : Loader
        How it is made.
    preprocessing : Preprocessing
        Size, crop, mean, standard deviation, interpolation and channel order.
    classes : Classes
        What its outputs stand for.
    readout : str
        How scores become evidence for target; empty: its own named classes, or ``imagenet-animal``.
    class_list : str
        In tasks about categories: which of 1,000 classes a category is made of.
    weights_sha256 : str
        SHA-256 of the checkpoint, or of the ONNX file; another file is refused. Empty where it is not stated.
    note : str
        Anything for the reader.

    Examples
    --------
    >>> import rapidvision as rv
    >>> card = rv.models.ModelCard(
    ...     name="mine", loader=rv.models.Loader(kind="function", target="my_nets:make"), readout="binary"
    ... )
    >>> card.preprocessing.size_px
    224
    """

    model_card: int = 1
    name: str
    loader: Loader
    preprocessing: Preprocessing = Preprocessing()
    classes: Classes = Classes()
    readout: str = ""
    class_list: str = ""
    weights_sha256: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if self.model_card != 1:
            raise ValueError(f"model_card: version {self.model_card}; this RapidVision reads 1")


def read_model_card(path: Path | str) -> ModelCard:
    """Read a card.

    Parameters
    ----------
    path : path-like
        ``.toml``.

    Returns
    -------
    ModelCard

    Raises
    ------
    RecipeError
        When a key is unknown or a value does not fit; names the file, the key and the remedy.

    Examples
    --------
    >>> import tempfile
    >>> import rapidvision as rv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = rv.models.write_zoo(folder)[0]
    ...     rv.models.read_model_card(path).name
    'efficientnet-lite0'
    """
    return recipes.read(path, ModelCard)


def class_names(card: ModelCard, folder: Path) -> tuple[str, ...]:
    """Return a card's class names; empty for ImageNet's.

    Raises
    ------
    InputError
        When names occur twice, or are not as many as stated.
    """
    found = card.classes.names
    if card.classes.file:
        found = tuple(line for line in csv_text.read_text(folder / card.classes.file).splitlines() if line)
    if len(set(found)) < len(found):
        twice = next(name for name in found if found.count(name) > 1)
        raise InputError(f'{card.name}: classes: "{twice}" stands twice; every class needs a name of its own')
    if found and card.classes.n not in (0, len(found)):
        raise InputError(f"{card.name}: classes: {len(found)} names for n = {card.classes.n}")
    return found
