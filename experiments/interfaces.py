"""What the session engine needs from the world: a screen, inputs and a journal. And the words they exchange."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

import msgspec

from rapidvision.task.phases import Overlay
from rapidvision.task.response import Scalar


class Press(NamedTuple):
    """An input that went down or up.

    Attributes
    ----------
    input : str
        Its name: a key in lower case (``s``, ``escape``), ``button:2`` of a response box, ``area:bear`` of the mouse or
        a touch.
    time_s : float
        When, on the screen's clock: the time of the event itself.
    down : bool
        False when it was released.
    """

    input: str
    time_s: float
    down: bool = True


class Frame(NamedTuple):
    """What is on the screen: a phase of a trial, a page or a question.

    Attributes
    ----------
    kind : str
        The phase's kind, ``text`` for a page, ``question`` for a question.
    content : str
        Path of an image or a mask, words of a cue or a page; for a question its name, a tab, and what has been typed; for
        options the one that is lit, empty for none.
    overlay : {"none", "fixation", "options"}
        What is drawn on top.
    phase : str
        Name of the phase; empty outside trials. Two blanks in a row differ by it.
    trial : int
        Number of the trial that a phase or a question belongs to; -1 for others. Screens draw nothing by it; simulated
        participants know by it what they are asked.
    """

    kind: Literal["fixation", "cue", "blank", "stimulus", "mask", "options", "text", "question"]
    content: str = ""
    overlay: Overlay = "none"
    phase: str = ""
    trial: int = -1


BLANK = Frame("blank")


class PhaseData(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A phase as it was shown.

    Attributes
    ----------
    name : str
        Its name.
    onset_ms : float
        Its first refresh, from time zero.
    shown_ms : float
        From its first refresh to the next phase's.
    late_refreshes : int
        Refreshes missed in it.
    """

    name: str
    onset_ms: float
    shown_ms: float
    late_refreshes: int


class TrialData(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="trial"):
    """What happened in one completed trial, as it goes into the journal.

    Attributes
    ----------
    trial : int
        Number of the planned trial.
    attempt : int
        1, or more when it was interrupted after its image had been seen.
    phases : list of PhaseData
        The phases that were shown, in order.
    zero_s : float
        Time zero (the first refresh of the phase that `opens` names; of the first phase where nothing is answered), on
        the screen's clock.
    input : str or None
        The input that is the response, late ones too.
    response_ms : float or None
        Its time from time zero.
    presses : list of (str, float, bool)
        Every input that went down (True) or up, with its time in ms from time zero.
    flips_s : list of float
        Every refresh of the trial, on the screen's clock.
    flags : list of str
        What was unusual: ``early_press``, ``held_at_onset``, ``both_keys``, ``clock_step …``, ``focus_lost`` …
    refresh_hz : float
        Measured refresh rate.
    chosen : bool, int, float, str or None
        Value of the adaptive factor; a replay is held against it.
    utc : str
        When the trial ended.
    """

    trial: int
    attempt: int
    phases: list[PhaseData]
    zero_s: float
    input: str | None
    response_ms: float | None
    presses: list[tuple[str, float, bool]]
    flips_s: list[float]
    flags: list[str]
    refresh_hz: float
    chosen: Scalar | None = None
    utc: str = ""

    def phase(self, name: str) -> PhaseData | None:
        """The phase of that name, if it was shown."""
        return next((phase for phase in self.phases if phase.name == name), None)


class AnswerData(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="answer"):
    """The answer to a question.

    Attributes
    ----------
    question : str
        Its name.
    value : str, float or None
        The option, number or text; None when time ran out or it was left empty.
    response_ms : float
        From the question's first refresh.
    trial, block : int or None
        The trial or the block that it belongs to; both None for the session's own questions.
    utc : str
        When.
    """

    question: str
    value: str | float | None
    response_ms: float
    trial: int | None = None
    block: int | None = None
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
        Whether that trial's image had come up.
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


Entry = TrialData | AnswerData | Event


class Screen(Protocol):
    """A display that can be told to show a frame at its next refresh.

    Attributes
    ----------
    period_s : float
        Time between refreshes, as measured.
    """

    period_s: float

    def flip(self, frame: Frame) -> float:
        """Draw `frame`, wait for the refresh that shows it, and return the time of that refresh in seconds."""
        ...

    def mark(self, code: int) -> None:
        """Send a trigger with the next flip."""
        ...

    def notes(self) -> list[str]:
        """Return what was unusual since the last call."""
        ...


class Inputs(Protocol):
    """Devices whose events carry the time at which they happened."""

    def poll(self) -> Sequence[Press]:
        """Return what happened since the last call, in order of time."""
        ...


class Journal(Protocol):
    """Where entries go; what `append` has returned from is never lost."""

    def append(self, entry: Entry) -> None:
        """Store one entry for good."""
        ...


#: Keys that the session itself needs.
ESCAPE, EXPERIMENTER, ENTER = "escape", "f12", "return"
#: Triggers that belong to no phase (:func:`rapidvision.task.phases.phase_code`).
RESPONSE_CODE, END_CODE = 3, 5
