"""Everything that is wrong with a recipe and its files, without building: all of it at once."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from rapidvision import recipes
from rapidvision.errors import InputError, RapidVisionError
from rapidvision.formats import image_folder
from rapidvision.numerics.blur import Blur, parse
from rapidvision.system import files
from rapidvision.system.pools import pool_of
from rapidvision.system.progress import Advance, silent
from rapidvision.text import csv_text

from ..builder.build import read_recipe
from ..input_tables import ImageTable, MapSource
from ..maps.readers import MapReader, open_source
from ..maps.sources import Sources
from ..masks.make import check_masks
from ..pipeline.image_list import ImageEntry, image_entries
from ..pipeline.image_pipeline import reader_of, target_of
from ..recipe import StimulusRecipe
from ..recipe_tables import Canvas, Match, Reveal
from .check_image import begin, check_image, check_images, file_size
from .problems import Checked, Problem

#: Images that a process takes at once.
CHUNK = 32
#: Cells with which a row whose own are wrong is looked at.
_ANY = {"category": "any", "target": "true", "phase": "main"}
_TABLES: dict[str, Any] = {"reveal": Reveal, "canvas": Canvas, "match": Match}


def check_recipe(
    recipe: Path | str, *, root: Path | str | None = None, workers: int = 1, advance: Advance = silent
) -> Checked:
    """Find everything that a build of a recipe would refuse, without building.

    Every image is read (JPEGs at an eighth of their size) and every map is laid on its image.

    Parameters
    ----------
    recipe : path-like
        A TOML file, or ``bundled``.
    root : path-like, optional
        What its paths are relative to; its own folder by default.
    workers : int, default 1
        Processes. What is found does not depend on it.
    advance : callable
        Called with the number of images just checked.

    Returns
    -------
    Checked
        The problems and notes; usable images are those without a problem.

    Raises
    ------
    InputError
        When there is no such file. Everything else is a problem.

    Examples
    --------
    >>> import rapidvision as rv
    >>> checked = rv.stimuli.check_recipe("bundled")
    >>> checked.n_images, checked.problems
    (96, ())
    """
    path = Path(__file__).parents[1] / "bundled" / "recipe.toml" if str(recipe) == "bundled" else Path(recipe)
    base = (path.parent if root is None else Path(root)).resolve()
    try:
        recipes.import_plugins_of(path)
        read = recipes.read(path, StimulusRecipe)
    except InputError:
        if not path.is_file():
            raise
        return Checked(0, 0, tuple(Problem("recipe", "", "", text) for text in _faults(path)))
    problems, jobs = _table(read, base)
    bad = {one.image_id for one in problems}
    sources, closed = open_all(read, base)
    problems += closed
    notes = [f"map source {name}: {left}" for name, left in _left_out(sources)]
    for found in _images(jobs, read, sources, workers, advance):
        problems += found
        bad |= {one.image_id for one in found}
    problems += _same_files(jobs)
    good = [job for job in jobs if job.image_id not in bad]
    problems += _whole_set(read, base, good)
    listed = {job.image_id for job in jobs}
    for name, reader in sources.readers.items():
        unused = sum(image_id not in listed for image_id in reader.image_ids())
        if unused:
            notes.append(f"map source {name}: {unused} maps of images that the table does not list")
    return Checked(len(jobs), len(good), tuple(problems), tuple(notes))


def count_rows(recipe: str, *, root: Path | None = None) -> int:
    """Return how many images a recipe lists; 0 where it, or its table, cannot be read."""
    try:
        return len(image_entries(*read_recipe(recipe, root=root)))
    except InputError:
        return 0


def _faults(path: Path) -> list[str]:
    """Return every fault of a recipe file: of each table by itself, else the first of the whole."""
    try:
        raw = recipes.read(path, dict[str, Any])
    except InputError as error:
        return [str(error)]
    parts: list[tuple[str, Any, Any]] = []
    maps = raw.get("maps", [])
    if isinstance(maps, list):
        parts += [(f"{path}: map source {n}", one, MapSource) for n, one in enumerate(maps, 1)]
    parts += [(f"{path}: [{name}]", raw[name], type_) for name, type_ in _TABLES.items() if name in raw]
    if isinstance(raw.get("images"), dict):
        parts.append((f"{path}: [images]", raw["images"], ImageTable))
    found = []
    for where, value, type_ in parts:
        try:
            recipes.convert(value, type_, name=where)
        except InputError as error:
            found.append(str(error))
    rest = {name: value for name, value in raw.items() if name not in _TABLES} if found else raw
    sound = {"source": "sound", "reader": "folder", "path": "."}
    if found:
        rest = rest | {"maps": [sound]} | ({} if isinstance(raw.get("images", ""), str) else {"images": "images.csv"})
    try:
        recipes.convert(rest, StimulusRecipe, name=str(path), text=files.read_text(path))
    except InputError as error:
        found.append(str(error))
    return found


def _table(recipe: StimulusRecipe, root: Path) -> tuple[list[Problem], list[ImageEntry]]:
    """Return every fault of the table, and the images of its sound rows."""
    try:
        return [], image_entries(recipe, root)
    except InputError as error:
        first = Problem("table", "", "", str(error))
    if isinstance(recipe.images, ImageTable):
        return [first], []
    path = root / recipe.images
    try:
        cells = csv_text.read(path, (*image_folder.NEEDED, "target"))
    except InputError:
        return [first], []
    found, rows, unsure = [], [], []
    for number, one in enumerate(cells, 2):
        try:
            rows.append(image_folder.row_of(one, path.parent, f"{path}: row {number}"))
        except InputError as error:
            found.append(Problem("table", one["image_id"], "", str(error)))
            with suppress(InputError):  # its files are looked at all the same
                unsure.append(image_folder.row_of(one | _ANY, path.parent, f"{path}: row {number}"))
    found += [Problem("table", "", "", text) for text in image_folder.contradictions(rows, name=str(path)) if rows]
    if not found:
        found = [first]
    names = [field.name for field in msgspec.structs.fields(ImageEntry)]
    jobs = {
        row.image_id: msgspec.convert(
            {name: getattr(row, name) for name in names} | {"path": str(row.path)}, ImageEntry
        )
        for row in [*unsure, *rows]
    }
    return found, [jobs[image_id] for image_id in sorted(jobs)]


def open_all(recipe: StimulusRecipe, root: Path) -> tuple[Sources, list[Problem]]:
    """Open every map source that can be opened, and say of the others why not.

    Parameters
    ----------
    recipe : StimulusRecipe
        Names them.
    root : Path
        What their paths are relative to.
    """
    readers: dict[str, MapReader] = {}
    blurs: dict[str, Blur] = {}
    problems = []
    for one in recipe.maps:
        try:
            blurs[one.source] = parse(one.blur, screen=recipe.screen)
        except InputError as error:
            problems.append(Problem("source", "", one.source, str(error)))
            blurs[one.source] = Blur("none")
        try:
            readers[one.source] = open_source(one, root)
        except RapidVisionError as error:
            problems.append(Problem("source", "", one.source, str(error)))
    return Sources(readers, blurs), problems


def _left_out(sources: Sources) -> Iterator[tuple[str, str]]:
    for name, reader in sources.readers.items():
        if left := getattr(reader, "left_out", ""):
            yield name, f"{left} passed over"


def _images(
    jobs: list[ImageEntry], recipe: StimulusRecipe, sources: Sources, workers: int, advance: Advance
) -> Iterator[list[Problem]]:
    if workers <= 1 or len(jobs) <= CHUNK:
        for job in jobs:
            yield check_image(job, recipe, sources)
            advance(1)
        return
    chunks = [jobs[start : start + CHUNK] for start in range(0, len(jobs), CHUNK)]
    with pool_of(min(workers, len(chunks)), begin, recipe, sources) as pool:
        for found in pool.map(check_images, chunks):
            yield from found
            advance(len(found))


def _same_files(jobs: Sequence[ImageEntry]) -> Iterator[Problem]:
    """Yield the pairs of equal files; only files of equal size can be."""
    by_size: dict[int, list[ImageEntry]] = {}
    for job in jobs:
        by_size.setdefault(file_size(job), []).append(job)
    by_size.pop(-1, None)
    for group in by_size.values():
        seen: dict[str, ImageEntry] = {}
        for job in group if len(group) > 1 else ():
            other = seen.setdefault(files.sha256_file(job.path), job)
            if other is not job:
                text = f"{other.image_id} and {job.image_id} are the same file; remove one of their rows"
                yield Problem("set", job.image_id, "", text)


def _whole_set(recipe: StimulusRecipe, root: Path, jobs: Sequence[ImageEntry]) -> Iterator[Problem]:
    """Yield what only all images together can show: whether they can be matched, and masks be made."""
    target = None
    try:
        if jobs:
            target = target_of(recipe, jobs, reader_of(recipe))
        check_masks(recipe, root, target)
    except InputError as error:
        yield Problem("set", "", "", str(error))
