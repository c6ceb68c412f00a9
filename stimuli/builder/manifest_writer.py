"""The last step of a build: tables and description, written when every image is there."""

import os
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from rapidvision.errors import InputError
from rapidvision.formats.canvases.draws import write_draws
from rapidvision.formats.manifest import PACKED, ImageCredit, SetDescription, StimulusSet, write_set
from rapidvision.formats.masks import MASKS, MaskImage, write_masks
from rapidvision.integrity.seal import seal_of
from rapidvision.reveal import INTACT_LABEL, level_label
from rapidvision.system import files
from rapidvision.text import csv_text

from ..background.canvas import CanvasQuality
from ..image.match_target import Target
from ..maps.orientation import TURNS
from ..masks.make import algorithms_of, masks_of_set
from ..pipeline.canvases import NOTHING_SHARED, Shared
from ..pipeline.image_list import ImageEntry
from ..pipeline.quality import Quality
from ..plugins import plugins_of
from ..recipe import StimulusRecipe
from ..storage.forms import Form
from .findings import TABLES, Findings, findings_of
from .journal import REJECTS
from .packed import PackedDescription, PackedSet
from .task import Record, Rejected, StoredFile

IMAGES = "images.csv"
QUALITY = "quality.csv"

#: Figure of a set: the images that had no part in the common target, with the reasons.
LEFT_OUT = "match_left_out"

#: Images per tar shard.
SHARD_IMAGES = 64


def description_of(
    recipe: StimulusRecipe,
    records: Sequence[Record],
    found: Findings,
    target: Target | None = None,
    shared: Shared = NOTHING_SHARED,
) -> SetDescription:
    """Return the description of the set that the records make, matched to `target`."""
    left_out = shared.left_out if target is None else shared.left_out | target.left_out
    matching = {LEFT_OUT: left_out} if left_out else {}
    labels = [level_label(float(fraction)) for fraction in recipe.reveal.fractions]
    return SetDescription(
        name=recipe.name,
        seed=recipe.seed,
        image_px=recipe.side_px,
        level_labels=(*labels, *([INTACT_LABEL] if recipe.reveal.intact else [])),
        map_sources=tuple(one.source for one in recipe.maps),
        recipe=msgspec.json.decode(msgspec.json.encode(recipe)),
        algorithms=algorithms_of(recipe),
        images=tuple(
            ImageCredit(
                image_id=record.job.image_id,
                sha256=record.image_sha256,
                credit=record.job.credit,
                licence=record.job.licence,
            )
            for record in records
        ),
        quality=summary([record.quality for record in records]) | matching | found.figures,
        certificate=found.certificate,
        provenance=files.provenance(
            "stimuli build",
            seed=recipe.seed,
            packages=("numpy", "scipy", "pillow", "scikit-image"),
            plugins=plugins_of(recipe),
        ),
    )


def summary(images: Sequence[Quality]) -> dict[str, object]:
    """Return medians and extremes of the set's quality figures; those of canvases where they were drawn."""
    sources = {name: [one.sources[name] for one in images] for name in images[0].sources}
    return {
        "n_images": len(images),
        **_canvas_summary([one.canvas for one in images if one.canvas is not None]),
        "captured_importance": {name: _spread([one.captured[-1] for one in many]) for name, many in sources.items()},
        **_match_summary(images),
        "n_points_outside": {name: sum(one.n_outside for one in many) for name, many in sources.items()},
    }


def _canvas_summary(found: Sequence[CanvasQuality]) -> dict[str, object]:
    if not found:
        return {}
    return {
        "canvas_clipped_fraction": _spread([one.clipped_fraction for one in found]),
        "canvas_mean_error": _spread([one.mean_error for one in found]),
        "canvas_contrast_ratio": _spread([one.contrast_ratio for one in found]),
        "canvas_spectrum_error": _spread([one.spectrum_error for one in found]),
    }


def _match_summary(images: Sequence[Quality]) -> dict[str, object]:
    found = [one.match for one in images if one.match is not None]
    if not found:
        return {}
    names = ("mean_residual", "contrast_residual", "spectrum_residual", "greyed_fraction", "clipped_fraction")
    return {"match": {name: _spread([getattr(one, name) for one in found]) for name in names}}


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "smallest": round(min(values), 6),
        "median": round(statistics.median(values), 6),
        "largest": round(max(values), 6),
    }


