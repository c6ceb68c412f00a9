"""What is looked at before a window opens: the study, its folder, the plan of a slot and every stimulus in it."""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from rapidvision.errors import InputError
from rapidvision.formats.manifest import StimulusSet
from rapidvision.plan import Plan, plan_filename, read_plan
from rapidvision.protocol import Protocol
from rapidvision.screen import Screen as Profile
from rapidvision.study import Study
from rapidvision.system import files
from rapidvision.trials import ObserverKind

from ..design.allocation import Entry
from ..design.rehearsals import Rehearsals
from ..engine.participants import Observers
from ..inputs.devices import check_boxes
from ..keyboard import check_keys
from ..recording.headers import Header
from ..typesetting.fonts import check_fonts
from . import display_checks
from .ledger import Ledger


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
        See :func:`rapidvision.experiments.triggers.ports.open_port`.
    trigger_ms : float or None
        Width of pulses; by default 5 ms, or half a refresh where that is shorter.
    boxes : tuple of str
        Response boxes; see :func:`rapidvision.experiments.inputs.boxes.open_box`.
    photodiode_px : int
        Side of the photodiode patch; 0 for none.
    accept : tuple of str
        Run although these checks are red, one by one; recorded.
    accept_age : bool
        Resume although the session is old; recorded.
    max_age_h : float
        Sessions older than this are not resumed.
    simulate : Observers or None
        Let a simulated participant press the keys.
    pilot : bool
        A person tries the study out; kept apart from the study's sessions.
    reuse_slot : bool
        Give a slot to a second participant where all are taken.
    seed : int
        Of the simulated participant.
    set_folder : path or None
        The stimulus set, where it is not where it was planned.

    Raises
    ------
    InputError
        When a size, a rate or an age makes no sense.
    """

    profile: Profile | None = None
    screen_index: int = 0
    window_px: tuple[int, int] | None = None
    paced_hz: float | None = None
    trigger: str = "none"
    trigger_ms: float | None = None
    boxes: tuple[str, ...] = ()
    photodiode_px: int = 0
    accept: tuple[str, ...] = ()
    accept_age: bool = False
    max_age_h: float = 24.0
    simulate: Observers | None = None
    pilot: bool = False
    reuse_slot: bool = False
    seed: int = 1
    set_folder: Path | None = None

    def __post_init__(self) -> None:
        low, high = display_checks.SLOWEST_HZ, display_checks.FASTEST_HZ
        if self.paced_hz is not None and not low <= self.paced_hz <= high:
            raise InputError(f"paced: got {self.paced_hz:g} Hz; {low:g} to {high:g} Hz are allowed")
        if self.window_px is not None and min(self.window_px) < 64:
            size = "{}x{}".format(*self.window_px)
            raise InputError(f"window: got {size}; at least 64x64 is needed")
        if self.screen_index < 0:
            raise InputError(f"screen-index: got {self.screen_index}; screens count from 0")
        if self.photodiode_px < 0:
            raise InputError(f"photodiode: got {self.photodiode_px} pixels; 0 (no patch) or more are allowed")
        if self.pilot and self.simulate is not None:
            raise InputError(
                "got --pilot and --simulate; a pilot is a person, a simulated participant is none: give one"
            )
        if not self.max_age_h > 0:
            raise InputError(f"max-age: got {self.max_age_h:g} hours; more than 0 is needed")

    @property
    def kind(self) -> ObserverKind:
        """The kind of observer that takes part."""
        return "simulated" if self.simulate is not None else "pilot" if self.pilot else "human"


class Ready(NamedTuple):
    """A plan and its files, looked at before the window opens.

    Attributes
    ----------
    plan : Plan
        The session.
    paths : dict
        Path in the plan -> file, of every image and mask.
    icons : dict
        Option -> file.
    """

    plan: Plan
    paths: dict[str, Path]
    icons: dict[str, Path]


class Found(NamedTuple):
    """A session of the ledger, and the part of the study folder that it lies in."""

    study: Study
    entry: Entry


def find_session(study: Study, name: str, *, kind: ObserverKind | None = None) -> Found:
    """Return the ledger's last entry for a session or participant id.

    Parameters
    ----------
    study : Study
        The study.
    name : str
        Id of the session or the participant.
    kind : {"human", "pilot", "simulated"}, optional
        Only sessions of this kind; by default people's, then those beside the study.

    Raises
    ------
    InputError
        When there is none, or it is of another kind.
    """
    others = []
    for part in (study, Rehearsals(study.folder)):
        for entry in Ledger(part).slots().last.values():
            if name not in (entry.session_id, entry.participant_id):
                continue
            has = "human" if part is study else entry.session_id.partition("-")[0]
            if kind is None or has == kind:
                return Found(part, entry)
            others.append((entry, has))
    if others:
        entry, has = others[0]
        how = {"human": "without --simulate and --pilot", "pilot": "with --pilot", "simulated": "with --simulate"}[has]
        raise InputError(
            f"session {entry.session_id}: observer: got {kind}, allowed is {has}, as the session began; "
            f"resume it {how}, or run a new session"
        )
    raise InputError(f"{study.folder}: no session of {name}; see `rapidvision session list`")


def next_rehearsal(study: Study, kind: ObserverKind) -> str:
    """Return the next free id for a pilot or a simulated participant; a person's must be given.

    Raises
    ------
    InputError
        For people.
    """
    if kind == "human":
        raise InputError("participant: give an id with --participant; only --pilot and --simulate number them")
    taken = {entry.participant_id for entry in Ledger(Rehearsals(study.folder)).slots().last.values()}
    return next(name for n in itertools.count(1) if (name := f"{kind}{n}") not in taken)


def journal_path(study: Study, session_id: str) -> Path:
    """Return where a session's journal lies."""
    return study.sessions_folder / f"{session_id}.jsonl"


