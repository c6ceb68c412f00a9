"""The paper's method as an option: each trial is a movie of all its phases, made from the study's plans."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rapidvision.errors import CheckFailed, InputError
from rapidvision.formats import movies
from rapidvision.formats.movies import Movie, frames_of, movie_id
from rapidvision.plan import Plan
from rapidvision.system import files
from rapidvision.task.trial import Trial

MEDIA_TYPES = {".webm": "video/webm", ".mp4": "video/mp4"}


@dataclass(frozen=True)
class TrialMovie:
    """A trial's movie.

    Attributes
    ----------
    path : Path
        The file.
    sha256 : str
        Of its bytes.
    hz : float
        Frames per second.
    frames : tuple of int
        How many frames each phase has, in order.
    """

    path: Path
    sha256: str
    hz: float
    frames: tuple[int, ...]

    @property
    def media_type(self) -> str:
        """What browsers are told."""
        return MEDIA_TYPES[self.path.suffix.lower()]


def read_movies(folder: Path, plans: Iterable[Plan], *, verify: bool) -> dict[str, TrialMovie]:
    """Read the movies of every planned trial.

    Parameters
    ----------
    folder : Path
        As ``rapidvision stimuli movies`` made it.
    plans : iterable of Plan
        What will be shown.
    verify : bool
        Hash every movie.

    Returns
    -------
    dict
        What a trial shows (:func:`rapidvision.formats.movies.movie_id`) -> movie.

    Raises
    ------
    InputError
        Without a table of movies, or when their phases have other lengths than the plans'.
    CheckFailed
        When movies are missing or differ; names the first ten.
    """
    rows = _rows(folder)
    wrong, found = [], {}
    for plan in plans:
        for trial in plan.trials():
            name = movie_id(trial, plan.protocol)
            if name in found:
                continue
            row = rows.get(name)
            path = folder / row.path if row else folder / name
            if row is None or not path.is_file():
                wrong.append(f"{row.path if row else f'movie of trial {trial.trial}'} (missing)")
                continue
            if verify and files.sha256_file(path) != row.sha256:
                wrong.append(f"{row.path} (changed)")
            found[name] = _movie(path, row, trial)
    if wrong:
        more = f" and {len(wrong) - 10} more" if len(wrong) > 10 else ""
        raise CheckFailed(f"{folder}: {', '.join(wrong[:10])}{more}; run `rapidvision stimuli movies` again")
    return found


def _rows(folder: Path) -> dict[str, Movie]:
    path = folder / movies.NAME
    if not path.is_file():
        raise InputError(
            f"{path}: no such table; make the movies with `rapidvision stimuli movies STUDY --out {folder}`"
        )
    return {row.movie_id: row for row in movies.TABLE.read(path)}


def _movie(path: Path, row: Movie, trial: Trial) -> TrialMovie:
    if path.suffix.lower() not in MEDIA_TYPES:
        raise InputError(f"{path}: browsers play {', '.join(MEDIA_TYPES)}")
    planned = frames_of(trial, row.hz)
    if row.phase_frames != planned:
        raise InputError(
            f"{path}: its phases have {row.frames} frames at {row.hz:g} Hz, those of trial {trial.trial} "
            f"{' '.join(map(str, planned))}; make the movies again"
        )
    return TrialMovie(path, row.sha256, row.hz, row.phase_frames)
