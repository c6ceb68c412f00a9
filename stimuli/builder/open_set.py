"""Sets on the disk, whatever their form."""

from pathlib import Path

from rapidvision.formats.manifest import PACKED, StimulusSet, read_set

from .packed import PackedSet, read_packed


def open_set(folder: Path | str) -> StimulusSet | PackedSet:
    """Read a set, packed or not; InputError when the folder holds neither."""
    folder = Path(folder)
    return read_packed(folder) if (folder / PACKED).is_file() else read_set(folder)
