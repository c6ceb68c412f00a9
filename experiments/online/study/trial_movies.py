"""The paper's method as an option: each trial is a movie of cross, picture and blank, made with the stimulus set."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rapidvision.errors import CheckFailed, InputError
from rapidvision.formats import movies
from rapidvision.formats.movies import Movie
from rapidvision.plan import Plan
from rapidvision.screen import refreshes
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
    fixation_ms : int
        How long the cross stands; the movie's, which takes the place of the plan's.
    fixation_frames : int
        The same in frames: the picture is up from frame `fixation_frames` on.
    """

    path: Path
    sha256: str
    hz: float
    fixation_ms: int
    fixation_frames: int

    @property
    def media_type(self) -> str:
        """What browsers are told."""
        return MEDIA_TYPES[self.path.suffix.lower()]


def read_movies(
    folder: Path, plans: Iterable[Plan], stimulus_ids: dict[str, str], *, verify: bool
) -> dict[str, TrialMovie]:
    """Read the movies of every planned stimulus.

    Parameters
    ----------
    folder : Path
        As ``rapidvision stimuli movies`` made it.
    plans : iterable of Plan
        What will be shown.
    stimulus_ids : dict
        SHA-256 of a stimulus → its id in the set.
    verify : bool
        Hash every movie.

    Returns
    -------
    dict
        SHA-256 of the stimulus → movie.

    Raises
    ------
    InputError
        Without a table of movies, or when they have other durations than the protocol's.
    CheckFailed
        When movies are missing or differ; names the first ten.
    """
    rows = _rows(folder)
    wrong, found = [], {}
    for plan in plans:
        for trial in plan.trials():
            if trial.image.stimulus_sha256 in found:
                continue
            stimulus_id = stimulus_ids[trial.image.stimulus_sha256]
            row = rows.get(stimulus_id)
            path = folder / row.path if row else folder / stimulus_id
            if row is None or not path.is_file():
                wrong.append(f"{stimulus_id} (missing)")
                continue
            if verify and files.sha256_file(path) != row.sha256:
                wrong.append(f"{stimulus_id} (changed)")
            found[trial.image.stimulus_sha256] = _movie(path, row, trial)
    if wrong:
        more = f" and {len(wrong) - 10} more" if len(wrong) > 10 else ""
        raise CheckFailed(f"{folder}: {', '.join(wrong[:10])}{more}; run `rapidvision stimuli movies` again")
    return found


def _rows(folder: Path) -> dict[str, Movie]:
    path = folder / movies.NAME
    if not path.is_file():
        raise InputError(f"{path}: no such table; make the movies with `rapidvision stimuli movies SET --out {folder}`")
    return {row.stimulus_id: row for row in movies.TABLE.read(path)}


def _movie(path: Path, row: Movie, trial: Trial) -> TrialMovie:
    if path.suffix.lower() not in MEDIA_TYPES:
        raise InputError(f"{path}: browsers play {', '.join(MEDIA_TYPES)}")
    kinds = [phase.kind for phase in trial.phases]
    if kinds != ["fixation", "stimulus", "blank"]:
        raise InputError(
            f"{path}: trial {trial.trial} shows {', '.join(kinds)}; a movie shows fixation, stimulus and blank. "
            'Show other trials with presenter = "auto"'
        )
    shown_ms, rest_ms = (phase.duration_ms or 0 for phase in trial.phases[1:])
    planned = refreshes(shown_ms, row.hz)
    if (row.stimulus_frames, row.blank_frames) != (planned, refreshes(shown_ms + rest_ms, row.hz) - planned):
        raise InputError(
            f"{path}: {row.stimulus_frames} frames of picture and {row.blank_frames} of blank at {row.hz:g} Hz are not the "
            f"protocol's {shown_ms} and {rest_ms} ms of trial {trial.trial}; make the movies with --protocol"
        )
    return TrialMovie(path, row.sha256, row.hz, row.fixation_ms, row.fixation_frames)
