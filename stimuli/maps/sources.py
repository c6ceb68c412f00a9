"""The map sources of a recipe, opened."""

from pathlib import Path
from typing import NamedTuple

from rapidvision.numerics.blur import Blur, parse

from ..recipe import StimulusRecipe
from .readers import MapReader, open_source


class Sources(NamedTuple):
    """The map sources of a recipe, opened: name → reader, and name → blur, in the recipe's order."""

    readers: dict[str, MapReader]
    blurs: dict[str, Blur]

    def lacking(self, image_id: str) -> str:
        """Return the first source that has no map of an image; empty if all have one."""
        return next((name for name, reader in self.readers.items() if not reader.has(image_id)), "")


def sources_of(recipe: StimulusRecipe, root: Path) -> Sources:
    """Open the map sources of a recipe and read its blurs.

    Raises
    ------
    InputError
        Names the file, row or option that cannot be used.
    """
    blurs = {one.source: parse(one.blur, screen=recipe.screen) for one in recipe.maps}
    return Sources({one.source: open_source(one, root) for one in recipe.maps}, blurs)
