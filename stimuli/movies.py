"""Planned trials as movies: every phase with exact frame times, as the paper sent them to browsers.

"Each trial sequence was converted to an HTML5-compatible video format to provide the fastest reliable presentation
time possible in a web browser" (paper, appendix).
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.formats import movies
from rapidvision.formats.manifest import StimulusSet
from rapidvision.formats.movies import Movie, frames_of, movie_id
from rapidvision.grammar.runners import refuse
from rapidvision.images.load import load_rgb
from rapidvision.plan import Plan
from rapidvision.protocol import Protocol
from rapidvision.system import files
from rapidvision.system.extras import need
from rapidvision.system.progress import Advance, silent
from rapidvision.task.trial import Trial, TrialPhase

Codec = Literal["vp9", "h264"]
Background = tuple[int, int, int]

_ENCODERS = {"vp9": ("libvpx-vp9", "webm"), "h264": ("libx264", "mp4")}
_OPTIONS = {
    "vp9": {"crf": "8", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "0", "threads": "1"},
    "h264": {"crf": "6", "preset": "medium", "threads": "1"},
}


def planned_movies(plans: Iterable[Plan]) -> dict[str, tuple[Trial, Protocol]]:
    """Return what the movies of plans show: id of the movie -> the first trial that shows it, and its protocol.

    Parameters
    ----------
    plans : iterable of Plan
        Whose trials.

    Raises
    ------
    InputError
        When a protocol cannot be shown as movies: names the field and the reason.
    """
    found: dict[str, tuple[Trial, Protocol]] = {}
    checked: set[str] = set()
    for plan in plans:
        if plan.protocol.digest not in checked:
            refuse(plan.protocol, "movie", name=plan.protocol.name)
            checked.add(plan.protocol.digest)
        for trial in plan.trials():
            found.setdefault(movie_id(trial, plan.protocol), (trial, plan.protocol))
    return found


def write_movie(
    trial: Trial,
    found: StimulusSet,
    path: Path | str,
    *,
    background: Background,
    hz: Fraction | int = 60,
    codec: Codec = "vp9",
) -> tuple[int, ...]:
    """Write one trial as a movie; frame `n` is shown at n / hz seconds exactly.

    Parameters
    ----------
    trial : Trial
        As planned.
    found : StimulusSet
        The set with its images and masks; their side is even.
    path : path-like
        ``.webm`` for VP9, ``.mp4`` for H.264.
    background : (int, int, int)
        Colour of everything that is no image, 0 to 255.
    hz : Fraction or int
        Frames per second, 10 … 480; 59.94 Hz is ``Fraction("59.94")``.
    codec : {"vp9", "h264"}
        Video format.

    Returns
    -------
    tuple of int
        Frames of each phase.

    Raises
    ------
    MissingExtra
        When PyAV is not installed.
    InputError
        When the set's side is odd, a file changed since the set was built, a phase has no frame, or the movie cannot be
        written.
    """
    av = need("av", extra="online", purpose="a trial movie")
    side = found.description.image_px
    if side % 2:
        raise InputError(f"{found.folder}: images of {side} x {side}; movies need even sides")
    if not 10 <= hz <= 480:
        raise InputError(f"frame rate: got {float(hz):g} Hz, allowed are 10 to 480")
    counts = frames_of(trial, hz)
    encoder, container = _ENCODERS[codec]
    rate = Fraction(hz)
    with files.atomic(path, durable=False) as file, av.open(file, "w", format=container) as movie:
        stream = movie.add_stream(encoder, rate=rate, options=_OPTIONS[codec])
        stream.width, stream.height, stream.pix_fmt = side, side, "yuv420p"
        stream.time_base = stream.codec_context.time_base = 1 / rate
        images = (phase_image(phase, trial, found, background) for phase in trial.phases)
        shown = (image for image, count in zip(images, counts, strict=True) for _ in range(count))
        for number, image in enumerate(shown):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = number, 1 / rate
            movie.mux(stream.encode(frame))
        movie.mux(stream.encode())
    return counts


def phase_image(phase: TrialPhase, trial: Trial, found: StimulusSet, background: Background) -> NDArray[np.uint8]:
    """Return what a phase shows, uint8 of shape (side, side, 3).

    Parameters
    ----------
    phase : TrialPhase
        One of the trial's.
    trial : Trial
        Its images.
    found : StimulusSet
        Where the files are.
    background : (int, int, int)
        Colour behind.
    """
    side = found.description.image_px
    out = np.empty((side, side, 3), np.uint8)
    out[...] = background
    ink = 0 if sum(background) > 382 else 255
    if phase.kind == "stimulus":
        image = trial.images[phase.content]
        out = _file(found.folder / image.path, image.stimulus_sha256).copy()
    elif phase.kind == "mask":
        out = _file(found.folder / phase.content, phase.sha256).copy()
    elif phase.kind == "cue":
        out = _with_words(out, phase.content, ink)
    if phase.kind == "fixation" or phase.overlay == "fixation":
        middle, arm = side // 2, max(4, side // 24)
        out[middle - 1 : middle + 1, middle - arm : middle + arm] = ink
        out[middle - arm : middle + arm, middle - 1 : middle + 1] = ink
    return out


@lru_cache(maxsize=256)
def _file(path: Path, sha256: str) -> NDArray[np.uint8]:
    data = files.read_bytes(path)
    if files.sha256(data) != sha256:
        raise InputError(f"{path}: changed since the study was planned; build the set again to repair it")
    return load_rgb(data, name=str(path))


def _with_words(out: NDArray[np.uint8], words: str, ink: int) -> NDArray[np.uint8]:
    """Write the words of a cue in the middle. The font that is always there has Latin letters."""
    from PIL import Image, ImageDraw, ImageFont

    try:
        words.encode("latin-1")
    except UnicodeEncodeError:
        raise InputError(f'cue "{words}": movies have Latin letters only; use presenter = "auto"') from None
    page = Image.fromarray(out)
    font = ImageFont.load_default(max(10, out.shape[0] // 10))
    middle = (out.shape[1] / 2, out.shape[0] / 2)
    ImageDraw.Draw(page).text(middle, words, (ink, ink, ink), font, anchor="mm", align="center")
    return np.asarray(page)


def write_movies(
    found: StimulusSet,
    plans: Iterable[Plan],
    out: Path | str,
    *,
    hz: Fraction | int = 60,
    codec: Codec = "vp9",
    limit: int | None = None,
    advance: Advance = silent,
) -> Path:
    """Write the movies of every trial of plans, and ``movies.csv``, which says when each phase begins.

    Parameters
    ----------
    found : StimulusSet
        Set of the plans.
    plans : iterable of Plan
        Whose trials; trials that show the same share a movie.
    out : path-like
        Folder of the movies. A movie that is there already and unchanged is kept.
    hz : Fraction or int
        Frames per second, 10 … 480; 59.94 Hz is ``Fraction("59.94")``.
    codec : {"vp9", "h264"}
        Video format.
    limit : int, optional
        Stop after so many movies.
    advance : callable
        Called after each movie.

    Returns
    -------
    Path
        ``movies.csv``.

    Raises
    ------
    InputError
        When the plans belong to another set, or a protocol cannot be shown as movies.
    """
    out, suffix = Path(out), _ENCODERS[codec][1]
    plans = list(plans)
    for plan in plans:
        if plan.stimulus_set_digest != found.digest:
            raise InputError(
                f"{found.folder}: not the set of the plans (digest differs); name the set they were made with"
            )
    kept = {row.movie_id: row for row in _kept(out)}
    table: list[Movie] = []
    for name, (trial, protocol) in list(planned_movies(plans).items())[:limit]:
        path = f"{name}.{suffix}"
        old = kept.get(name)
        if old is not None and (old.path, old.hz) == (path, float(hz)) and _unchanged(out / path, old.sha256):
            table.append(old)
        else:
            counts = write_movie(trial, found, out / path, background=protocol.display.background, hz=hz, codec=codec)
            frames = " ".join(str(count) for count in counts)
            sha256 = files.sha256_file(out / path)
            table.append(Movie(movie_id=name, path=path, hz=float(hz), frames=frames, sha256=sha256))
        advance(1)
    movies.TABLE.write(out / movies.NAME, table)
    return out / movies.NAME


def _kept(out: Path) -> Iterator[Movie]:
    if (out / movies.NAME).is_file():
        yield from movies.TABLE.read(out / movies.NAME)


def _unchanged(path: Path, sha256: str) -> bool:
    return path.is_file() and files.sha256_file(path) == sha256
