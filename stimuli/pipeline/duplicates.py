"""The same image twice: by its bytes, and by what it looks like when it was saved anew.

An image that was saved again in another format, size or quality has other bytes and still is the same image to a
participant. Its look (the mean luma of 8 x 8 fields) hardly changes by that, while different photographs differ by
tens of grey levels.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.system import files

from ..image.load import LUMA
from .image_list import ImageEntry

FIELDS = 8
#: Root mean square difference of two looks in grey levels up to which two images are called the same.
SAME_LEVELS = 1.0


class HashedImage(NamedTuple):
    """An image, the hash of its file, and its look."""

    job: ImageEntry
    sha256: str
    look: str


def perceptual_hash(pixels: NDArray[np.uint8]) -> str:
    """Return the mean luma of 8 x 8 fields of an image (side, side, 3) as 128 hexadecimal digits.

    Examples
    --------
    >>> perceptual_hash(np.full((16, 16, 3), 255, np.uint8)) == 64 * "ff"
    True
    """
    edges = np.arange(FIELDS) * pixels.shape[0] // FIELDS
    sums = np.add.reduceat(np.add.reduceat(pixels, edges, axis=0, dtype=np.uint32), edges, axis=1)
    widths = np.diff(edges, append=pixels.shape[0])
    means = (sums @ LUMA) / np.outer(widths, widths)
    fields: NDArray[np.uint8] = np.rint(means).astype(np.uint8)
    return fields.tobytes().hex()


def check_duplicates(images: Iterable[tuple[ImageEntry, str]]) -> None:
    """Refuse the same file under two ids: it would be seen twice, or in practice and in the main phase."""
    seen: dict[str, ImageEntry] = {}
    for job, sha256 in images:
        other = seen.setdefault(sha256, job)
        if other.image_id != job.image_id:
            raise InputError(f"{_pair(other, job)} are the same file; {_REMEDY}")


def hashed_where_sizes_agree(jobs: Iterable[ImageEntry]) -> Iterator[tuple[ImageEntry, str]]:
    """Yield the jobs whose files have the size of another one's, with their hashes.

    Only equal sizes can be equal files, so that few of a large set have to be read before the build.
    """
    by_size: dict[int, list[ImageEntry]] = {}
    for job in jobs:
        path = Path(job.path)
        if not path.is_file():
            raise InputError(f"{path}: no such file")
        by_size.setdefault(path.stat().st_size, []).append(job)
    for group in by_size.values():
        if len(group) > 1:
            yield from ((job, files.sha256_file(job.path)) for job in group)


_REMEDY = "participants must see each image once, so remove one"


def _pair(one: ImageEntry, other: ImageEntry) -> str:
    return f"{one.image_id} ({one.phase}, {one.category}) and {other.image_id} ({other.phase}, {other.category})"


def find_duplicates(images: Iterable[HashedImage]) -> list[tuple[ImageEntry, ImageEntry, float]]:
    """Return the pairs of images that look the same, and the root mean square difference of their looks.

    Parameters
    ----------
    images : iterable of HashedImage
        Of the whole set; those without a look are passed over.
    """
    from scipy.spatial import cKDTree

    known = [one for one in images if one.look]
    if len(known) < 2:
        return []
    looks = np.frombuffer(bytes.fromhex("".join(one.look for one in known)), np.uint8).reshape(len(known), -1)
    looks = looks.astype(np.float32)
    coarse = looks.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(len(known), 16)  # never further apart than looks
    found = []
    for first, second in sorted(cKDTree(coarse).query_pairs(4 * SAME_LEVELS)):
        difference = float(np.sqrt(np.mean((looks[first] - looks[second]) ** 2)))
        if difference <= SAME_LEVELS:
            found.append((known[first].job, known[second].job, difference))
    return found


def check_across_phases(images: Iterable[HashedImage]) -> None:
    """Refuse a practice image that looks the same as one of the main phase.

    Within a phase images may be alike (frames of one scene, a plain object on a plain background); :func:`find_duplicates`
    tells which are.
    """
    for one, other, difference in find_duplicates(images):
        if one.phase != other.phase:
            raise InputError(
                f"{_pair(one, other)} look the same (their fields differ by {difference:.1f} grey levels), as if one "
                f"were the other saved anew; {_REMEDY}"
            )
