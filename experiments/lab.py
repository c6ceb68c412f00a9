"""A lab session from the participant's name to the last stored trial: checks, slot, window, engine, journal."""

import gc
import platform
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rapidvision import __version__, files
from rapidvision.errors import InputError
from rapidvision.plan import Plan, plan_filename, read_plan
from rapidvision.screen import Screen as Profile
from rapidvision.study import Study

from . import preflight, texts
from .journal import Header, JournalFile, Setup, read_journal, trials_and_events
from .ledger import Ledger, utc_now
from .participants import Observers, Participant
from .ports import Event, Keys, Picture, Press, Screen
from .preflight import Preflight
from .session import Session
from .slots import Entry, check_participant_id
from .triggers import open_port

if TYPE_CHECKING:
    from .psychopy_display import PsychoPyScreen

#: Keys that PsychoPy names and every keyboard has; a protocol's keys must be among them.
KEYS = {*"abcdefghijklmnopqrstuvwxyz0123456789", "space", "left", "right", "up", "down", "tab", "return"}


@dataclass(frozen=True, slots=True)
class Options:
    """How a session is run.

    Attributes
    ----------
    profile : Profile or None
        The monitor.
    screen_index : int
        Which monitor.
    window_px : (int, int) or None
        A window instead of the full screen.
    paced_hz : float or None
        Paced test mode.
    trigger : str
        See :func:`rapidvision.experiments.triggers.open_port`.
    photodiode_px : int
        Side of the photodiode patch; 0 for none.
    accept_timing : bool
        Run although a check is red; recorded.
    accept_age : bool
        Resume although the session is old; recorded.
    max_age_h : float
        Sessions older than this are not resumed.
    simulate : Observers or None
        Let a simulated participant press the keys.
    seed : int
        Of the simulated participant.
    set_folder : path or None
        The stimulus set, where it is not where it was planned.
    """

    profile: Profile | None = None
    screen_index: int = 0
    window_px: tuple[int, int] | None = None
    paced_hz: float | None = None
    trigger: str = "none"
    photodiode_px: int = 0
    accept_timing: bool = False
    accept_age: bool = False
    max_age_h: float = 24.0
    simulate: Observers | None = None
    seed: int = 1
    set_folder: Path | None = None


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
        When the session was stopped; go on with :func:`resume_session`.
    """
    check_participant_id(participant_id)
    ledger = Ledger(study)
    ledger.slots().take(participant_id, group=group)  # a rehearsal: refuses without storing anything
    _check_study(study, options)
    return _with_display(study, options, lambda: ledger.take(participant_id, group=group), resume=False, say=say)


def resume_session(study: Study, name: str, options: Options, *, say: Callable[[str], object] = print) -> Path:
    """Go on with an unfinished session, by session or participant id; see :func:`run_session`.

    Raises
    ------
    InputError
        When there is no such session, it is finished or was given up, is older than the set age, or protocol, plan or
        stimulus set are not those that it began with.
    """
    entry = find_session(study, name)
    if entry.event != "taken":
        done = "is finished" if entry.event == "finished" else "was given up; its slot is free for others"
        raise InputError(f"session {entry.session_id}: {done}")
    age_h = (datetime.now(UTC) - datetime.fromisoformat(entry.utc)).total_seconds() / 3600
    if age_h > options.max_age_h and not options.accept_age:
        raise InputError(
            f"session {entry.session_id}: began {age_h:.1f} h ago, at most {options.max_age_h:g} h are allowed; "
            "give it up with `rapidvision session return`, or go on with --accept-age, which is recorded"
        )
    _check_study(study, options)
    path = journal_path(study, entry.session_id)
    if path.exists():
        header, _ = read_journal(path)
        if header.plan_digest != plan_of(study, entry).digest:
            raise InputError(f"{path}: belongs to another plan; a session ends as it began")
    return _with_display(study, options, lambda: entry, resume=True, say=say)


def find_session(study: Study, name: str) -> Entry:
    """Return the ledger's last entry for a session or participant id."""
    known = Ledger(study).slots().last
    for entry in known.values():
        if name in (entry.session_id, entry.participant_id):
            return entry
    raise InputError(f"{study.folder}: no session of {name}; see `rapidvision session list`")


