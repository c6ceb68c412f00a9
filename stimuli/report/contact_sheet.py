"""The contact sheet of a set: flags first, then every image with its maps, levels and canvas."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.formats.manifest import StimulusSet, read_set
from rapidvision.formats.manifest_rows import Stimulus
from rapidvision.formats.masks import KINDS, MaskImage, read_masks
from rapidvision.images.load import load_rgb
from rapidvision.system import files
from rapidvision.system.progress import Advance, silent
from rapidvision.system.templates import rendered

from ..builder.manifest_writer import LEFT_OUT
from ..masks.make import counts_of, with_masks
from ..pipeline.canvases import shared_of
from ..pipeline.flags import read_quality
from ..pipeline.image_list import image_entries
from ..pipeline.image_pipeline import ImagePipeline, image_of, reader_of, target_of
from ..pipeline.object_masks import regions_of
from ..recipe import StimulusRecipe
from .cards import PLOTS, write_cards, write_strip
from .page import GAP_PX, MOST_LINES, THUMB_PX, Line, draw_sheet
from .plots import before_and_after
from .sections import sheet_flags, top_sections

#: Reveal levels shown per source, as fractions of the features (the nearest there are).
SHOWN = (0.01, 0.1, 0.4, 1.0)
#: Masks shown of a family.
MOST_MASKS = 6
#: Images whose spectra and histograms are in the set's figures.
MOST_IN_FIGURES = 200

_TEMPLATE = Path(__file__).with_name("contact_sheet.html")


def contact_sheet(
    found: StimulusSet | Path | str,
    out: Path | str,
    *,
    inputs: tuple[StimulusRecipe, Path] | None = None,
    advance: Advance = silent,
) -> Path:
    """Write ``index.html`` and ``sheet.png`` for a set, with thumbnails that the page loads as they are needed.

    Parameters
    ----------
    found : StimulusSet or path-like
        A set of PNG files, or its folder.
    out : path-like
        Folder for both files; the page shows every image, the sheet the first :data:`.preview_sheet.MOST_LINES`, flagged
        ones before the others.
    inputs : (StimulusRecipe, Path), optional
        Recipe and root of the build; with them the importance maps and the bare canvas are shown. Without them the
        lowest level stands for the canvas.
    advance : callable
        Called after each image.

    Returns
    -------
    Path
        The HTML file; thumbnails and data lie beside it, and all levels are read from the set when they are asked for.

    Raises
    ------
    InputError
        When the recipe, or an image, is not that of the build: canvases and maps of another set would be shown.

    Examples
    --------
    >>> import tempfile
    >>> import rapidvision as rv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stimulus_set = rv.stimuli.build("bundled", out=folder + "/set")
    ...     rv.stimuli.contact_sheet(stimulus_set, folder + "/sheet").name
    'index.html'
    """
    found = found if isinstance(found, StimulusSet) else read_set(found)
    from .figures import set_figures

    out = Path(out)
    quality = read_quality(found.folder)
    flags = sheet_flags(found, quality)
    flagged = {one.image_id for one in flags}
    rows: dict[str, list[Stimulus]] = {}
    for row in found.index().values():
        rows.setdefault(row.image_id, []).append(row)
    maker, jobs = _maker(inputs, found)
    sources = {one.image_id: one.sha256 for one in found.description.images}
    captions: dict[str, list[str]] = {}
    originals: list[NDArray[np.uint8]] = []
    canvases: list[NDArray[np.uint8]] = []
    lines: list[Line] = []
    exemplars = (*found.exemplars("practice"), *found.exemplars("main"))
    ids = [one.image_id for one in exemplars]
    shown = set(sorted(ids, key=lambda name: name not in flagged)[:MOST_LINES])
    for exemplar in exemplars:
        images = _images_of(found, rows[exemplar.image_id])
        prepared = maker.read(jobs[exemplar.image_id]) if maker is not None and exemplar.image_id in jobs else None
        if prepared is not None and prepared.image_sha256 != sources[exemplar.image_id]:
            raise InputError(f"{prepared.job.path}: not the image that the set was built from (hash differs)")
        maps = {} if prepared is None else {name: one.map.values for name, one in prepared.maps.items()}
        canvas = next(image for name, image in images.items() if name != "image")  # nearly all of the lowest level
        if prepared is not None and maker is not None:
            canvas = maker.canvas(prepared).pixels
            images["canvas"] = canvas
        line = _line(f"{exemplar.image_id} · {exemplar.category} · {exemplar.phase}", images, maps)
        write_strip(out, exemplar.image_id, line.cells)
        captions[exemplar.image_id] = list(line.cells)
        if "image" in images:
            plots = before_and_after(images["image"], canvas)
            files.write_text(out / PLOTS / f"{exemplar.image_id}.svg", plots)
        if exemplar.image_id in shown:
            lines.append(line)
        if len(originals) < MOST_IN_FIGURES and "image" in images:
            originals.append(images["image"])
            canvases.append(canvas)
        advance(1)
    figures = set_figures(originals, canvases, quality)
    masks = {family: _masks(found, some) for family, some in read_masks(found.folder).items()}
    lines.sort(key=lambda line: line.title.split(" ")[0] not in flagged)
    above = [Line(f"masks: {family}", shown) for family, shown in masks.items()]
    files.write_bytes(out / "sheet.png", draw_sheet(figures, lines, n_images=len(exemplars), masks=above))
    write_cards(out, found, quality, flags, captions)
    thumbnails = {
        f"{family} ({counts_of(found.folder)[family]})": [(name, _thumbnail(mask)) for name, mask in some.items()]
        for family, some in masks.items()
    }
    page = rendered(
        _TEMPLATE,
        set=found.description,
        licences=sorted({image.licence for image in found.description.images if image.licence}),
        sections=top_sections(found),
        figures=_data_url(figures, "png"),
        masks=thumbnails,
        n_images=len(exemplars),
        thumb_px=THUMB_PX,
        step_px=THUMB_PX + GAP_PX,
    )
    files.write_text(out / "index.html", page)
    return out / "index.html"


def _maker(
    inputs: tuple[StimulusRecipe, Path] | None, found: StimulusSet
) -> tuple[ImagePipeline | None, dict[str, Any]]:
    """Return what makes the set's images again, matched to the target of its build, and the jobs by image."""
    if inputs is None:
        return None, {}
    recipe, root = inputs
    recipe = msgspec.structs.replace(recipe, seed=found.description.seed)  # a build may have been given another
    recipe = with_masks(recipe, [family for family in read_masks(found.folder) if family in KINDS])
    ours, built = msgspec.json.decode(msgspec.json.encode(recipe)), found.description.recipe
    if ours != built:
        names = dict.fromkeys([*ours, *built])
        differing = ", ".join(name for name in names if ours.get(name) != built.get(name))
        raise InputError(f"{found.folder}: built from another recipe ({differing} differs); name that of the build")
    jobs = image_entries(recipe, root)
    read = reader_of(recipe)
    left_out = found.description.quality.get(LEFT_OUT, {})
    part = [job for job in jobs if job.image_id not in left_out]
    regions = regions_of(recipe, root)
    target = target_of(recipe, part, read, regions=regions)
    shared = shared_of(recipe, part, lambda job: image_of(job, recipe, target, read, regions).image.pixels)
    pipeline = ImagePipeline(recipe, root, target=target, shared=shared, read=read)
    return pipeline, {job.image_id: job for job in jobs}


