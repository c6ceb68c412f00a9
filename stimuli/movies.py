"""Trials as movies: fixation, stimulus and blank with exact frame times, as the paper sent them to browsers.

"Each trial sequence was converted to an HTML5-compatible video format to provide the fastest reliable presentation
time possible in a web browser" (paper, appendix).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.formats import movies
from rapidvision.formats.manifest import StimulusSet
from rapidvision.formats.manifest_rows import Stimulus
from rapidvision.formats.movies import Movie
from rapidvision.images.load import load_rgb
from rapidvision.protocol import Protocol
from rapidvision.seeds import key64
from rapidvision.system import files
from rapidvision.system.extras import need
from rapidvision.system.progress import Advance, silent

Codec = Literal["vp9", "h264"]

_ENCODERS = {"vp9": ("libvpx-vp9", "webm"), "h264": ("libx264", "mp4")}
_OPTIONS = {
    "vp9": {"crf": "8", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "0", "threads": "1"},
    "h264": {"crf": "6", "preset": "medium", "threads": "1"},
}


@dataclass(frozen=True, slots=True)
class MovieFrames:
    """How many frames each part of a trial has."""

    fixation: int
    stimulus: int
    blank: int

    @classmethod
    def of(cls, protocol: Protocol, *, fixation_ms: int, hz: Fraction | int) -> "MovieFrames":
        """Count frames by the half-frame rule of every runner.

        Examples
        --------
        >>> MovieFrames.of(Protocol(), fixation_ms=1300, hz=60)
        MovieFrames(fixation=78, stimulus=24, blank=9)
        """
        from rapidvision.screen import refreshes

        low, high = protocol.timing.fixation_ms
        if not low <= fixation_ms <= high:
            raise InputError(f"fixation: got {fixation_ms} ms, the protocol allows {low} to {high} ms")
        if not 10 <= hz <= 480:
            raise InputError(f"frame rate: got {float(hz):g} Hz, allowed are 10 to 480")
        rate = float(hz)
        shown = refreshes(protocol.timing.stimulus_ms, rate)
        return cls(refreshes(fixation_ms, rate), shown, refreshes(protocol.timing.response_limit_ms, rate) - shown)


def write_movie(
    picture: NDArray[np.uint8],
    path: Path | str,
    *,
    protocol: Protocol,
    fixation_ms: int,
    hz: Fraction | int = 60,
    codec: Codec = "vp9",
) -> MovieFrames:
    """Write one trial as a movie; frame `n` is shown at n / hz seconds exactly.

    Parameters
    ----------
    picture : ndarray of uint8, shape (side, side, 3)
        The stimulus; the side is even.
    path : path-like
        ``.webm`` for VP9, ``.mp4`` for H.264.
    protocol : Protocol
        Durations and background.
    fixation_ms : int
        How long the fixation cross stands.
    hz : Fraction or int
        Frames per second, 10 … 480; 59.94 Hz is ``Fraction("59.94")``.
    codec : {"vp9", "h264"}
        Video format.

    Returns
    -------
    MovieFrames
        Frames of each part.

    Raises
    ------
    MissingExtra
        When PyAV is not installed.
    InputError
        When a side of the picture is odd, or the file cannot be written.
    """
    av = need("av", extra="online", purpose="a trial movie")
    if picture.shape[0] % 2 or picture.shape[1] % 2:
        raise InputError(f"{path}: a picture of {picture.shape[1]} x {picture.shape[0]}; movies need even sides")
    counts = MovieFrames.of(protocol, fixation_ms=fixation_ms, hz=hz)
    encoder, container = _ENCODERS[codec]
    rate = Fraction(hz)
    with files.atomic(path, durable=False) as file, av.open(file, "w", format=container) as movie:
        stream = movie.add_stream(encoder, rate=rate, options=_OPTIONS[codec])
        stream.width, stream.height, stream.pix_fmt = picture.shape[1], picture.shape[0], "yuv420p"
        stream.time_base = stream.codec_context.time_base = 1 / rate
        for number, image in enumerate(frames_of(picture, counts, protocol.background)):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = number, 1 / rate
            movie.mux(stream.encode(frame))
        movie.mux(stream.encode())
    return counts


def frames_of(
    picture: NDArray[np.uint8], counts: MovieFrames, background: tuple[int, int, int]
) -> Iterator[NDArray[np.uint8]]:
    """Yield every frame of a trial, uint8 of shape (side, side, 3)."""
    blank = np.empty_like(picture)
    blank[...] = background
    cross = blank.copy()
    middle_y, middle_x, arm = picture.shape[0] // 2, picture.shape[1] // 2, max(4, picture.shape[0] // 24)
    ink = 0 if sum(background) > 382 else 255
    cross[middle_y - 1 : middle_y + 1, middle_x - arm : middle_x + arm] = ink
    cross[middle_y - arm : middle_y + arm, middle_x - 1 : middle_x + 1] = ink
    for image, count in ((cross, counts.fixation), (picture, counts.stimulus), (blank, counts.blank)):
        for _ in range(count):
            yield image


def write_movies(
    found: StimulusSet,
    rows: Sequence[Stimulus],
    out: Path | str,
    *,
    protocol: Protocol,
    hz: Fraction | int = 60,
    codec: Codec = "vp9",
    seed: int,
    advance: Advance = silent,
) -> Path:
    """Write a movie per stimulus and ``movies.csv``, which says when each frame's part begins.

    Parameters
    ----------
    found : StimulusSet
        Whose stimuli.
    rows : sequence of Stimulus
        Which of them.
    out : path-like
        Folder of the movies.
    protocol : Protocol
        Durations and background; fixations are drawn uniformly from its steps.
    hz : Fraction or int
        Frames per second, 10 … 480; 59.94 Hz is ``Fraction("59.94")``.
    codec : {"vp9", "h264"}
        Video format.
    seed : int
        Of the fixation times.
    advance : callable
        Called after each movie.

    Returns
    -------
    Path
        ``movies.csv``.
    """
    out, suffix = Path(out), _ENCODERS[codec][1]
    low, high = protocol.timing.fixation_ms
    steps = range(low, high + 1, protocol.timing.fixation_step_ms)
    table: list[Movie] = []
    for row in rows:
        source = found.folder / row.path
        data = files.read_bytes(source)
        if files.sha256(data) != row.sha256:
            raise InputError(f"{source}: changed since the set was built; build it again to repair it")
        fixation_ms = steps[key64(seed, "movie", row.stimulus_id) % len(steps)]
        name = f"{row.image_id}_{row.map_source}_{row.level_index:02d}.{suffix}"
        counts = write_movie(
            load_rgb(data, name=str(source)),
            out / name,
            protocol=protocol,
            fixation_ms=fixation_ms,
            hz=hz,
            codec=codec,
        )
        table.append(
            Movie(
                stimulus_id=row.stimulus_id,
                path=name,
                hz=float(hz),
                fixation_ms=fixation_ms,
                fixation_frames=counts.fixation,
                stimulus_frames=counts.stimulus,
                blank_frames=counts.blank,
                sha256=files.sha256_file(out / name),
            )
        )
        advance(1)
    movies.TABLE.write(out / movies.NAME, table)
    return out / movies.NAME
