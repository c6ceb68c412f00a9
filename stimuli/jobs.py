"""The work list: which pictures, in which phase, with what credit. A pure function of the recipe and its tables."""

import csv
import io
from pathlib import Path

import msgspec

from rapidvision import files
from rapidvision.errors import InputError, did_you_mean
from rapidvision.trials import Phase

from .recipe import ImageTable, StimulusRecipe, checked_name

REQUIRED = ("image_id", "path", "category", "target")
OPTIONAL = ("phase", "credit", "licence")
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One picture to be made into stimuli.

    Attributes
    ----------
    image_id, category : str
        The picture and what it shows.
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
    phase: Phase = "main"
    credit: str = ""
    licence: str = ""


def jobs_of(recipe: StimulusRecipe, root: Path) -> list[Job]:
    """Return the pictures of a recipe, sorted by id.

    Parameters
    ----------
    recipe : StimulusRecipe
        Names the table.
    root : Path
        What relative paths are relative to.

    Raises
    ------
    InputError
        When the table is missing, lacks a column, names a picture twice, or gives one category both as target and
        as distractor.
    """
    table = recipe.images
    jobs = _foreign(table, root) if isinstance(table, ImageTable) else _own(root / table)
    seen: dict[str, Job] = {}
    targets: dict[str, bool] = {}
    for job in jobs:
        if job.image_id in seen:
            raise InputError(f"{_table(recipe, root)}: {job.image_id} appears twice; each picture has one row")
        seen[job.image_id] = job
        if targets.setdefault(job.category, job.target) != job.target:
            raise InputError(f"{_table(recipe, root)}: category {job.category} is both target and distractor")
    folded: dict[str, str] = {}
    for image_id in seen:
        if folded.setdefault(image_id.casefold(), image_id) != image_id:
            raise InputError(
                f"{_table(recipe, root)}: {folded[image_id.casefold()]} and {image_id} differ only in capitals; "
                "some file systems cannot keep both"
            )
    if not jobs:
        raise InputError(f"{_table(recipe, root)}: no pictures; the table has only a header")
    return sorted(jobs, key=lambda job: job.image_id)


def _table(recipe: StimulusRecipe, root: Path) -> Path:
    return root / (recipe.images.table if isinstance(recipe.images, ImageTable) else recipe.images)


def read_rows(path: Path, required: tuple[str, ...]) -> list[dict[str, str]]:
    """Read a CSV table with a header as dicts; refuse it when a required column or a cell is missing."""
    try:
        text = files.read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        header = list(reader.fieldnames or ())
        for name in required:
            if name not in header:
                raise InputError(
                    f'{path}: no column "{name}". {did_you_mean(name, header) if header else "It is empty."}'
                )
        rows = []
        for number, row in enumerate(reader, 2):
            if None in row or any(row[name] is None for name in header):
                raise InputError(f"{path}: row {number} has not the {len(header)} cells of the header; is it cut off?")
            rows.append(row)
    except csv.Error as error:
        raise InputError(f"{path}: not a CSV table ({error})") from error
    return rows


def _own(path: Path) -> list[Job]:
    jobs = []
    for number, row in enumerate(read_rows(path, REQUIRED), 2):
        where = f"{path}: row {number}"
        unknown = [name for name in row if name not in REQUIRED + OPTIONAL]
        if unknown:
            raise InputError(f'{path}: unknown column "{unknown[0]}". {did_you_mean(unknown[0], REQUIRED + OPTIONAL)}')
        if row["target"].strip().lower() not in _TRUTH:
            raise InputError(f'{where}: target is "{row["target"]}"; true or false is needed')
        phase = row.get("phase") or "main"
        if phase not in ("practice", "main"):
            raise InputError(f'{where}: phase is "{phase}". {did_you_mean(phase, ("practice", "main"))}')
        jobs.append(
            _job(
                where,
                image_id=row["image_id"],
                path=str(path.parent / row["path"]),
                category=row["category"],
                target=_TRUTH[row["target"].strip().lower()],
                phase=phase,
                credit=row.get("credit") or "",
                licence=row.get("licence") or "",
            )
        )
    return jobs


def _foreign(table: ImageTable, root: Path) -> list[Job]:
    path = root / table.table
    rows = read_rows(path, (table.path_column, table.category_column))
    absent = [name for name in table.targets if name not in {row[table.category_column] for row in rows}]
    if absent:
        raise InputError(f'{path}: no picture of the target category "{absent[0]}"')
    return [
        _job(
            f"{path}: row {number}",
            image_id=Path(row[table.path_column]).stem,
            path=str(root / table.folder / row[table.path_column]),
            category=row[table.category_column],
            target=row[table.category_column] in table.targets,
        )
        for number, row in enumerate(rows, 2)
    ]


def _job(where: str, **values: object) -> Job:
    try:
        checked_name(str(values["image_id"]), "image_id")
        if not values["category"]:
            raise ValueError("category is empty")
    except ValueError as error:
        raise InputError(f"{where}: {error}") from None
    return msgspec.convert(values, Job)
