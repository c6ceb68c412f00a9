"""What is recorded, and what the experimenter reads, each time a session is opened."""

import platform
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rapidvision.errors import Aborted
from rapidvision.plan import Plan, Run
from rapidvision.study import Study

from ..design.allocation import Entry, near
from ..engine.state import State
from ..interfaces import ESCAPE, Frame, Inputs, Screen, TrialData
from ..interfaces import Entry as JournalEntry
from ..recording.headers import Header, Setup
from .display_checks import Preflight
from .file_checks import Options
from .ledger import Ledger, utc_now

if TYPE_CHECKING:
    from .psychopy_display import PsychoPyScreen

#: How long the experimenter's page stands before a key counts.
PAGE_S = 0.5


def observer_of(options: Options) -> dict[str, Any]:
    """Return who answers and what kind of observer that is, as headers and setups have it."""
    return {"observer": "human" if options.simulate is None else "simulated", "observer_kind": options.kind}


def header_of(entry: Entry, plan: Plan, options: Options) -> Header:
    """Return the header of a session that begins."""
    return Header(
        session_id=entry.session_id,
        participant_id=entry.participant_id,
        study_id=plan.study_id,
        group=entry.group,
        slot=entry.slot,
        plan_digest=plan.digest,
        protocol_digest=plan.protocol.digest,
        stimulus_set_digest=plan.stimulus_set_digest,
        utc=utc_now(),
        **observer_of(options),
    )


def setup_of(
    screen: "PsychoPyScreen",
    checked: Preflight,
    options: Options,
    *,
    accepted: list[str],
    software: dict[str, str],
    inputs: dict[str, Any],
) -> Setup:
    """Return what a session runs on from here."""
    return Setup(
        display="real" if options.paced_hz is None else "paced test mode",
        refresh_hz=checked.refresh.hz,
        accepted=accepted,
        preflight={check.name: [check.colour, check.found] for check in checked.checks},
        software=software,
        host=platform.node(),
        system=f"{platform.system()} {platform.release()}",
        profile=options.profile,
        monitor_px=screen.monitor_px,
        window_px=screen.requested_px,
        screen_index=options.screen_index,
        photodiode_px=options.photodiode_px,
        trigger=options.trigger,
        trigger_ms=options.trigger_ms,
        inputs=inputs,
        utc=utc_now(),
        **observer_of(options),
    )


def n_planned(plan: Plan, past: Sequence[object]) -> int:
    """Return how many trials a session has, given what its journal holds: practice rounds that fell away do not count."""
    state = State(plan, past)
    return len(state.done) + sum(isinstance(step, Run) for step in state.remaining())


def words_before(entry: Entry, alike: Sequence[str]) -> str:
    """Return what the experimenter reads before a session begins: whose it is, its group and slot, and ids like it."""
    return (
        f"For the experimenter\n\nA new session\nParticipant {entry.participant_id}\nGroup {entry.group}, slot {entry.slot}\n"
        f"{_not(alike)}\nAny key starts it, Escape leaves everything unchanged."
    )


def _not(alike: Sequence[str]) -> str:
    if not alike:
        return ""
    return f"\nNot {' or '.join(alike)}? There is an unfinished session of {'each' if len(alike) > 1 else alike[0]}.\n"


def words_of(entry: Entry, plan: Plan, past: Sequence[JournalEntry], alike: Sequence[str] = ()) -> str:
    """Return what the experimenter reads before a session is resumed: whose it is, and ids like it."""
    n_done = sum(isinstance(each, TrialData) for each in past)
    return (
        f"For the experimenter\n\nSession {entry.session_id}\nParticipant {entry.participant_id}\n"
        f"{n_done} of {n_planned(plan, past)} trials are done; begun {entry.utc[:16].replace('T', ' ')} UTC\n"
        f"{_not(alike)}\n"
        "Any key resumes it, Escape leaves it unchanged."
    )


def confirm(screen: Screen, inputs: Inputs, words: str) -> None:
    """Show the experimenter whose session begins, and wait for a key; a slot is taken only afterwards."""
    inputs.poll()
    frame = Frame("text", words)
    shown = screen.flip(frame)
    while True:
        for press in inputs.poll():
            if press.down and press.input == ESCAPE:
                raise Aborted("stopped before it began; nothing was stored, and no slot was taken")
            if press.down and press.time_s >= shown + PAGE_S:
                return
        screen.flip(frame)


def unfinished_like(study: Study, entry: Entry) -> list[str]:
    """Return other participants with an unfinished session whose id is one slip of the finger away."""
    open_ = [each.participant_id for each in Ledger(study).slots().last.values() if each.event == "taken"]
    return near(entry.participant_id, open_)
