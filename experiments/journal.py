"""The journal of a session: one JSON line with its CRC-32 per entry, on the disk before the next trial starts.

The first line says whose session and which plan it is. A last line without its end, as a power cut leaves it, is taken
off when the journal is opened again; any other damage is named by line number and never passed over.
"""

import zlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from rapidvision import files
from rapidvision.errors import InputError
from rapidvision.screen import Screen as Profile
from rapidvision.trials import ObserverKind

from .ports import Event, TrialData
from .storage import AppendOnly

JOURNAL_VERSION = 2


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
    accepted: list[str] = []
    preflight: dict[str, Any] = {}
    software: dict[str, str] = {}
    utc: str = ""


Entry = Header | Setup | TrialData | Event
_decoder = msgspec.json.Decoder(Entry)


def encode(entry: Entry) -> bytes:
    """Return an entry's line: JSON, a tab, eight hexadecimal digits of CRC-32, a line break."""
    body = msgspec.json.encode(entry)
    return b"%b\t%08x\n" % (body, zlib.crc32(body))


def decode(raw: bytes, *, name: str) -> list[Entry]:
    """Return the entries of a journal's whole lines.

    Raises
    ------
    InputError
        Names the damaged line.
    """
    entries = []
    for number, line in enumerate(raw.split(b"\n")[:-1], 1):
        body, _, crc = line.rpartition(b"\t")
        if crc != b"%08x" % zlib.crc32(body):
            raise InputError(f"{name}: line {number} is damaged (checksum differs); restore the file from a backup")
        try:
            entries.append(_decoder.decode(body))
        except msgspec.DecodeError as error:
            raise InputError(f"{name}: line {number} cannot be read ({error}); another version wrote it") from error
    return entries


def read_journal(path: Path | str) -> tuple[Header, list[Entry]]:
    """Read a journal without locking or changing it; a line that is being written is left out.

    Returns
    -------
    header : Header
        The first line.
    entries : list
        The other ones.

    Raises
    ------
    InputError
        When it is missing, damaged, or does not begin with a header.
    """
    entries = decode(files.read_bytes(path), name=str(path))
    if not entries or not isinstance(entries[0], Header):
        raise InputError(f"{path}: no journal (it has no header)")
    return entries[0], entries[1:]


class JournalFile:
    """An open journal; the third port of the engine.

    Parameters
    ----------
    path : path-like
        Made where it is missing.
    header : Header
        Written into a new journal; an old one must have the same session and digests.

    Attributes
    ----------
    past : list
        The entries that were there, the header left out.
    torn_bytes : int
        Length of the unfinished last line that was taken off.
    header : Header
        The first line.
    setup : Setup or None
        What the session last ran on.

    Raises
    ------
    InputError
        When another session holds the journal, it is damaged, or it belongs to another session, plan or protocol.
    """

    def __init__(self, path: Path | str, header: Header) -> None:
        self.path = Path(path)
        self._file = AppendOnly(path, wait=False)
        try:
            raw = self._file.read()
            whole = raw.rfind(b"\n") + 1
            self.torn_bytes = len(raw) - whole
            entries = decode(raw[:whole], name=str(path))
            if self.torn_bytes:
                self._file.cut(whole)
            if entries:
                self.header = _same(entries[0], header, name=str(path))
            else:
                self.header = header
                self._file.append(encode(header))
        except BaseException:
            self._file.close()
            raise
        self.past: list[Entry] = entries[1:]
        self.setup = last_setup(self.past)

    def append(self, entry: Entry) -> None:
        """Store an entry for good; see :meth:`AppendOnly.append` for a full disk.

        Raises
        ------
        InputError
            When a setup names another observer than the header, or another display than the openings before.
        """
        if isinstance(entry, Setup):
            require_same(self.header, self.setup, entry, name=str(self.path))
            self.setup = entry
        self._file.append(encode(entry))

    def close(self) -> None:
        """Close the file and let others have it."""
        self._file.close()

    def __enter__(self) -> "JournalFile":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()


def trials_and_events(entries: Sequence[Entry]) -> list[TrialData | Event]:
    """Return what the engine wrote."""
    return [entry for entry in entries if isinstance(entry, TrialData | Event)]


def last_setup(entries: Sequence[Entry]) -> Setup | None:
    """Return what a session last ran on, or None before its first opening."""
    return next((entry for entry in reversed(entries) if isinstance(entry, Setup)), None)


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
                "resume it as it began, or give it up with `rapidvision session return`"
            )


def _words(value: object) -> str:
    if isinstance(value, Profile):
        return (
            f"{value.width_px} x {value.height_px} px, {value.width_cm:g} cm wide at {value.distance_cm:g} cm, "
            f"{value.refresh_hz:g} Hz"
        )
    return "none" if value is None else " x ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _same(old: Entry, new: Header, *, name: str) -> Header:
    if not isinstance(old, Header):
        raise InputError(f"{name}: no journal (it has no header)")
    for field, words in (
        ("session_id", "session"),
        ("protocol_digest", "protocol"),
        ("stimulus_set_digest", "stimulus set"),
        ("plan_digest", "plan"),
        ("participant_id", "participant"),
        ("observer_kind", "kind of observer"),
    ):
        got, allowed = getattr(new, field), getattr(old, field)
        if got != allowed:
            raise InputError(
                f"{name}: belongs to another {words}: got {got}, allowed is {allowed}; a session ends as it began"
            )
    return old
