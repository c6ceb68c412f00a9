"""The table of trial movies, ``movies.csv``: written by ``stimuli movies``, read by online studies that show movies."""

from typing import Annotated

import msgspec

from rapidvision.text.typed_table import TypedTable

NAME = "movies.csv"
_Count = Annotated[int, msgspec.Meta(ge=0)]


class Movie(msgspec.Struct, frozen=True, kw_only=True):
    """One movie of a trial: fixation cross, stimulus, blank.

    Attributes
    ----------
    stimulus_id : str
        The stimulus, as the set's manifest calls it.
    path : str
        The file, relative to the table's folder.
    hz : float
        Frames per second; may be fractional (59.94).
    fixation_ms : int
        How long the cross stands.
    fixation_frames, stimulus_frames, blank_frames : int
        Length of each part; the stimulus is up from frame `fixation_frames` on.
    sha256 : str
        Of the file's bytes.
    """

    stimulus_id: str
    path: str
    hz: Annotated[float, msgspec.Meta(gt=0)]
    fixation_ms: _Count
    fixation_frames: _Count
    stimulus_frames: _Count
    blank_frames: _Count
    sha256: str


TABLE = TypedTable(Movie, version=1, what="the table of trial movies", remedy="run `rapidvision stimuli movies` again")
