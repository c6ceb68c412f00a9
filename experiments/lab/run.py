"""A lab session from the participant's name to the last stored trial: checks, slot, window, engine, journal."""

import platform
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from rapidvision import __version__
from rapidvision.errors import InputError
from rapidvision.plan import Plan
from rapidvision.study import Study
from rapidvision.system import files

from .. import clock
from ..design.allocation import Entry, check_participant_id, near
from ..design.figures.intervals import intervals_svg
from ..design.rehearsals import part_of, prefix_of
from ..design.roster import Place, place_of
from ..engine.participants import Participant, Watched
from ..engine.session import Session
from ..inputs.boxes import Box
from ..inputs.devices import Devices
from ..interfaces import Event, Inputs, Press, Screen
from ..recording.headers import require_same
from ..recording.journal import GIVEN_UP, JournalFile, last_setup, read_begun, read_journal, trials_and_events
from ..recording.quality import quality_of
from ..triggers.ports import open_port
from . import display_checks
from .display_checks import Preflight
from .file_checks import Options, Ready, find_session, journal_path, make_ready, plan_of
from .ledger import Ledger, utc_now
from .openings import confirm, header_of, observer_of, setup_of, unfinished_like, words_before, words_of

if TYPE_CHECKING:
    from .psychopy_display import PsychoPyScreen


def run_session(
    study: Study,
    participant_id: str,
    options: Options,
    *,
    group: str | None = None,
    say: Callable[[str], object] = print,
) -> Path:
    """Run a new participant's session and return the path of its journal.

    Everything that can be wrong is looked at before the window opens or, for the display itself, before the
    participant gets a slot.

    Parameters
    ----------
    study : Study
        The study.
    participant_id : str
        A code that says nothing about the person; new to the study.
    options : Options
        How.
    group : str, optional
        A group; the one with the fewest participants by default.
    say : callable
        Told of the checks.

    Returns
    -------
    path
        The journal.

    Raises
    ------
    InputError, CheckFailed
        When something does not fit; nothing was stored.
    Aborted
        When the session was stopped; :func:`resume_session` continues it.
    """
    check_participant_id(participant_id)
    kind = options.kind
    part = part_of(study, kind)
    ledger = Ledger(part)
    reuse, prefix = options.reuse_slot or kind != "human", prefix_of(kind)
    place = place_of(study, participant_id) if kind == "human" else Place()
    if group is not None and place.group not in (None, group):
        raise InputError(f'group: got "{group}" for {participant_id}, allowed is "{place.group}" by participants.csv')
    group = place.group or group
    slots = ledger.slots(taking=True)
    others = [entry.participant_id for entry in slots.last.values() if entry.event == "taken"]
    tried = slots.take(participant_id, group=group, slot=place.slot, reuse=reuse, prefix=prefix)  # stores nothing

    def claim() -> Entry:
        return ledger.take(participant_id, group=group, slot=place.slot, reuse=reuse, prefix=prefix)

    words = "" if options.simulate is not None else words_before(tried, near(participant_id, others))
    return _with_display(part, options, make_ready(part, tried, options), claim, resume=False, say=say, first=words)


def resume_session(study: Study, name: str, options: Options, *, say: Callable[[str], object] = print) -> Path:
    """Continue an unfinished session, by session or participant id; see :func:`run_session`.

    Raises
    ------
    InputError
        When there is no such session, it is of another kind of observer, is finished or was given up, is older than the
        set age, or protocol, plan, stimulus set or monitor are not those that it began with.
    """
    part, entry = find_session(study, name, kind=options.kind)
    if entry.event != "taken":
        done = "is finished" if entry.event == "finished" else "was given up; its slot is free for others"
        raise InputError(f"session {entry.session_id}: {done}")
    # Between two processes, and after a computer was off, the wall clock is all there is; one that was set back lets a
    # session resume; one that was set forth refuses it, and the error names the age and the option that resumes it.
    age_h = (clock.utc_now() - datetime.fromisoformat(entry.utc)).total_seconds() / 3600
    if age_h > options.max_age_h and not options.accept_age:
        raise InputError(
            f"session {entry.session_id}: began {age_h:.1f} h ago, at most {options.max_age_h:g} h are allowed; "
            "give it up with `rapidvision session release`, or resume it with --accept-age, which is recorded"
        )
    ready = make_ready(part, entry, options)
    path = journal_path(part, entry.session_id)
    begun = read_begun(path)
    if begun is not None:
        header, entries = begun
        if header.plan_digest != ready.plan.digest:
            raise InputError(f"{path}: belongs to another plan; a session ends as it began")
        last = last_setup(entries)
        now = None if last is None else msgspec.structs.replace(last, profile=options.profile, **observer_of(options))
        if now is not None:
            require_same(header, last, now, name=str(path))
    return _with_display(part, options, ready, lambda: entry, resume=True, say=say)


