"""The ClickMe release: TFRecord files with image, map, label and click count in each record.

Both schemas are read: raw float32 (version 1 of the release) and JPEG. A record has no name, so images are called
``<file name without suffix>-<number of the record, six digits>``.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.formats import tfrecord
from rapidvision.formats.game.release_record import decode
from rapidvision.images.listing import list_images

from ...input_tables import MapSource
from .base import DenseMap, dense

SUFFIXES = (".tfrecords", ".tfrecord")


@dataclass(frozen=True, slots=True, eq=False)
class ClickMeRecord:
    """A record of the release.

    Attributes
    ----------
    image_id : str
        ``<file>-<number>``.
    image : bytes
        As stored: raw float32 or an encoded image.
    heatmap : ndarray or None
        The map, shape (height, width); None where the record has none.
    label : int
        ImageNet class, -1 where unknown.
    n_clicks : int
        Click count, -1 where unknown.
    """

    image_id: str
    image: bytes
    heatmap: NDArray[np.generic] | None
    label: int
    n_clicks: int


class ClickMeReader:
    """Maps of a TFRecord file, or of all TFRecord files in a folder.

    Parameters
    ----------
    path : Path
        File or folder. A record's checksum is compared when its map is read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._records = {
            f"{one.stem}-{record.number:06d}": (one, record)
            for one in record_files(path)
            for record in tfrecord.records(one, verify=False)
        }

    def __reduce__(self) -> tuple[type["ClickMeReader"], tuple[Path]]:
        """Another process maps the files into its own memory."""
        return ClickMeReader, (self.path,)

    def has(self, image_id: str) -> bool:
        """Whether there is such a record."""
        return image_id in self._records

    def image_ids(self) -> Collection[str]:
        """Every image that the source has."""
        return self._records.keys()

    def read(self, image_id: str) -> DenseMap:
        """Read the map of an image."""
        if image_id not in self._records:
            raise InputError(f"{self.path}: no record {image_id}; images are called FILE-000000, FILE-000001 …")
        file, stored = self._records[image_id]
        stored.check(file)
        record = parsed(stored.payload, image_id, where=f"{self.path}: {image_id}")
        if record.heatmap is None:
            raise InputError(f"{self.path}: record {image_id} has no heatmap; leave the image out")
        return dense(record.heatmap, where=f"{self.path}: {image_id}")


def open_clickme(path: Path, source: MapSource) -> ClickMeReader:  # noqa: ARG001
    """Open the release's TFRecord files."""
    return ClickMeReader(path)


def record_files(path: Path) -> list[Path]:
    """Return the TFRecord files that a path names, sorted.

    Raises
    ------
    InputError
        When there is none, or two have one name but for the suffix: their records would have one name.
    """
    if path.is_file():
        return [path]
    found = list(list_images(path, suffixes=SUFFIXES).paths)
    if not found:
        raise InputError(f"{path}: no TFRecord files ({', '.join(SUFFIXES)}) here")
    return found


def records(path: Path) -> Iterator[ClickMeRecord]:
    """Yield every record of a file, checksums verified."""
    for record in tfrecord.records(path):
        image_id = f"{path.stem}-{record.number:06d}"
        yield parsed(record.payload, image_id, where=f"{path}: record {record.number}")


def parsed(payload: memoryview, image_id: str, *, where: str) -> ClickMeRecord:
    """Read one record.

    Raises
    ------
    InputError
        When the record has neither of the release's schemas, or its values do not fit its size.
    """
    found = decode(payload, where=where)
    map_ = tfrecord.image(found.heatmap, n_channels=1, where=where) if found.heatmap else None
    label, n_clicks = (-1 if number is None else number for number in (found.label, found.click_count))
    return ClickMeRecord(image_id, found.image, map_, label, n_clicks)