def journal_path(study: Study, session_id: str) -> Path:
    """Return where a session's journal lies."""
    return study.sessions_folder / f"{session_id}.jsonl"


def plan_of(study: Study, entry: Entry) -> Plan:
    """Return the plan that a session follows."""
    return read_plan(study.plans_folder / plan_filename(entry.group, entry.slot))


def _check_study(study: Study, options: Options) -> None:
    protocol = study.protocol()
    for key in protocol.keys:
        if key not in KEYS:
            raise InputError(f'keys: "{key}" is not on every keyboard; letters, digits, space and arrows are')
    study.stimulus_set(options.set_folder)
    if protocol.image_deg is not None and options.profile is None:
        raise InputError("image_deg needs the monitor's size and distance; give its profile with --screen FILE")
    try:
        study.sessions_folder.mkdir(exist_ok=True)
        probe = study.sessions_folder / ".writable"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise InputError(f"{study.sessions_folder}: cannot be written ({error.strerror}); check its rights") from error
    disk = preflight.judge_disk(study.sessions_folder)
    if disk.colour == "red":
        raise InputError(f"{study.sessions_folder}: {disk.found}; {disk.remedy}")


def check_stimuli(study: Study, plan: Plan, options: Options) -> dict[str, Path]:
    """Return the files of a plan's stimuli by their path in the plan, each hashed and looked at.

    Raises
    ------
    InputError
        Names the first file that is missing, changed, not square, of another size than the set's, or no RGB or grey
        picture.
    """
    from PIL import Image, UnidentifiedImageError

    stimulus_set = study.stimulus_set(options.set_folder)
    side = stimulus_set.description.image_px
    found = {}
    for trial in plan.trials():
        path = stimulus_set.folder / trial.path
        if files.sha256_file(path) != trial.stimulus_sha256:
            raise InputError(f"{path}: changed since the study was planned (hash differs); build the set again")
        try:
            with Image.open(path) as image:
                form = (image.size, image.mode)
        except UnidentifiedImageError as error:
            raise InputError(f"{path}: no picture") from error
        if form[0] != (side, side) or form[1] not in ("RGB", "L"):
            raise InputError(f"{path}: {form[0][0]} x {form[0][1]} {form[1]}; {side} x {side} RGB or L is needed")
        found[trial.path] = path
    return found


