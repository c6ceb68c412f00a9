"""Phases: what stands on the screen in a trial, one after another, each from one refresh to another."""

from typing import Annotated, Literal

from msgspec import Meta

from rapidvision.recipes import Recipe

#: Longest duration that can be planned: ten minutes.
MOST_MS = 600_000
#: A whole number of milliseconds; up to 1,000 Hz every number of refreshes has one that rounds to it.
Ms = Annotated[int, Meta(ge=0, le=MOST_MS)]
PositiveMs = Annotated[int, Meta(ge=1, le=MOST_MS)]
#: Duration of a phase that stands until the response.
UNTIL_RESPONSE = "response"
#: Value of a factor of mask families that leaves the phase blank.
NO_MASK = "none"

PhaseKind = Literal["fixation", "cue", "blank", "stimulus", "mask", "options"]
PHASE_KINDS: tuple[PhaseKind, ...] = ("fixation", "cue", "blank", "stimulus", "mask", "options")
Overlay = Literal["none", "fixation", "options"]


class Phase(Recipe, frozen=True):
    """One thing on the screen.

    Attributes
    ----------
    kind : {"fixation", "cue", "blank", "stimulus", "mask", "options"}
        A cross, a word, the background, an image of the set, a mask of the set, or the response screen with the
        options' icons or labels.
    duration_ms : int, (int, int) or str
        Milliseconds, 1 to 600,000; ``[shortest, longest]``, drawn uniformly when the study is planned; ``"response"``,
        until the response or at most until its limit; or the name of a factor whose values are durations.
    name : str
        Names the columns ``<name>_ms`` and ``<name>_planned_ms``; the kind by default. It must be given where two
        phases are of one kind.
    step_ms : int
        Steps in which a range is drawn, at least 1.
    image : str
        Which image a stimulus shows: ``image``, or ``first`` or ``second`` with ``[design.pair]``.
    mask : str
        Family of masks of the set, such as ``noise``, or the name of a factor whose values are families; the value
        ``none`` leaves the phase blank. Only a mask has one.
    text : str
        Words of a cue; ``{factor}`` stands for the value of a factor. Only a cue has one.
    overlay : {"none", "fixation", "options"}
        Drawn on top of the phase: the cross, or options that can be seen already.
    trigger : int or None
        Code sent to recording devices with the first refresh, 0 to 255 (0 sends none); by kind when it is None.
    """

    kind: PhaseKind
    duration_ms: int | tuple[PositiveMs, PositiveMs] | str
    name: str = ""
    step_ms: Annotated[int, Meta(ge=1)] = 1
    image: str = "image"
    mask: str = ""
    text: str = ""
    overlay: Overlay = "none"
    trigger: Annotated[int, Meta(ge=0, le=255)] | None = None

    def __post_init__(self) -> None:
        for kind, key in {"mask": "mask", "cue": "text"}.items():
            if self.kind == kind and not getattr(self, key):
                raise ValueError(f"a {kind} needs `{key}`")
            if self.kind != kind and getattr(self, key):
                raise ValueError(f"`{key}` belongs to a {kind}, this is a {self.kind}")
        if isinstance(self.duration_ms, int) and not 1 <= self.duration_ms <= MOST_MS:
            raise ValueError(
                f'duration_ms: got {self.duration_ms}, allowed are 1 to {MOST_MS}, [shortest, longest], a factor or "response"'
            )
        if isinstance(self.duration_ms, tuple) and self.duration_ms[0] > self.duration_ms[1]:
            raise ValueError(f"duration_ms: got {list(self.duration_ms)}, the shortest comes first")

    @property
    def id(self) -> str:
        """What it is called: its name, or its kind."""
        return self.name or self.kind


def phase_code(kind: PhaseKind) -> int:
    """Return the trigger of a phase's first refresh by its kind; a stimulus has its own (:func:`stimulus_code`)."""
    return {"fixation": 1, "blank": 2, "mask": 6, "cue": 7, "options": 8, "stimulus": 16}[kind]


def stimulus_code(level_index: int, target: bool) -> int:
    """Return the trigger of an image's onset: 16 + 2 x level, + 1 for a target; at most 255."""
    return min(255, 16 + 2 * level_index + target)
