"""Presets: a TOML file in this folder for each public data set or format."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from rapidvision import recipes
from rapidvision.errors import did_you_mean
from rapidvision.recipes import Recipe


class Preset(Recipe, frozen=True):
    """What a recipe need not say about a known data set.

    Attributes
    ----------
    title : str
        The data set, in words.
    path : str
        What a recipe's `path` is to name: a file, or a folder of the data set.
    reader, files, id, key : str
        As of a map source.
    frame : dict
        As of a map source.
    blur : str
        What the data set's authors blur points with, where that has a name; `stimuli init` writes it, a recipe never
        takes it.
    facts : tuple of str
        What is known of the layout, each with its source.
    """

    title: str
    path: str
    reader: str
    facts: tuple[str, ...]
    files: str = ""
    id: str = ""
    key: str = ""
    frame: dict[str, Any] = msgspec.field(default_factory=dict)
    blur: str = "none"


def preset_names() -> tuple[str, ...]:
    """Return the names of all presets, sorted."""
    return tuple(sorted(path.stem for path in Path(__file__).parent.glob("*.toml")))


@lru_cache
def read_preset(name: str) -> Preset:
    """Read a preset.

    Raises
    ------
    ValueError
        When there is none of that name; as msgspec wants it, which adds the place in the recipe.

    Examples
    --------
    >>> read_preset("salicon-json").reader
    'salicon-json'
    """
    if name not in preset_names():
        raise ValueError(f'preset: got "{name}". {did_you_mean(name, preset_names())}')
    return recipes.read(Path(__file__).parent / f"{name}.toml", Preset)


def described(name: str) -> dict[str, Any]:
    """Return a preset as plain values, its name first."""
    return {"name": name, **msgspec.to_builtins(read_preset(name))}
