"""What the session engine needs from the world: a screen, keys and a journal. And the words they exchange."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

import msgspec

from rapidvision.trials import Trial


class Press(NamedTuple):
    """A key that went down or up.

    Attributes
    ----------
    key : str
        Its name in lower case, such as ``s`` or ``escape``.
    time_s : float
        When, on the screen's clock.
    down : bool
        False when it was released.
    """

    key: str
    time_s: float
    down: bool = True


class Picture(NamedTuple):
    """Something to put on the screen: the fixation cross, nothing, a stimulus (by path) or a text."""

    kind: Literal["fixation", "blank", "stimulus", "text"]
    content: str = ""


FIXATION = Picture("fixation")
BLANK = Picture("blank")


class TrialData(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="trial"):
    """What happened in one completed trial, as it goes into the journal.

    Attributes
    ----------
    trial : int
        Number of the planned trial.
    attempt : int
        1, or more when it was interrupted after the picture had been seen.
    fixation_ms, stimulus_ms, window_ms : float
        From the fixation's first refresh to the onset, from the onset to the picture's end, and from the onset to the
        end of the response window, as shown.
    onset_s : float
        The refresh at which the picture came up, on the screen's clock.
    response_key : str or None
        First response key pressed at or after the onset, late ones too.
    response_ms : float or None
        Its time from the onset.
    presses : list of (str, float, bool)
        Every key that went down (True) or up, with its time in ms from the onset.
    late_refreshes : (int, int, int)
        Refreshes missed during fixation, picture and blank.
    flips_s : list of float
        Every refresh of the trial, on the screen's clock.
    flags : list of str
        What was unusual: ``early_press``, ``held_at_onset``, ``both_keys``, ``clock_step …``, ``focus_lost`` …
    refresh_hz : float
        Measured refresh rate.
    utc : str
        When the trial ended.
    """

    trial: int
    attempt: int
    fixation_ms: float
    stimulus_ms: float
    window_ms: float
    onset_s: float
    response_key: str | None
    response_ms: float | None
    presses: list[tuple[str, float, bool]]
    late_refreshes: tuple[int, int, int]
    flips_s: list[float]
    flags: list[str]
    refresh_hz: float
    utc: str = ""


class Event(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="event"):
    """Something that is not a trial: interrupted, paused, resumed, aborted, finished, or trouble with a part.

    Attributes
    ----------
    what : str
        Which event.
    trial : int or None
        The trial that it interrupted.
    seen : bool
        Whether that trial's picture had come up.
    onset_s : float or None
        When it had, on the screen's clock.
    detail : str
        For the reader.
    utc : str
        When.
    """

    what: str
    trial: int | None = None
    seen: bool = False
    onset_s: float | None = None
    detail: str = ""
    utc: str = ""


class Screen(Protocol):
    """A display that can be told to show a picture at its next refresh.

    Attributes
    ----------
    period_s : float
        Time between refreshes, as measured.
    """

    period_s: float

    def flip(self, picture: Picture) -> float:
        """Draw `picture`, wait for the refresh that shows it, and return the time of that refresh in seconds."""
        ...

    def mark(self, code: int) -> None:
        """Send a trigger with the next flip."""
        ...

    def notes(self) -> list[str]:
        """Return what was unusual since the last call."""
        ...


class Keys(Protocol):
    """A keyboard whose presses carry the time at which they happened."""

    def poll(self) -> Sequence[Press]:
        """Return what happened since the last call, in order of time."""
        ...


class Journal(Protocol):
    """Where completed trials go; what `append` has returned from is never lost."""

    def append(self, entry: TrialData | Event) -> None:
        """Store one entry for good."""
        ...


def stimulus_code(trial: Trial) -> int:
    """Return the trigger of a stimulus onset: 16 + 2 × level, + 1 for a target; at most 255."""
    return min(255, 16 + 2 * trial.level_index + trial.target)


#: Triggers of the other moments.
FIXATION_CODE, OFFSET_CODE, RESPONSE_CODE, END_CODE = 1, 2, 3, 5
