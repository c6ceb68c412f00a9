"""The stimuli that plans show: hashed, then decoded once each."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import CheckFailed, InputError
from rapidvision.images.load import load_rgb
from rapidvision.plan import Plan
from rapidvision.system import files

_DECODERS = 2


def stimuli_of(plans: Iterable[Plan]) -> dict[str, str]:
    """Path → hash of every image that the plans show, or may show where a level adapts; sorted by path, masks left out."""
    return dict(
        sorted(
            {
                (image.path, image.stimulus_sha256)
                for plan in plans
                for trial in plan.trials()
                for images in (trial.images, *(choice.images for choice in trial.choices))
                for image in images.values()
            }
        )
    )


def once(stimuli: dict[str, str]) -> dict[str, str]:
    """Path → hash of the stimuli without those whose content came before under another path.

    Examples
    --------
    >>> once({"a.png": "1", "b.png": "2", "c.png": "1"})
    {'a.png': '1', 'b.png': '2'}
    """
    first = {sha256: path for path, sha256 in reversed(stimuli.items())}
    return {path: sha256 for path, sha256 in stimuli.items() if first[sha256] == path}


def verify(folder: Path, stimuli: dict[str, str]) -> None:
    """Hash the files that will be shown.

    Raises
    ------
    CheckFailed
        Names the first ten that are missing or not what was planned.
    """

    def fault(item: tuple[str, str]) -> str | None:
        path, sha256 = item
        try:
            return None if files.sha256_file(folder / path) == sha256 else f"{path} (changed)"
        except InputError:
            return f"{path} (missing)"

    with ThreadPoolExecutor(_DECODERS) as pool:
        wrong = [found for found in pool.map(fault, stimuli.items()) if found]
    if wrong:
        more = f" and {len(wrong) - 10} more" if len(wrong) > 10 else ""
        raise CheckFailed(
            f"{folder}: {', '.join(wrong[:10])}{more}; no network has seen anything: build the stimulus set again"
        )


def decoded(folder: Path, stimuli: dict[str, str], *, batch_size: int) -> Iterator[NDArray[np.uint8]]:
    """Yield batches of images, uint8 (n, height, width, 3), decoded ahead of their use; memory stays bounded."""

    def one(item: tuple[str, str]) -> NDArray[np.uint8]:
        data = files.read_bytes(folder / item[0])
        if files.sha256(data) != item[1]:
            raise CheckFailed(f"{folder / item[0]}: changed while networks were looking; start again")
        return load_rgb(data, name=str(folder / item[0]))

    items = iter(stimuli.items())
    with ThreadPoolExecutor(_DECODERS) as pool:
        ahead = [pool.submit(one, item) for item in islice(items, 2 * batch_size)]
        while ahead:
            now, ahead = ahead[:batch_size], ahead[batch_size:]
            ahead += [pool.submit(one, item) for item in islice(items, batch_size)]
            images = [future.result() for future in now]
            sizes = sorted({image.shape[:2] for image in images})
            if len(sizes) > 1:
                raise InputError(f"{folder}: stimuli of {sizes[0]} and {sizes[1]} px; networks need images of one size")
            yield np.stack(images)
