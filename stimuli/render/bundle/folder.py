"""An image folder on disk: images, maps, parts, objects, and the table that names them."""

import io
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.formats import image_folder
from rapidvision.images.png import png_bytes
from rapidvision.system import files, progress
from rapidvision.system.pools import pool_of

from ..shapes.body import PARTS

if TYPE_CHECKING:
    from .select import Candidate

CATEGORIES: Final = ("bird", "zebra", "elephant", "cat", "table", "couch", "refrigerator", "umbrella")
TARGETS: Final = frozenset(CATEGORIES[:4])
SOURCES: Final = ("clickme", "salicon")
FORMS: Final = ("png", "webp")
LICENCE: Final = "CC0-1.0"
POOL_PX: Final = 128
"""Side of the candidates from which images are chosen."""


class Item(NamedTuple):
    """One image to draw: its category and number under the seed, its name and its phase."""

    category: str
    number: int
    image_id: str
    phase: str


def plan(n_per_category: Sequence[int], practice_per_category: int = 0) -> list[Item]:
    """Return the images of a folder, category by category; practice images are numbered after the main ones.

    Examples
    --------
    >>> [item.image_id for item in plan([1] * 8)][:2]
    ['bird-0000', 'zebra-0000']
    """
    out = []
    for category, n in zip(CATEGORIES, n_per_category, strict=True):
        for number in range(n + practice_per_category):
            phase = "main" if number < n else "practice"
            out.append(Item(category, number, f"{category}-{number:04d}", phase))
    return out


def chosen(
    n: int, practice: int, pool: int, *, seed: int, workers: int = 1, quiet: bool = True, size: int = POOL_PX
) -> list[Item]:
    """Return `n` main and `practice` practice images of each category, chosen from `pool` candidates by ``select``.

    Images that a viewer could not name at a glance (``select.UNCLEAR``) are replaced by the next ones of the rule.

    Parameters
    ----------
    n, practice, pool : int
        Per category; `pool` candidates are drawn at `size` px and measured.
    seed : int
        Of the images.
    workers : int, default 1
        Processes.
    quiet : bool, default True
        No progress.
    size : int, default 128
        Side of the candidates.

    Raises
    ------
    CheckFailed
        When too few candidates pass the gates.
    """
    from .select import UNCLEAR, choose, replaced

    jobs = [(category, number, seed, size) for category in CATEGORIES for number in range(pool)]
    with progress.progress("candidates", len(jobs), quiet=quiet) as advance:
        measured = []
        for one in _each(_measure_one, jobs, workers):
            measured.append(one)
            advance(1)
    out = []
    for i, category in enumerate(CATEGORIES):
        candidates = measured[i * pool : (i + 1) * pool]
        taken = choose(candidates, n)
        rest = [one for one in candidates if one.number not in taken]
        taken += choose(rest, practice) if practice else []
        taken = replaced(candidates, taken, UNCLEAR.get(seed, {}).get(category, ()))
        phases = [(number, "main" if place < n else "practice") for place, number in enumerate(taken)]
        out += [
            Item(category, number, f"{category}-{number:04d}", phase)
            for number, phase in sorted(phases, key=lambda one: one[1])
        ]
    return out


def _measure_one(job: tuple[str, int, int, int]) -> "Candidate":
    from .drawn_image import draw
    from .select import candidate

    category, number, seed, size = job
    return candidate(draw(category, seed=seed, number=number, size=size))