def _images_of(found: StimulusSet, mine: Sequence[Stimulus]) -> dict[str, NDArray[np.uint8]]:
    """The intact image and the shown levels of each source, by caption."""
    out: dict[str, NDArray[np.uint8]] = {}
    intact = [row for row in mine if row.reveal_fraction is None]
    if intact:
        out["image"] = _read(found, intact[0])
    for source in found.description.map_sources:
        levels = [row for row in mine if row.map_source == source and row.reveal_fraction is not None]
        for fraction in SHOWN:
            row = min(levels, key=lambda one: abs(np.log((one.reveal_fraction or 1) / fraction)))
            out[f"{source} {row.level_label} %"] = _read(found, row)
    return out


def _read(found: StimulusSet, row: Stimulus) -> NDArray[np.uint8]:
    path = found.folder / row.path
    return load_rgb(path)


def _masks(found: StimulusSet, masks: Sequence[MaskImage]) -> dict[str, NDArray[np.uint8]]:
    """The first masks of a family, by the names of their files."""
    return {Path(mask.path).stem: load_rgb(found.folder / mask.path) for mask in masks[:MOST_MASKS]}


def _line(title: str, images: dict[str, NDArray[np.uint8]], maps: dict[str, NDArray[Any]]) -> Line:
    """The small images of one image: itself, its canvas, and each source's map before its levels."""
    cells: dict[str, NDArray[np.uint8]] = {}
    for name in ("image", "canvas"):
        if name in images:
            cells[name] = images[name]
    for caption, image in images.items():
        source = caption.split()[0]
        if caption not in cells:
            if source in maps:
                cells.setdefault(f"map: {source}", _heat(maps[source]))
            cells[caption] = image
    return Line(title, cells)


def _thumbnail(image: NDArray[np.uint8]) -> str:
    from PIL import Image

    out = io.BytesIO()
    small = Image.fromarray(image).resize((THUMB_PX, THUMB_PX), Image.Resampling.LANCZOS)
    small.save(out, "JPEG", quality=85)
    return _data_url(out.getvalue(), "jpeg")


def _heat(values: NDArray[Any]) -> NDArray[np.uint8]:
    scaled = np.rint(255 * values / values.max()).astype(np.uint8)
    return np.repeat(scaled[..., None], 3, axis=2)


def _data_url(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def summary_of(found: StimulusSet) -> str:
    """Return what ``rapidvision stimuli show`` prints about a set."""
    description = found.description
    lines = [
        f"{description.name}: {len(description.images)} images of {description.image_px} px, seed {description.seed}",
        f"digest    {description.digest}",
        f"sources   {', '.join(description.map_sources)}",
        f"levels    {', '.join(description.level_labels)} (% of the features)",
    ]
    for phase in ("practice", "main"):
        images = found.exemplars(phase)
        if images:
            targets = sum(one.target for one in images)
            categories = sorted({one.category for one in images})
            lines.append(f"{phase:<9} {len(images)} images, {targets} targets; {', '.join(categories)}")
    if masks := counts_of(found.folder):
        lines.append(f"masks     {', '.join(f'{n} {family}' for family, n in masks.items())}")
    if description.certificate is not None:
        lines += list(description.certificate.sentences)
    clipped = description.quality.get("canvas_clipped_fraction", {})
    if clipped:
        lines.append(f"clipped   median {clipped['median']:.1%}, largest {clipped['largest']:.1%} of a canvas")
    for name, spread in description.quality.get("captured_importance", {}).items():
        lines.append(f"captured  {name}: median {spread['median']:.0%} of the importance at 100 % of the features")
    try:
        flags = sheet_flags(found)
        lines += [f"flag      {one.image_id} {one.map_source}: {one.text}" for one in flags[:20]]
        if len(flags) > 20:
            lines.append(f"          and {len(flags) - 20} more; see the contact sheet")
    except InputError as error:
        lines.append(f"flags     not known ({error})")
    return "\n".join(lines)
