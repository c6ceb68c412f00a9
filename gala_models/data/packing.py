"""``models pack-dataset``: which kind of source lies there, and into the store with it."""

from collections.abc import Sequence
from pathlib import Path

from rapidvision.errors import InputError
from rapidvision.formats import image_folder
from rapidvision.numerics.blur import parse
from rapidvision.system import files
from rapidvision.system.progress import progress

from . import folders, sources
from .dataset import StoreDescription, pack
from .sources import Source


def source_at(
    paths: Sequence[Path], *, maps: str = "clickme", map_folder: Path | None = None, first_label: int = 0
) -> Source:
    """Return the source that lies at `paths`: TFRecords, .npz files, a picture folder, or class folders."""
    if not paths or not all(path.exists() for path in paths):
        missing = [str(path) for path in paths if not path.exists()]
        raise InputError(f"pack: {', '.join(missing) or 'nothing'}: no such file or folder")
    if all(path.is_file() for path in paths):
        return sources.tfrecords(paths, first_label=first_label)
    if len(paths) > 1:
        raise InputError("pack: give one folder, or one or more TFRecord files")
    folder = paths[0]
    if (folder / image_folder.TABLE).is_file():
        return folders.picture_folder(folder, maps=maps)
    if any(folder.glob("*.npz")):
        return sources.npz(folder, first_label=first_label)
    return folders.class_folders(folder, maps=map_folder)


def pack_from(
    paths: Sequence[Path],
    out: Path,
    *,
    side_px: int,
    maps: str = "clickme",
    map_folder: Path | None = None,
    blur: str = "none",
    first_label: int = 0,
    strict: bool = False,
    skip_bad: bool = False,
    quiet: bool = False,
) -> StoreDescription:
    """Pack what lies at `paths`; see :func:`rapidvision.gala_models.data.dataset.pack`."""
    parse(blur)  # a name that is none is refused before anything is read
    source = source_at(paths, maps=maps, map_folder=map_folder, first_label=first_label)
    with progress("packing", source.n, quiet=quiet) as advance:
        store = pack(
            source,
            out,
            n=source.n,
            side_px=side_px,
            categories=source.categories,
            blur=blur,
            strict=strict,
            skip_bad=skip_bad,
            ignored=source.ignored,
            provenance=files.provenance(
                f"models pack-dataset {' '.join(path.name for path in paths)}", packages=("numpy", "pillow")
            ),
            advance=advance,
        )
    return store.description
