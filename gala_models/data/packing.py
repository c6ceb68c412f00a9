"""``models pack-dataset``: which kind of source lies there, and into the store with it."""

from collections.abc import Sequence
from pathlib import Path

from rapidvision.errors import InputError
from rapidvision.formats import image_folder
from rapidvision.numerics.blur import parse
from rapidvision.system import files
from rapidvision.system.progress import progress

from . import folders, sources, tars
from .dataset import StoreDescription, pack
from .example import MapFit
from .sources import Source


def source_at(
    paths: Sequence[Path], *, maps: str = "clickme", map_folder: Path | None = None, first_label: int = 0
) -> Source:
    """Return the source that lies at `paths`: TFRecords, WebDataset tars, .npz files, an image folder, or class folders."""
    if not paths or not all(path.exists() for path in paths):
        missing = [str(path) for path in paths if not path.exists()]
        raise InputError(f"pack: {', '.join(missing) or 'nothing'}: no such file or folder")
    if all(path.is_file() and path.suffix == ".tar" for path in paths):
        return tars.tars(paths, first_label=first_label)
    if all(path.is_file() for path in paths):
        return sources.tfrecords(paths, first_label=first_label)
    if len(paths) > 1:
        raise InputError("pack: give one folder, or one or more TFRecord or tar files")
    folder = paths[0]
    if (folder / image_folder.TABLE).is_file():
        return folders.images_in_folder(folder, maps=maps)
    if any(folder.glob("*.npz")):
        return sources.npz(folder, first_label=first_label)
    return folders.class_folders(folder, maps=map_folder)


def pack_images(
    paths: Sequence[Path | str] | Path | str,
    out: Path | str,
    *,
    side_px: int,
    maps: str = "clickme",
    map_folder: Path | str | None = None,
    blur: str = "none",
    first_label: int = 0,
    strict: bool = False,
    skip_bad: bool = False,
    map_fit: MapFit = "same",
    n_workers: int = 1,
    quiet: bool = True,
) -> StoreDescription:
    """Pack images, maps and labels into a store, which training and evaluation read at random.

    Parameters
    ----------
    paths : path-like or sequence of path-like
        ClickMe TFRecord files; WebDataset tars; or a folder of ``.npz``, an image folder with ``images.csv``, or a folder with one folder
        per class.
    out : path-like
        Folder of the store, new or empty.
    side_px : int
        Side of the stored images.
    maps : str, default "clickme"
        Which maps of an image folder.
    map_folder : path-like, optional
        Maps of class folders.
    blur : {"none", "box", ...}
        Of the maps; see :func:`rapidvision.gala_models.data.targets.kernel`.
    first_label : int, default 0
        What the first class is called in TFRecords and ``.npz``.
    strict : bool, default False
        Refuse maps that cannot be used instead of leaving them out, counted.
    skip_bad : bool, default False
        Leave out images that cannot be read, listed, instead of stopping.
    map_fit : {"same", "resized", "centre"}
        What maps show: their image at its own size; the whole image at another size; the square centre of the image.
    n_workers : int, default 1
        Processes that read and scale images; the bytes do not depend on it.
    quiet : bool, default True
        No progress bar.

    Returns
    -------
    StoreDescription
        What is in the store, with counts. Pack again to resume a run that was stopped.

    Raises
    ------
    InputError
        Names the file that cannot be used.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from PIL import Image
    >>> import rapidvision as rv
    >>> rng = np.random.default_rng(0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("cat", "dog"):
    ...         (Path(folder) / "images" / name).mkdir(parents=True)
    ...         pixels = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    ...         Image.fromarray(pixels).save(Path(folder) / "images" / name / "one.png")
    ...     found = rv.models.pack_images(folder + "/images", folder + "/store", side_px=64)
    >>> found.n, [each.name for each in found.categories]
    (2, ['cat', 'dog'])
    """
    parse(blur)  # a name that is none is refused before anything is read
    places = [Path(paths)] if isinstance(paths, str | Path) else [Path(one) for one in paths]
    out = Path(out)
    source = source_at(
        places, maps=maps, map_folder=None if map_folder is None else Path(map_folder), first_label=first_label
    )
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
            map_fit=map_fit,
            n_workers=n_workers,
            ignored=source.ignored,
            provenance=files.provenance(
                f"models pack-dataset {' '.join(path.name for path in places)}", packages=("numpy", "pillow")
            ),
            advance=advance,
        )
    return store.description