def _with_display(
    study: Study,
    options: Options,
    ready: Ready,
    claim: Callable[[], Entry],
    *,
    resume: bool,
    say: Callable[[str], object],
    first: str = "",
) -> Path:
    from . import psychopy_display as display

    software = {**display.check_installed(), "rapidvision": __version__, "python": platform.python_version()}
    protocol = study.protocol()
    clicks = options.simulate is None and any(name.startswith("area:") for name in ready.plan.inputs)
    with (
        display.PsychoPyScreen(
            background=protocol.display.background,
            profile=options.profile,
            screen_index=options.screen_index,
            window_px=options.window_px,
            paced_hz=options.paced_hz,
            triggers=open_port(options.trigger, width_ms=options.trigger_ms),
            photodiode_px=options.photodiode_px,
        ) as screen,
        display.open_keys(screen.conversion) as keys,
        Devices(screen, keys, clicks=clicks, boxes=options.boxes) as devices,
    ):
        checked = check_display(
            screen, study.sessions_folder, options, keyboards=list(keys.products), boxes=devices.boxes
        )
        say(checked.report())
        display_checks.refuse_too_short(protocol, checked.refresh)
        accepted = checked.require((*options.accept, *(["display"] if _only_paced(checked, options) else [])))
        accepted += ["age"] if resume and options.accept_age else []
        if first:
            confirm(screen, devices.merged, first)
        entry = claim()
        plan = plan_of(study, entry)
        if plan.digest != ready.plan.digest:  # another computer took the slot in the meantime
            ready = make_ready(study, entry, options)
        path = journal_path(study, entry.session_id)
        with JournalFile(path, header_of(entry, plan, options), alone=study.station is not None) as journal:
            journal.append(
                setup_of(screen, checked, options, accepted=accepted, software=software, inputs=devices.record())
            )
            files.write_bytes(path.with_suffix(".preflight.svg"), intervals_svg(checked.stamps_s, checked.refresh))
            _prepare(screen, ready, options)
            screen.use_refresh(checked.refresh)
            look, heard = _participant(plan, screen, devices.merged, options)
            past = trials_and_events(journal.past)
            opening = words_of(entry, plan, past, unfinished_like(study, entry)) if resume else ""
            session = Session(
                plan, look, heard, journal, past=past, utc=utc_now, between=devices.between, opening=opening
            )
            if isinstance(heard, Participant):
                heard.choose = session.state.choose
            session.run()
        Ledger(study).close(entry.session_id, "finished")
    quality = quality_of(plan, read_journal(path)[1])
    say(f"{'ATTENTION: ' if quality.warns else ''}{entry.session_id}: {quality.sentence()}")
    return path


def _only_paced(checked: Preflight, options: Options) -> bool:
    """Whether a simulated participant meets nothing worse than the test mode that was asked for."""
    return options.simulate is not None and [c.name for c in checked.red] == ["display"]


def check_display(
    screen: "PsychoPyScreen",
    folder: Path,
    options: Options,
    *,
    keyboards: list[str],
    boxes: Sequence[Box] = (),
    pressed: list[Press] | None = None,
    seconds: float = display_checks.SESSION_S,
) -> Preflight:
    """Measure the display and judge it, with what belongs to it.

    Parameters
    ----------
    screen : PsychoPyScreen
        Open.
    folder : path
        Where data will go.
    options : Options
        The monitor's profile and the mode.
    keyboards : list of str
        Their names.
    boxes : sequence of Box
        Response boxes.
    pressed : list of Press, optional
        What was pressed when asked.
    seconds : float
        How long flips are measured.
    """
    priority = display_checks.judge_priority(screen.rush())
    stamps = display_checks.measure_flips(screen.flip, seconds=seconds)
    nominal = options.paced_hz or (options.profile.refresh_hz if options.profile else None)
    refresh, checks = display_checks.judge_refresh(stamps, nominal_hz=nominal)
    checks += [
        display_checks.judge_mode(options.paced_hz),
        *([display_checks.judge_profile(options.profile, screen.monitor_px)] if options.profile else []),
        display_checks.judge_scale(screen.scale),
        priority,
        display_checks.judge_keyboard(keyboards, pressed),
        *(display_checks.judge_box(box.record) for box in boxes),
        display_checks.judge_disk(folder),
        display_checks.judge_clock(screen.clock.resolution_s),
    ]
    return Preflight(refresh, tuple(checks), tuple(stamps))


def _prepare(screen: "PsychoPyScreen", ready: Ready, options: Options) -> None:
    display = ready.plan.protocol.display
    side = display.image_px
    if display.image_deg is not None and options.profile is not None:
        side = round(options.profile.deg_to_px(display.image_deg))
    screen.drawings.load(ready.plan, ready.paths, side_px=side, icons=ready.icons)


def _participant(plan: Plan, screen: "PsychoPyScreen", inputs: Inputs, options: Options) -> tuple[Screen, Inputs]:
    """Return the screen and the inputs of the person or the simulated participant."""
    if options.simulate is None:
        return screen, inputs
    participant = Participant(plan, options.simulate, seed=options.seed, clock=screen.now)
    return Watched(screen, participant.see), participant


def release(study: Study, name: str) -> Entry:
    """Give an unfinished session's slot back, by session or participant id, and say so in its journal.

    A journal that is empty or damaged stays unchanged; the ledger says all the same that the session was given up.
    """
    part, entry = find_session(study, name)
    path = journal_path(part, entry.session_id)
    try:
        begun = read_begun(path)
    except InputError:
        begun = None
    if begun is not None:
        with JournalFile(path, begun[0], alone=part.station is not None) as journal:
            journal.append(Event(what=GIVEN_UP, utc=utc_now()))
    return Ledger(part).close(entry.session_id, "returned")