def balanced(n: int) -> list[int]:
    """Share `n` images among the categories; the first ones, taken in turn from targets and distractors, get the rest.

    Examples
    --------
    >>> balanced(10)
    [2, 1, 1, 1, 2, 1, 1, 1]
    """
    turn = [0, 4, 1, 5, 2, 6, 3, 7]
    return [n // 8 + (turn.index(i) < n % 8) for i in range(8)]


def render(
    out: Path | str,
    items: Sequence[Item],
    *,
    seed: int,
    size: int = 256,
    maps: Sequence[str] = SOURCES,
    form: str = "png",
    workers: int = 1,
    quiet: bool = True,
) -> None:
    """Draw images and maps into a folder.

    Parameters
    ----------
    out : path-like
        Made if missing. ``images.csv`` is written last: a folder without it is not whole.
    items : sequence of Item
        What to draw; see :func:`plan`.
    seed : int
        Decides everything, whatever `workers` is.
    size : int, default 256
        Side in pixels.
    maps : sequence of str, default both
        Which of ``clickme`` and ``salicon`` to make.
    form : str, default "png"
        File form of the images: ``png``, or ``webp``, which keeps every pixel too and needs two thirds of the space.
    workers : int, default 1
        Processes.
    quiet : bool, default True
        No progress.

    Raises
    ------
    InputError
        For an unknown map source or file form, no images, or fewer than one worker.
    MissingExtra
        Without Numba.
    """
    unknown = sorted(set(maps) - set(SOURCES))
    if unknown:
        raise InputError(f"maps: got {', '.join(unknown)}; allowed are {', '.join(SOURCES)}")
    if form not in FORMS:
        raise InputError(f"format: got {form}; allowed are {', '.join(FORMS)}")
    if workers < 1 or not items:
        raise InputError(f"render: got {workers} workers and {len(items)} images; both must be 1 or more")
    from rapidvision.system.extras import need

    from .drawn_image import check_size

    check_size(size)
    need("numba", extra="fast", purpose="drawing images")
    out = Path(out)
    for folder in ("images", "parts", "objects", *(f"maps/{source}" for source in maps)):
        (out / folder).mkdir(parents=True, exist_ok=True)
    jobs = [_Job(str(out), item, seed, size, tuple(maps), form) for item in items]
    with progress.progress("images", len(items), quiet=quiet) as advance:
        for _ in _each(_draw_one, jobs, workers):
            advance(1)
    files.write_json(out / "parts.json", dict(enumerate(PARTS)))
    image_folder.write_table(out / image_folder.TABLE, table(items, seed=seed, form=form))


def table(items: Sequence[Item], *, seed: int, form: str = "png") -> list[dict[str, object]]:
    """Return the rows of a folder's ``images.csv``: column → cell."""
    return [
        {
            "image_id": item.image_id,
            "path": f"images/{item.image_id}.{form}",
            "category": item.category,
            "target": item.category in TARGETS,
            "phase": item.phase,
            "credit": f"RapidVision renderer, seed {seed}, {item.category} {item.number}",
            "licence": LICENCE,
        }
        for item in items
    ]


class _Job(NamedTuple):
    """What one worker needs to draw one image."""

    out: str
    item: Item
    seed: int
    size: int
    maps: tuple[str, ...]
    form: str


J = TypeVar("J")
R = TypeVar("R")


def _each(work: Callable[[J], R], jobs: list[J], workers: int) -> Iterator[R]:
    """Do `work` for each job, in order."""
    if workers == 1:
        yield from map(work, jobs)
        return
    with pool_of(min(workers, len(jobs))) as pool:
        yield from pool.map(work, jobs, chunksize=max(1, min(16, len(jobs) // (4 * workers))))


def _draw_one(job: _Job) -> None:
    from ..observers.gaze import salicon_map
    from ..observers.players import clickme_map
    from .drawn_image import draw

    out, item, seed, size, maps, form = job
    root, name = Path(out), f"{item.image_id}.png"
    image = draw(item.category, seed=seed, number=item.number, size=size)
    encode = partial(png_bytes, effort=9) if form == "png" else webp
    files.write_bytes(root / "images" / f"{item.image_id}.{form}", encode(image.image))
    files.write_bytes(root / "parts" / name, png_bytes(image.parts, effort=9))
    files.write_bytes(root / "objects" / name, png_bytes(image.objects, effort=9))
    key = {"seed": seed, "number": item.number}
    if "clickme" in maps:
        values = clickme_map(image.parts, image.objects, item.category, **key)
        files.write_bytes(root / "maps/clickme" / name, png_bytes(values, effort=9))
    if "salicon" in maps:
        values = salicon_map(image.image, category=item.category, **key)
        files.write_bytes(root / "maps/salicon" / name, png_bytes(values, effort=9))


def webp(pixels: NDArray[np.uint8]) -> bytes:
    """Encode colour pixels as lossless WebP."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", lossless=True, quality=100, method=6, exact=True)
    return buffer.getvalue()
