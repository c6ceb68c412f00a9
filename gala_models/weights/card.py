"""The card in a file of weights: what the network is, how it was trained, and what was measured on it."""

from pathlib import Path
from typing import Any

import msgspec

from rapidvision import recipes
from rapidvision.errors import InputError
from rapidvision.plugins.source import PluginSource
from rapidvision.recipes import Recipe
from rapidvision.system import json_text

from ..layers.architecture import Architecture
from ..preprocessing import Preprocessing
from ..registries import ARCHITECTURES

CARD_VERSION = 1
#: Key of the card in the head of a safetensors file.
KEY = "rapidvision"


class Category(Recipe, frozen=True, kw_only=True):
    """One class of a network: its name, and whether it is a target of the task."""

    name: str
    target: bool


class Card(Recipe, frozen=True, kw_only=True):
    """Description of a file of weights, stored in its header.

    Attributes
    ----------
    card_version : int
        Version of this form.
    name : str
        The network's id in trials tables.
    architecture : Architecture
        Enough to build it.
    preprocessing : Preprocessing
        What it expects.
    categories : tuple of Category
        Its classes in order; empty where they are ImageNet's.
    recipe : dict
        The resolved training recipe.
    results : dict
        What was measured on images it was not trained on.
    plugins : tuple of PluginSource
        The plug-in that built it; absent where the architecture is built in.

    Examples
    --------
    >>> import rapidvision as rv
    >>> from rapidvision.gala_models.observer.networks import bundled_paths
    >>> _, card = rv.models.load_model(bundled_paths()[0])
    >>> card.name, card.preprocessing.size_px, len(card.categories)
    ('compact-gala-maps', 88, 8)
    """

    card_version: int = CARD_VERSION
    name: str
    architecture: Architecture
    preprocessing: Preprocessing = Preprocessing()
    categories: tuple[Category, ...] = ()
    recipe: dict[str, Any] = msgspec.field(default_factory=dict)
    results: dict[str, Any] = msgspec.field(default_factory=dict)
    plugins: tuple[PluginSource, ...] | msgspec.UnsetType = msgspec.UNSET


def read_card(path: Path | str) -> Card:
    """Read the card in the head of one of our files.

    Parameters
    ----------
    path : path-like
        ``.safetensors``.

    Returns
    -------
    Card
        What the network is.

    Raises
    ------
    InputError
        When the file is missing, damaged or has no card, or the plug-in that built the network was not imported.

    Examples
    --------
    >>> from rapidvision.gala_models.observer.networks import bundled_paths
    >>> read_card(bundled_paths()[0]).preprocessing.size_px
    88
    """
    from safetensors import SafetensorError, safe_open

    if not Path(path).is_file():
        raise InputError(f"{path}: no such file")
    try:
        with safe_open(str(path), framework="numpy") as file:
            metadata = file.metadata() or {}
    except SafetensorError as error:
        raise InputError(
            f"{path}: not a safetensors file ({error}); name the architecture to load a checkpoint"
        ) from error
    if KEY not in metadata:
        raise InputError(f"{path}: safetensors without a RapidVision card; name the architecture to load it")
    raw = json_text.loads(metadata[KEY], name=f"{path}: card")
    for one in msgspec.convert(raw.get("plugins", []), list[PluginSource]):
        if one.name not in ARCHITECTURES:
            raise InputError(
                f"{path}: made with the {one}, which is not known here; import it with --plugin {one.module}"
            )
    return recipes.convert(raw, Card, name=f"{path}: card")
