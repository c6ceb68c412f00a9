"""Whose session a journal is, what each of its openings ran on, and what must be the same at every opening."""

from typing import Any

import msgspec

from rapidvision.errors import InputError
from rapidvision.screen import Screen as Profile
from rapidvision.trials import ObserverKind

JOURNAL_VERSION = 3


class Header(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="header"):
    """Whose session this is and what it follows.

    Attributes
    ----------
    journal_version : int
        Version of this file's form.
    session_id, participant_id, study_id, group, slot
        Who, in which study, and which plan.
    observer : str
        Who answers: ``human`` or ``simulated``.
    observer_kind : {"human", "pilot", "simulated", "model"}
        What kind of observer that is; the same at every opening.
    plan_digest, protocol_digest, stimulus_set_digest : str
        What the session follows; another one is refused.
    utc : str
        When it began.
    """

    journal_version: int = JOURNAL_VERSION
    session_id: str
    participant_id: str
    study_id: str
    group: str
    slot: int
    observer: str
    observer_kind: ObserverKind
    plan_digest: str
    protocol_digest: str
    stimulus_set_digest: str
    utc: str


class Setup(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="setup"):
    """What a session ran on, from one opening of the journal to the next.

    Attributes
    ----------
    display : str
        ``real``, or ``paced test mode`` where refreshes were imitated.
    refresh_hz : float
        As measured before the first trial.
    accepted : list of str
        Red checks that somebody accepted to be able to run.
    preflight : dict
        The checks.
    software : dict
        Versions of Python and packages.
    observer, observer_kind : str
        Who answers from here on; the same as in the header.
    host, system : str
        Name of the computer, and its operating system with its release.
    profile : Profile or None
        Size, distance and resolution of the monitor as described; the same at every opening.
    monitor_px, window_px : (int, int) or None
        Resolution of the monitor, and size of the window.
    screen_index : int
        Which monitor.
    photodiode_px : int
        Side of the photodiode patch; 0 for none.
    trigger : str
        Where triggers go.
    trigger_ms : float or None
        Width of their pulses, where one was stated.
    inputs : dict
        The keyboards, how the pointer is stamped (``event`` or ``refresh``), and for each response box how it is stamped
        and how its clock stands to the computer's.
    utc : str
        When.
    """

    display: str
    refresh_hz: float
    observer: str
    observer_kind: ObserverKind
    host: str = ""
    system: str = ""
    profile: Profile | None = None
    monitor_px: tuple[int, int] | None = None
    window_px: tuple[int, int] | None = None
    screen_index: int = 0
    photodiode_px: int = 0
    trigger: str = "none"
    trigger_ms: float | None = None
    inputs: dict[str, Any] = {}
    accepted: list[str] = []
    preflight: dict[str, Any] = {}
    software: dict[str, str] = {}
    utc: str = ""


def require_same(header: Header, old: Setup | None, new: Setup, *, name: str) -> None:
    """Refuse an opening that would mix observers or displays within one session.

    Host, trigger, photodiode and versions may differ; each opening records its own.

    Raises
    ------
    InputError
        Says what differs, what was got and what is allowed.
    """
    pairs: list[tuple[str, object, object]] = [
        (field, getattr(header, field), getattr(new, field)) for field in ("observer_kind", "observer")
    ]
    if old is not None:
        pairs += [(field, getattr(old, field), getattr(new, field)) for field in ("display", "profile", "window_px")]
    for field, allowed, got in pairs:
        if got != allowed:
            raise InputError(
                f"{name}: {field}: got {_words(got)}, allowed is {_words(allowed)}, as the session began; "
                "resume it as it began, or give it up with `rapidvision session release`"
            )


def _words(value: object) -> str:
    if isinstance(value, Profile):
        return (
            f"{value.width_px} x {value.height_px} px, {value.width_cm:g} cm wide at {value.distance_cm:g} cm, "
            f"{value.refresh_hz:g} Hz"
        )
    return "none" if value is None else " x ".join(map(str, value)) if isinstance(value, tuple) else str(value)
