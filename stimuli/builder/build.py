"""Build a stimulus set: in parallel, in shards, and again from where it was killed.

The work list is a pure function of the recipe and its tables, every image's bytes are a pure function of its
inputs, and the manifest is sorted: so worker count, order, chunks, shards and crashes cannot change a set.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from rapidvision import recipes
from rapidvision.errors import InputError
from rapidvision.formats.manifest import StimulusSet
from rapidvision.system.progress import Advance, silent

from ..image.match_target import Target
from ..maps.sources import Sources, sources_of
from ..masks.make import check_masks, with_masks
from ..pipeline.canvases import Shared, shared_of
from ..pipeline.duplicates import (
    HashedImage,
    check_across_phases,
    check_duplicates,
    find_duplicates,
    hashed_where_sizes_agree,
)
from ..pipeline.flags import Flag, alike, flags_of, read_quality
from ..pipeline.image_list import ImageEntry, image_entries
from ..pipeline.image_pipeline import image_of, reader_of, target_of
from ..pipeline.object_masks import regions_of
from ..recipe import StimulusRecipe
from ..recipe_presets import with_preset
from ..reveal.flood import Engine
from ..storage.forms import Form
from . import journal
from .executor import run_local
from .findings import set_flags
from .journal import REJECTS
from .manifest_writer import finish, remove_leftovers, write_rejects
from .packed import PackedSet
from .task import BuiltImage, Record, Rejected, keep_freed_memory

#: Images that a worker takes at once.
CHUNK = 8

Known = tuple[ImageEntry, Record | None]


@dataclass(frozen=True, slots=True)
class Built:
    """What a build left.

    Attributes
    ----------
    result : StimulusSet, PackedSet or None
        None when other shards are still missing.
    n_made, n_kept : int
        Images made now, and found finished.
    rejected : tuple of Rejected
        Images that could not be used.
    n_missing : int
        Images that other shards must still make.
    flags : tuple of Flag
        What is odd about the images and maps of a finished set; it stops nothing.
    notes : tuple of str
        Files that map sources passed over, by suffix; images that had no part in the common target.
    """

    result: StimulusSet | PackedSet | None
    n_made: int
    n_kept: int
    rejected: tuple[Rejected, ...]
    n_missing: int
    flags: tuple[Flag, ...] = ()
    notes: tuple[str, ...] = ()


def read_recipe(
    name: str,
    *,
    root: Path | None = None,
    seed: int | None = None,
    masks: Sequence[str] = (),
    preset: str | None = None,
) -> tuple[StimulusRecipe, Path]:
    """Read a recipe file, or the one of the bundled images.

    Parameters
    ----------
    name : str
        A TOML file, or ``bundled``.
    root : Path, optional
        What its paths are relative to; the recipe's own folder by default.
    seed : int, optional
        Replaces the recipe's seed.
    masks : sequence of str
        Kinds of masks that the recipe does not name; see :func:`.masks.make.with_masks`.
    preset : {"paper", "controlled"}, optional
        Stands before the key ``preset`` of the file.

    Returns
    -------
    (StimulusRecipe, Path)
        The recipe and the root.

    Raises
    ------
    InputError
        Names the file, the key and what is allowed.

    Examples
    --------
    >>> import rapidvision as rv
    >>> recipe, root = rv.stimuli.read_recipe("bundled")
    >>> [each.source for each in recipe.maps], recipe.seed
    (['clickme', 'salicon'], 1)
    """
    path = Path(__file__).parents[1] / "bundled" / "recipe.toml" if name == "bundled" else Path(name)
    recipes.import_plugins_of(path)
    recipe = recipes.read(path, StimulusRecipe, change=lambda raw: with_preset(raw, preset))
    if seed is not None:
        recipe = msgspec.structs.replace(recipe, seed=seed)
    return with_masks(recipe, masks), (path.parent if root is None else root).resolve()


def build(
    recipe: StimulusRecipe,
    folder: Path | str,
    *,
    root: Path | str = ".",
    form: Form = "png",
    workers: int = 1,
    shard: tuple[int, int] = (1, 1),
    scheduler: str | None = None,
    skip_bad: bool = False,
    engine: Engine = "auto",
    advance: Advance = silent,
) -> Built:
    """Build the set of a recipe, or resume the build.

    Parameters
    ----------
    recipe : StimulusRecipe
        What to make.
    folder : path-like
        Where; new, empty, or an unfinished or damaged set of the same recipe.
    root : path-like
        What the recipe's relative paths are relative to.
    form : {"png", "tar", "series", "recipe"}
        Storage form.
    workers : int
        Processes; 1 works in this one.
    shard : (int, int)
        Which part of the work list, (1, 1) being all of it; the shards may share the folder, or be copied together.
    scheduler : str, optional
        Address of a dask.distributed scheduler that does the work instead; its workers must see the same files.
    skip_bad : bool
        Leave out images that cannot be used, for every source, and list them in ``rejects.csv``.
    engine : {"auto", "numba", "portable"}
        Engine of the flood fill.
    advance : callable
        Called with the number of images just done.

    Returns
    -------
    Built
        The set, when it is finished, and the counts.

    Raises
    ------
    InputError
        Names the file that cannot be used and the remedy.
    """
    keep_freed_memory()
    folder, root = Path(folder), Path(root).resolve()
    jobs = image_entries(recipe, root)
    if recipe.canvas.draws > 1 and form != "png":
        raise InputError(f"canvas: draws = {recipe.canvas.draws} needs a set of PNG files; got the form {form}")
    number, count = checked_shard(shard)
    if count == 1 and not skip_bad:
        check_duplicates(hashed_where_sizes_agree(jobs))
    journal.check(folder, recipe, form)
    sources, read = sources_of(recipe, root), reader_of(recipe)
    regions = regions_of(recipe, root)
    target = target_of(recipe, jobs, read, skip_bad=skip_bad, lacking=sources.lacking, regions=regions)
    shared = shared_of(
        recipe,
        jobs,
        lambda job: image_of(job, recipe, target, read, regions).image.pixels,
        skip_bad=skip_bad,
        lacking=sources.lacking,
    )
    check_masks(recipe, root, target)
    journal.claim(folder, recipe, form)
    known = journal.read(folder)
    mine = [(job, known.get(job.image_id)) for job in jobs[number - 1 :: count]]
    chunks = [mine[start : start + CHUNK] for start in range(0, len(mine), CHUNK)]
    settings = (recipe, root, folder, form, engine, target, shared)
    if scheduler is not None:
        from .cluster import run_cluster

        results = run_cluster(settings, chunks, address=scheduler)
    else:
        results = run_local(settings, chunks, workers=workers, read=read, sources=sources)
    n_made, n_kept, rejected = 0, 0, []
    book = journal.Journal(folder, shard)
    try:
        for outcomes in results:
            done = [one for one in outcomes if isinstance(one, BuiltImage)]
            book.add(one.record for one in done if known.get(one.record.job.image_id) != one.record)
            n_made += sum(one.made for one in done)
            n_kept += sum(not one.made for one in done)
            rejected += [one for one in outcomes if isinstance(one, Rejected)]
            if rejected and not skip_bad:
                raise InputError(rejected[0].reason)
            advance(len(outcomes))
    finally:
        book.close()
    left = _finished(recipe, folder, form, jobs, rejected, target, shared, root)
    notes = notes_of(sources, target, shared)
    return Built(left.result, n_made, n_kept, tuple(rejected), left.n_missing, left.flags, notes)


def notes_of(sources: Sources, target: Target | None, shared: Shared) -> tuple[str, ...]:
    """Return what was passed over without stopping the build: one sentence each."""
    passed = [
        f"map source {name}: {getattr(reader, 'left_out', '')} passed over"
        for name, reader in sources.readers.items()
        if getattr(reader, "left_out", "")
    ]
    left_out = {} if target is None else target.left_out
    apart = {name: why for name, why in shared.left_out.items() if name not in left_out}
    return (
        *passed,
        *(f"{name} has no part in the common target: {why}" for name, why in left_out.items()),
        *(f"{name} has no part in what canvases have in common: {why}" for name, why in apart.items()),
    )


class _Left(NamedTuple):
    """What a build leaves besides its counts."""

    result: StimulusSet | PackedSet | None
    n_missing: int
    flags: tuple[Flag, ...]


def _finished(
    recipe: StimulusRecipe,
    folder: Path,
    form: Form,
    jobs: list[ImageEntry],
    rejected: list[Rejected],
    target: Target | None,
    shared: Shared,
    root: Path,
) -> _Left:
    found = journal.read(folder)
    bad = {one.job.image_id for one in rejected}
    missing = [job for job in jobs if job.image_id not in found and job.image_id not in bad]
    if missing:
        return _Left(None, len(missing), ())
    records = [found[job.image_id] for job in jobs if job.image_id not in bad]
    if not records:
        write_rejects(folder, rejected)
        raise InputError(
            f"{folder}: every image was refused ({REJECTS} has the reasons), the first because: {rejected[0].reason}"
        )
    check_duplicates((record.job, record.image_sha256) for record in records)
    seen = [HashedImage(record.job, record.image_sha256, record.look) for record in records]
    check_across_phases(seen)
    result, records = finish(recipe, folder, form, records, rejected, target, shared, root=root)
    journal.finish(folder, records)
    remove_leftovers(folder)
    description = result.description if isinstance(result, StimulusSet) else result.description.description
    flags = (*set_flags(description), *alike(find_duplicates(seen)), *flags_of(read_quality(folder), 0))
    return _Left(result, 0, flags)


def checked_shard(shard: tuple[int, int]) -> tuple[int, int]:
    """Return a shard (number, count), or refuse it.

    Raises
    ------
    InputError
        When the number is not from 1 to the count.
    """
    number, count = shard
    if not 1 <= number <= count:
        raise InputError(
            f"shard: got {number}/{count}, allowed are 1/{max(count, 1)} to {max(count, 1)}/{max(count, 1)}"
        )
    return number, count