def _with_display(
    study: Study, options: Options, claim: Callable[[], Entry], *, resume: bool, say: Callable[[str], object]
) -> Path:
    from . import psychopy_display as display

    software = {**display.check_installed(), "rapidvision": __version__, "python": platform.python_version()}
    port = open_port(options.trigger)
    protocol = study.protocol()
    with (
        display.PsychoPyScreen(
            background=protocol.background,
            profile=options.profile,
            screen_index=options.screen_index,
            window_px=options.window_px,
            paced_hz=options.paced_hz,
            triggers=port,
            photodiode_px=options.photodiode_px,
        ) as screen,
        display.open_keys() as keys,
    ):
        checked = check_display(screen, study.sessions_folder, options, keyboards=list(keys.products))
        say(checked.report())
        accepted = checked.require(accepted=options.accept_timing or _only_paced(checked, options))
        accepted += ["age"] if resume and options.accept_age else []
        entry = claim()
        plan = plan_of(study, entry)
        header = Header(
            session_id=entry.session_id,
            participant_id=entry.participant_id,
            study_id=plan.study_id,
            group=entry.group,
            slot=entry.slot,
            observer="human" if options.simulate is None else "simulated",
            plan_digest=plan.digest,
            protocol_digest=plan.protocol.digest,
            stimulus_set_digest=plan.stimulus_set_digest,
            utc=utc_now(),
        )
        path = journal_path(study, entry.session_id)
        with JournalFile(path, header) as journal:
            setup = Setup(
                display="real" if options.paced_hz is None else "paced test mode",
                refresh_hz=checked.refresh.hz,
                accepted=accepted,
                preflight={check.name: [check.colour, check.found] for check in checked.checks},
                software=software,
                utc=utc_now(),
            )
            journal.append(setup)
            files.write_text(path.with_suffix(".preflight.svg"), preflight.picture(checked.stamps_s, checked.refresh))
            _prepare(screen, study, plan, options)
            screen.use_refresh(checked.refresh.hz)
            look, press = _participant(plan, screen, keys, options)
            past = trials_and_events(journal.past)
            Session(plan, look, press, journal, past=past, utc=utc_now, between=gc.collect).run()
        Ledger(study).close(entry.session_id, "finished")
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
    pressed: list[Press] | None = None,
    seconds: float = preflight.SESSION_S,
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
    pressed : list of Press, optional
        What was pressed when asked.
    seconds : float
        How long flips are measured.
    """
    priority = preflight.judge_priority(screen.rush())
    stamps = preflight.measure_flips(screen.flip, seconds=seconds)
    nominal = options.paced_hz or (options.profile.refresh_hz if options.profile else None)
    refresh, checks = preflight.judge_refresh(stamps, nominal_hz=nominal)
    checks += [
        preflight.judge_mode(options.paced_hz),
        preflight.judge_scale(screen.scale),
        priority,
        preflight.judge_keyboard(keyboards, pressed),
        preflight.judge_disk(folder),
        preflight.judge_clock(),
    ]
    return Preflight(refresh, tuple(checks), tuple(stamps))


def _prepare(screen: "PsychoPyScreen", study: Study, plan: Plan, options: Options) -> None:
    protocol = plan.protocol
    side = protocol.image_px
    if protocol.image_deg is not None and options.profile is not None:
        side = round(options.profile.deg_to_px(protocol.image_deg))
    words = {name: texts.fill(text) for name, text in plan.texts.items() if name != "reminder"}
    reminder = plan.texts["reminder"] if protocol.key_reminder else ""
    screen.load(check_stimuli(study, plan, options), side_px=side, reminder=reminder, words=words)


def _participant(plan: Plan, screen: "PsychoPyScreen", keys: Keys, options: Options) -> tuple[Screen, Keys]:
    """Return the screen and the keys of whoever takes part."""
    if options.simulate is None:
        return screen, keys
    participant = Participant(plan, options.simulate, seed=options.seed, clock=screen.now)
    return Watched(screen, participant.see), participant


class Watched:
    """A screen that a simulated participant looks at.

    Parameters
    ----------
    screen : Screen
        The real one.
    see : callable
        Told of each new picture and when it came up.
    """

    def __init__(self, screen: Screen, see: Callable[[Picture, float], object]) -> None:
        self._screen, self._see = screen, see
        self._last: Picture | None = None
        self.period_s = screen.period_s
        self.mark, self.notes = screen.mark, screen.notes

    def flip(self, picture: Picture) -> float:
        """Flip, and let the participant see what is new."""
        time_s = self._screen.flip(picture)
        if picture is not self._last:
            self._last = picture
            self._see(picture, time_s)
        return time_s


def give_up(study: Study, name: str) -> Entry:
    """Give an unfinished session's slot back, by session or participant id, and say so in its journal."""
    entry = find_session(study, name)
    path = journal_path(study, entry.session_id)
    if path.exists():
        header, _ = read_journal(path)
        with JournalFile(path, header) as journal:
            journal.append(Event(what="given up", utc=utc_now()))
    return Ledger(study).close(entry.session_id, "returned")
