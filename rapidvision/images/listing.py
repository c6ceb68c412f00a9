"""Which files of a folder are images: hidden ones are none, and what is left out is counted by its suffix."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rapidvision.errors import InputError

from .load import IMAGE_SUFFIXES

#: What operating systems leave in folders, besides names that begin with a dot.
_SYSTEM_NAMES = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db", "__macosx", "$recycle.bin", "__pycache__"})


@dataclass(frozen=True, slots=True)
class Listing:
    """The image files of one folder, or its folders, and what was left out.

    Attributes
    ----------
    paths : tuple of Path
        Sorted by name.
    n_hidden : int
        Hidden files and folders: names that begin with a dot, and those that operating systems leave behind.
    ignored : dict of str to int
        Suffix, in lower case → number of files with it that are no images; ``"folder"`` and ``"no suffix"`` too.
    """

    paths: tuple[Path, ...]
    n_hidden: int
    ignored: dict[str, int]

    @property
    def left_out(self) -> str:
        """What was left out, in words; empty if nothing was.

        Examples
        --------
        >>> Listing((), 1, {".txt": 2}).left_out
        '2 .txt, 1 hidden'
        """
        parts = [f"{n} {suffix}" for suffix, n in sorted(self.ignored.items())]
        return ", ".join(parts + ([f"{self.n_hidden} hidden"] if self.n_hidden else []))


def is_hidden(path: Path) -> bool:
    """Whether a file or folder is none of the user's, as ``.ipynb_checkpoints``, ``._a.jpg`` and ``Thumbs.db`` are."""
    return path.name.startswith(".") or path.name.casefold() in _SYSTEM_NAMES


def list_images(folder: Path | str, *, suffixes: Iterable[str] = IMAGE_SUFFIXES) -> Listing:
    """List the image files of a folder, not of its subfolders.

    Parameters
    ----------
    folder : path-like
        The folder.
    suffixes : iterable of str
        Suffixes of the files wanted, in lower case; those of the files are compared in any case.

    Returns
    -------
    Listing
        Files in the order of their names, and what was left out.

    Raises
    ------
    InputError
        When there is no such folder, or two files have one name but for suffix and capitals: one id, two images.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("b.JPEG", "a.png", "._a.png", "notes.txt"):
    ...         (Path(folder) / name).touch()
    ...     listing = list_images(folder)
    >>> [path.name for path in listing.paths], listing.n_hidden, listing.ignored
    (['a.png', 'b.JPEG'], 1, {'.txt': 1})
    """
    wanted, found, ignored, n_hidden = frozenset(suffixes), [], Counter[str](), 0
    for path in _entries(folder):
        if is_hidden(path):
            n_hidden += 1
        elif path.is_dir():
            ignored["folder"] += 1
        elif path.suffix.lower() in wanted:
            found.append(path)
        else:
            ignored[path.suffix.lower() or "no suffix"] += 1
    seen: dict[str, Path] = {}
    for path in found:
        other = seen.setdefault(path.stem.casefold(), path)
        if other != path:
            raise InputError(f"{folder}: {other.name} and {path.name} have one name; rename or remove one of them")
    return Listing(tuple(found), n_hidden, dict(ignored))


def list_folders(folder: Path | str) -> Listing:
    """List the folders in a folder, for example one per class; hidden ones are counted, files are ignored by suffix.

    Raises
    ------
    InputError
        When there is no such folder, or two names differ only in capitals.
    """
    found, ignored, n_hidden = [], Counter[str](), 0
    for path in _entries(folder):
        if is_hidden(path):
            n_hidden += 1
        elif path.is_dir():
            found.append(path)
        else:
            ignored[path.suffix.lower() or "no suffix"] += 1
    seen: dict[str, Path] = {}
    for path in found:
        other = seen.setdefault(path.name.casefold(), path)
        if other != path:
            raise InputError(f"{folder}: {other.name} and {path.name} differ only in capitals; rename one of them")
    return Listing(tuple(found), n_hidden, dict(ignored))


def _entries(folder: Path | str) -> list[Path]:
    try:
        return sorted(Path(folder).iterdir(), key=lambda path: path.name)
    except FileNotFoundError:
        raise InputError(f"{folder}: no such folder") from None
    except OSError as error:
        raise InputError(f"{folder}: cannot be listed ({error.strerror})") from error