def plan_of(study: Study, entry: Entry | Header) -> Plan:
    """Return the plan that a session follows, by its line of the ledger or its journal's header."""
    return read_plan(study.plans_folder / plan_filename(entry.group, entry.slot))


def make_ready(study: Study, entry: Entry, options: Options) -> Ready:
    """Check a study, the plan of a slot and its files, all before a window opens.

    Raises
    ------
    InputError
        Says what is wrong and what to do; see :func:`check_study`, :func:`check_boxes`, :func:`check_images` and
        :func:`check_icons`.
    """
    stimulus_set = check_study(study, options)
    plan = plan_of(study, entry)
    if options.simulate is None:
        check_boxes(plan.protocol, options.boxes)
    check_fonts(plan)
    return Ready(plan, check_images(stimulus_set, plan), check_icons(stimulus_set, plan.protocol))


def check_study(study: Study, options: Options) -> StimulusSet:
    """Refuse a study that cannot be run here: changed protocol, strange keys, another set, no free space, no rights.

    Returns
    -------
    StimulusSet
        The set that was planned with.
    """
    protocol = study.protocol()
    check_keys(protocol)
    stimulus_set = study.stimulus_set(options.set_folder)
    if protocol.display.image_deg is not None and options.profile is None:
        raise InputError("display.image_deg needs the monitor's size and distance; give its profile with --screen FILE")
    try:
        study.sessions_folder.mkdir(parents=True, exist_ok=True)
        probe = study.sessions_folder / ".writable"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise InputError(f"{study.sessions_folder}: cannot be written ({error.strerror}); check its rights") from error
    disk = display_checks.judge_disk(study.sessions_folder)
    if disk.colour == "red" and "disk" not in options.accept:
        raise InputError(f"{study.sessions_folder}: {disk.found}; {disk.remedy}, or run with --accept disk")
    return stimulus_set


def check_images(stimulus_set: StimulusSet, plan: Plan) -> dict[str, Path]:
    """Return the files of a plan's images and masks by their path in the plan, each hashed and looked at.

    Raises
    ------
    InputError
        Names the first file that is missing, changed, not square, of another size than the set's, or no RGB or grey
        image.
    """
    side = stimulus_set.description.image_px
    found: dict[str, Path] = {}
    for trial in plan.trials():
        for name, sha256 in trial.files().items():
            if name in found:
                continue
            path = stimulus_set.folder / name
            if files.sha256_file(path) != sha256:
                raise InputError(f"{path}: changed since the study was planned (hash differs); build the set again")
            size, mode = _form(path)
            if size != (side, side) or mode not in ("RGB", "L"):
                raise InputError(f"{path}: {size[0]} x {size[1]} {mode}; {side} x {side} RGB or L is needed")
            found[name] = path
    return found


def check_icons(stimulus_set: StimulusSet, protocol: Protocol) -> dict[str, Path]:
    """Return the files of the options' icons by option.

    Raises
    ------
    InputError
        Names the option whose icon is missing or no image.
    """
    found = {}
    for option in protocol.response.options if protocol.response is not None else ():
        if option.icon:
            found[option.name] = stimulus_set.folder / option.icon
            try:
                _form(found[option.name])
            except InputError as error:
                raise InputError(f"response.options: {option.name}: icon: {error}") from error
    return found


def _form(path: Path) -> tuple[tuple[int, int], str]:
    """Return an image's size and mode."""
    from PIL import Image, UnidentifiedImageError

    if not path.is_file():
        raise InputError(f"{path}: no such file; put it into the stimulus set")
    try:
        with Image.open(path) as image:
            return image.size, image.mode
    except UnidentifiedImageError as error:
        raise InputError(f"{path}: no image") from error
