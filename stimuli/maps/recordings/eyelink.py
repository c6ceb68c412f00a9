"""EyeLink ASC files: gaze samples of the blocks between messages that name an image."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rapidvision.errors import InputError

from ...input_tables import MapSource
from ..readers.folder import names_in
from ..readers.point_store import PointWriter
from ..readers.points import PointsReader

#: A message that names an image, where the recipe's `key` does not say how one looks.
_ANY = re.compile(r"(?P<name>\S+\.(?:png|jpe?g|bmp|tiff?|gif|webp|pcx))\b", re.IGNORECASE)
#: Messages after which no image is shown.
_ENDS = ("TRIAL_RESULT", "TRIAL OK", "!V CLEAR", "STIMULUS_OFF")


def open_eyelink(path: Path, source: MapSource) -> PointsReader:
    """Open an ASC file, or all of a folder, each being one participant's.

    An image begins with a message that names its file, or has the form of the recipe's `key` (as in
    ``TRIALID {trial} {name}``), and ends with the next one, with END or TRIAL_RESULT. Of two eyes the mean is taken
    where both were tracked.

    Raises
    ------
    InputError
        When there is no file, a sample cannot be read, or samples are not gaze positions: names file and line.
    """
    named = _ANY if not source.key else message_pattern(source.key, where=str(path))
    points = PointWriter(path, source.naming)
    found = (
        [path] if path.is_file() else [path / one for one in names_in(path, deep=True) if one.lower().endswith(".asc")]
    )
    if not found:
        raise InputError(f"{path}: no .asc files here; convert EDF files with edf2asc")
    n_beside = sum(_read(file, points, named) for file in found)
    beside = f"{n_beside} samples while no image was shown" if n_beside else ""
    return PointsReader(
        path, points.close(), origin=0, source=source, left_out=", ".join(filter(None, (points.left_out, beside)))
    )


def message_pattern(key: str, *, where: str) -> re.Pattern[str]:
    """Return the regular expression of messages that begin an image; InputError unless `key` has ``{name}``.

    Examples
    --------
    >>> message_pattern("TRIALID {trial} {name}", where="a").search("TRIALID 3 img_7.jpg")["name"]
    'img_7.jpg'
    """
    if "{name}" not in key:
        raise InputError(f'{where}: key is "{key}"; a message like "TRIALID {{trial}} {{name}}" is needed')
    parts = re.split(r"\{([a-z_]+)\}", key)
    pattern = "".join(re.escape(part) if place % 2 == 0 else rf"(?P<{part}>\S+)" for place, part in enumerate(parts))
    return re.compile(pattern)


def _read(file: Path, points: PointWriter, named: re.Pattern[str]) -> int:
    """Read one file; returns the number of samples that belong to no image."""
    frame: tuple[int, int] | None = None
    corner = (0.0, 0.0)
    image, n_eyes, gaze = "", 1, True
    x: list[float] = []
    y: list[float] = []
    n_missing = n_beside = 0

    def done() -> None:
        nonlocal x, y, n_missing
        if image:
            points.add(
                image,
                np.array(x) - corner[0],
                np.array(y) - corner[1],
                person=str(file),
                frame_px=frame,
                n_missing=n_missing,
                where=str(file),
            )
        x, y, n_missing = [], [], 0

    for number, line in _lines(file):
        words = line.split()
        if not words:
            continue
        if words[0] == "MSG":
            text = line.split(None, 2)[2] if len(words) > 2 else ""
            if "GAZE_COORDS" in text:
                frame, corner = _display(text, f"{file}: line {number}")
            if (match := named.search(text)) is not None:
                done()
                image = match["name"]
            elif text.startswith(_ENDS):
                done()
                image = ""
        elif words[0] == "SAMPLES":
            gaze, n_eyes = "GAZE" in words, sum(eye in words for eye in ("LEFT", "RIGHT"))
        elif words[0] == "END":
            done()
            image = ""
        elif words[0][0].isdigit():
            if not image:
                n_beside += 1
                continue
            if not gaze:
                raise InputError(f"{file}: line {number}: samples are no gaze positions; convert the EDF without -h")
            place = _sample(words, n_eyes, f"{file}: line {number}")
            if place is None:
                n_missing += 1
            else:
                x.append(place[0])
                y.append(place[1])
    done()
    return n_beside


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    try:
        with file.open(encoding="latin-1", newline=None) as stream:
            yield from enumerate(stream, 1)
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from error


def _display(text: str, where: str) -> tuple[tuple[int, int], tuple[float, float]]:
    """Return size and left upper corner; the last pixel is named, or the size itself, as an even number tells."""
    try:
        left, top, right, bottom = (float(word) for word in text.split("GAZE_COORDS")[1].split()[:4])
    except ValueError:
        raise InputError(f"{where}: GAZE_COORDS without four numbers") from None
    width, height = (int(last - first) + int(last - first) % 2 for first, last in ((left, right), (top, bottom)))
    if width < 1 or height < 1:
        raise InputError(f"{where}: GAZE_COORDS of a display without extent")
    return (width, height), (left, top)


def _sample(words: list[str], n_eyes: int, where: str) -> tuple[float, float] | None:
    """Return a sample's position, the mean of the eyes that were tracked; None where none was."""
    places = []
    for eye in range(max(1, n_eyes)):
        try:
            x, y = words[1 + 3 * eye], words[2 + 3 * eye]
            if x != "." and y != ".":
                places.append((float(x), float(y)))
        except (IndexError, ValueError):
            raise InputError(f"{where}: not a sample of {n_eyes} eyes; is the file cut off?") from None
    if not places:
        return None
    return sum(x for x, _ in places) / len(places), sum(y for _, y in places) / len(places)
