"""The work list: which images, in which phase, with what credit. A pure function of the recipe and its tables."""

from pathlib import Path

import msgspec

from rapidvision.errors import InputError, did_you_mean
from rapidvision.formats import image_folder
from rapidvision.task.trial import SessionPhase
from rapidvision.text import csv_text

from ..input_tables import ImageTable
from ..naming import Naming, id_of_words, words_of
from ..recipe import StimulusRecipe


class ImageEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One image to be made into stimuli.

    Attributes
    ----------
    image_id, category : str
        The image and what it shows.
    path : str
        Its file, relative to the root or absolute.
    target : bool
        Whether the category is a target.
    phase : {"practice", "main"}
        Where it may appear.
    credit, licence : str
        Empty where unknown.
    """

    image_id: str
    path: str
    category: str
    target: bool
    phase: SessionPhase = "main"
    credit: str = ""
    licence: str = ""


def image_entries(recipe: StimulusRecipe, root: Path) -> list[ImageEntry]:
    """Return the images of a recipe, sorted by id.

    Parameters
    ----------
    recipe : StimulusRecipe
        Names the table.
    root : Path
        What relative paths are relative to.

    Raises
    ------
    InputError
        When the table is missing, lacks a column, names an image twice, or gives one category both as target and
        as distractor.
    """
    table = recipe.images
    if isinstance(table, ImageTable):
        jobs = _foreign(table, root)
        image_folder.check(jobs, name=str(root / table.table))
    else:
        jobs = _own(root / table)
    return sorted(jobs, key=lambda job: job.image_id)


def _own(path: Path) -> list[ImageEntry]:
    rows = image_folder.read_table(path)
    unknown = [name for name in rows[0].cells if name not in image_folder.COLUMNS]
    if unknown:
        raise InputError(f'{path}: unknown column "{unknown[0]}". {did_you_mean(unknown[0], image_folder.COLUMNS)}')
    names = [field.name for field in msgspec.structs.fields(ImageEntry)]
    return [
        msgspec.convert({name: getattr(row, name) for name in names} | {"path": str(row.path)}, ImageEntry)
        for row in rows
    ]


def _foreign(table: ImageTable, root: Path) -> list[ImageEntry]:
    path = root / table.table
    rows = csv_text.read(path, (table.path_column, table.category_column))
    absent = [name for name in table.targets if name not in {row[table.category_column] for row in rows}]
    if absent:
        raise InputError(f'{path}: no image of the target category "{absent[0]}"')
    return [
        _job(
            f"{path}: row {number}",
            image_id=foreign_id(table, row),
            path=str(root / table.folder / row[table.path_column]),
            category=row[table.category_column],
            target=row[table.category_column] in table.targets,
        )
        for number, row in enumerate(rows, 2)
    ]


def foreign_id(table: ImageTable, row: dict[str, str]) -> str:
    """Return the id of an image that a foreign table lists."""
    words = Naming().words(row[table.path_column]) or {}
    unknown = [word for word in words_of(table.id) if word not in words and word not in row]
    if unknown:
        known = ", ".join([*words, *row])
        raise InputError(f'images.id is "{table.id}", and there is no {unknown[0]}; there are {known}')
    return id_of_words(table.id, row | words)


def _job(where: str, **values: object) -> ImageEntry:
    try:
        image_folder.checked_name(str(values["image_id"]), "image_id")
        if not values["category"]:
            raise ValueError("category is empty")
    except ValueError as error:
        raise InputError(f"{where}: {error}") from None
    return msgspec.convert(values, ImageEntry)
