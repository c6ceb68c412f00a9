"""``masks.csv``: the masks of a stimulus set, by family; the stimulus builder writes it and the planner reads it."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from rapidvision.text.typed_table import TypedTable

MASKS = "masks.csv"
#: Kinds of masks that a build adds by their name alone; a recipe's `[[masks]]` has more settings, and `files`.
KINDS = ("phase-scrambled", "noise", "checkerboard")


class MaskImage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One mask.

    Attributes
    ----------
    family : str
        What a protocol's `mask` names: ``phase-scrambled``, ``noise``, ``checkerboard`` or a name of the user's.
    image_id : str or None
        The image that it was made from; None for masks that belong to no image.
    path : str
        File within the set, with forward slashes.
    sha256 : str
        Hash of that file.
    """

    family: str
    image_id: str | None
    path: str
    sha256: str


TABLE = TypedTable(MaskImage, version=1, what="the masks of a stimulus set", remedy="build the set again")


def write_masks(folder: Path | str, masks: Iterable[MaskImage]) -> None:
    """Write ``masks.csv`` into a set's folder, in order of family and path."""
    TABLE.write(Path(folder) / MASKS, sorted(masks, key=lambda mask: (mask.family, mask.path)))


def read_masks(folder: Path | str) -> dict[str, tuple[MaskImage, ...]]:
    """Read the masks of a set: family -> masks in the order of the file; empty where the set has none."""
    path = Path(folder) / MASKS
    found: dict[str, list[MaskImage]] = {}
    for mask in TABLE.read(path) if path.is_file() else ():
        found.setdefault(mask.family, []).append(mask)
    return {family: tuple(masks) for family, masks in found.items()}


def how_to_add(family: str) -> str:
    """Say how a set comes to masks of a family, as a sentence.

    Examples
    --------
    >>> how_to_add("noise")
    'Build the set again, into a new folder, with: rapidvision stimuli build RECIPE --out SET --masks noise'
    """
    if family in KINDS:
        return (
            f"Build the set again, into a new folder, with: rapidvision stimuli build RECIPE --out SET --masks {family}"
        )
    return f'Name the family "{family}" in the recipe, under [[masks]], and build the set again, into a new folder'
