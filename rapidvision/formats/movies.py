"""The table of trial movies, ``movies.csv``: written by ``stimuli movies``, read by online studies that show movies."""

from fractions import Fraction
from typing import Annotated

import msgspec

from rapidvision.errors import InputError
from rapidvision.protocol import Protocol
from rapidvision.screen import refreshes
from rapidvision.system import files
from rapidvision.task.trial import Trial, TrialPhase
from rapidvision.text.typed_table import TypedTable

NAME = "movies.csv"


class Movie(msgspec.Struct, frozen=True, kw_only=True):
    """One movie: all phases of a planned trial.

    Attributes
    ----------
    movie_id : str
        What is shown, as :func:`movie_id` says; trials that show the same share a movie.
    path : str
        The file, relative to the table's folder.
    hz : float
        Frames per second; may be fractional (59.94).
    frames : str
        How many frames each phase has, in order, numbers separated by blanks: ``78 24 9``.
    sha256 : str
        Of the file's bytes.
    """

    movie_id: str
    path: str
    hz: Annotated[float, msgspec.Meta(gt=0)]
    frames: Annotated[str, msgspec.Meta(pattern=r"^\d+( \d+)*$")]
    sha256: str

    @property
    def phase_frames(self) -> tuple[int, ...]:
        """How many frames each phase has, in order."""
        return tuple(int(count) for count in self.frames.split())


TABLE = TypedTable(Movie, version=2, what="the table of trial movies", remedy="run `rapidvision stimuli movies` again")


def movie_id(trial: Trial, protocol: Protocol) -> str:
    """Return the name of what a trial shows: its phases with their durations, files and words, and the background.

    Parameters
    ----------
    trial : Trial
        As planned.
    protocol : Protocol
        Of its plan.

    Returns
    -------
    str
        16 hexadecimal digits, the same for trials that show the same.
    """
    shown = [[phase.kind, phase.duration_ms, _content(trial, phase), phase.overlay] for phase in trial.phases]
    return files.canonical_digest([shown, list(protocol.display.background)])[:16]


def _content(trial: Trial, phase: TrialPhase) -> str:
    """Hash of the file that a phase shows, or its words."""
    return trial.images[phase.content].stimulus_sha256 if phase.kind == "stimulus" else phase.sha256 or phase.content


def frames_of(trial: Trial, hz: Fraction | float) -> tuple[int, ...]:
    """Return how many frames each phase of a trial has, by the half-refresh rule of every runner.

    A boundary lies at the frame nearest to the durations since the trial's first frame, or since the onset of the last
    image.

    Parameters
    ----------
    trial : Trial
        As planned; every phase has a duration.
    hz : Fraction or float
        Frames per second.

    Raises
    ------
    InputError
        When a phase has no duration, or is shorter than half a frame.
    """
    out, here, anchor, since_ms = [], 0, 0, 0
    for phase in trial.phases:
        if phase.duration_ms is None:
            raise InputError(
                f"trial {trial.trial}: the phase {phase.name} stands until the response or an adaptive value; a movie has "
                'a fixed length. Show such trials with presenter = "auto"'
            )
        if phase.kind == "stimulus":
            anchor, since_ms = here, 0
        since_ms += phase.duration_ms
        end = anchor + refreshes(since_ms, float(hz))
        if end == here:
            raise InputError(
                f"trial {trial.trial}: the phase {phase.name} of {phase.duration_ms} ms has no frame at {float(hz):g} Hz; "
                f"the shortest there is {1000 / float(hz):.1f} ms"
            )
        out.append(end - here)
        here = end
    return tuple(out)