def finish(
    recipe: StimulusRecipe,
    folder: Path,
    form: Form,
    records: list[Record],
    rejected: Sequence[Rejected],
    target: Target | None = None,
    shared: Shared = NOTHING_SHARED,
    *,
    root: Path,
) -> tuple[StimulusSet | PackedSet, list[Record]]:
    """Write tables and description of a set whose images are all there.

    Parameters
    ----------
    recipe, folder, form
        As for the build.
    records : list of Record
        Sorted by image.
    rejected : sequence of Rejected
        What was left out.
    target : Target, optional
        What the images are matched to.
    shared : Shared, optional
        What canvases have in common.
    root : Path
        What the recipe's relative paths are relative to.

    Returns
    -------
    (StimulusSet or PackedSet, list of Record)
        As it was written; the records as the journal should keep them.
    """
    if hasattr(os, "sync"):
        os.sync()  # once for all images instead of once for each; the description that makes the set valid comes after
    images = [(record.job, record.quality) for record in records]
    found = findings_of(recipe, images)
    files.write_text(folder / QUALITY, quality_table(images))
    for name in TABLES:
        if name in found.tables:
            files.write_text(folder / name, found.tables[name])
        else:
            (folder / name).unlink(missing_ok=True)
    write_rejects(folder, rejected)
    description = description_of(recipe, records, found, target, shared)
    tables = (
        QUALITY,
        *found.tables,
        *write_draws(folder, [draw for record in records for draw in record.draws or ()]),
        *([REJECTS] if rejected else []),
        *_write_masks(recipe, folder, records, target, shared, root),
    )
    if form == "png":
        rows = [row for record in records for row in record.rows]
        return write_set(folder, description, rows, tables=tables), records
    if form == "tar":
        records = _write_shards(folder, records)
        from rapidvision.formats.manifest_rows import rows_digest

        digest = rows_digest(row for record in records for row in record.rows)
        description = msgspec.structs.replace(description, digest=digest)
    files.write_text(
        folder / IMAGES,
        csv_text.text_of(
            ("image_id", "phase", "category", "target", "path", "sha256"),
            [
                (job.image_id, job.phase, job.category, str(job.target).lower(), stored[0].path, stored[0].sha256)
                for job, stored in ((record.job, record.stored) for record in records)
            ],
        ),
    )
    stored = {one.path: one for record in records for one in record.stored}
    packed = PackedDescription(
        form=form,
        description=description,
        files=tuple(stored[path] for path in sorted(stored)),
        target="" if target is None else target.digest,
        left_out=tuple(description.quality.get(LEFT_OUT, {})),
        canvases=shared.digest,
        tables={name: files.sha256_file(folder / name) for name in (IMAGES, *tables)},
    )
    packed = msgspec.structs.replace(packed, checksum=seal_of(packed))
    files.write_json(folder / PACKED, packed)
    return PackedSet(folder, packed), records


def _write_masks(
    recipe: StimulusRecipe, folder: Path, records: list[Record], target: Target | None, shared: Shared, root: Path
) -> list[str]:
    """Write the masks that belong to no image, and ``masks.csv``; return the paths of all masks and the table."""
    if not recipe.mask_families:
        return []
    masks: list[MaskImage] = [mask for record in records for mask in record.masks or ()]
    for mask, data in masks_of_set(recipe, root, target, shared.spectrum):
        files.write_bytes(folder / mask.path, data, durable=False)
        masks.append(mask)
    write_masks(folder, masks)
    return [MASKS, *(mask.path for mask in masks)]


def _write_shards(folder: Path, records: list[Record]) -> list[Record]:
    """Put the tar segments of every 64 images together, then remove them; finished shards are kept."""
    out = []
    for number, start in enumerate(range(0, len(records), SHARD_IMAGES)):
        group = records[start : start + SHARD_IMAGES]
        path = f"shards/{number:06d}.tar"
        stored = {one for record in group for one in record.stored}
        if len(stored) == 1 and next(iter(stored)).path == path:
            out += group
            continue
        segments = [folder / record.stored[0].path for record in group]
        if any(segment.suffix != ".tarpart" for segment in segments):
            raise InputError(f"{folder / path}: images changed after it was written; build into another folder")
        with files.atomic(folder / path) as file:
            for segment in segments:
                file.write(files.read_bytes(segment))
            file.write(bytes(1024))
        whole = StoredFile(path=path, sha256=files.sha256_file(folder / path))
        out += [msgspec.structs.replace(record, stored=(whole,)) for record in group]
    return out


def remove_leftovers(folder: Path) -> None:
    """Remove the tar segments of a finished set, and what killed builds left half written."""
    for path in [*folder.rglob(".*.tmp"), *(folder / ".build" / "segments").glob("*.tarpart")]:
        path.unlink(missing_ok=True)
    if (folder / ".build" / "segments").is_dir():
        (folder / ".build" / "segments").rmdir()


def quality_table(images: Sequence[tuple[ImageEntry, Quality]]) -> str:
    """Return a row per image and source: canvas figures, map figures, importance captured at each level.

    The canvas figures of a recipe set are empty, and so is the agreement between sources where there is but one.
    """
    n_levels = len(next(iter(images[0][1].sources.values())).captured)
    canvas_names = [field.name for field in msgspec.structs.fields(CanvasQuality)]
    header = [
        *("image_id", "map_source", "phase", "category"),
        *(f"canvas_{name}" for name in canvas_names),
        *("support_px", "n_observers", "n_points", "n_outside", "n_missing", "cut_fraction", "best_captured"),
        *(f"captured_{level:02d}" for level in range(n_levels)),
        *(f"agreement_{turn.replace(' ', '_')}" for turn in TURNS),
    ]
    rows = []
    for job, quality in images:
        drawn = quality.canvas
        canvas = ("",) * len(canvas_names) if drawn is None else _shares(msgspec.structs.astuple(drawn))
        for name, one in quality.sources.items():
            rows.append(
                (
                    *(job.image_id, name, job.phase, job.category),
                    *canvas,
                    *(one.support_px, one.n_observers, one.n_points, one.n_outside, one.n_missing),
                    *_shares((one.cut_fraction, one.best_captured, *one.captured)),
                    *(one.agreement or ("",) * len(TURNS)),
                )
            )
    return csv_text.text_of(header, rows)


def _shares(values: Iterable[float]) -> tuple[str, ...]:
    return tuple(f"{value:.6f}" for value in values)


def write_rejects(folder: Path, rejected: Sequence[Rejected]) -> None:
    """Write the images that were left out, with the reasons; without any, remove the table of an earlier build."""
    if not rejected:
        (folder / REJECTS).unlink(missing_ok=True)
        return
    rows = [(one.job.image_id, one.job.phase, one.job.category, one.reason) for one in rejected]
    files.write_text(folder / REJECTS, csv_text.text_of(("image_id", "phase", "category", "reason"), sorted(rows)))
