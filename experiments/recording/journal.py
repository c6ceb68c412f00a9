"""The journal of a session: one JSON line with its CRC-32 per entry, on the disk before the next trial starts.

The first line says whose session and which plan it is. A last line without its end, as a power cut leaves it, is taken
off when the journal is opened again; any other damage is named by line number and never passed over.
"""

import zlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import msgspec

from rapidvision.errors import InputError
from rapidvision.system import files

from ..interfaces import AnswerData, Event, TrialData
from .append_file import AppendOnly
from .headers import Header, Setup, require_same

#: The event of a session whose slot was given back.
GIVEN_UP = "given up"


Entry = Header | Setup | TrialData | AnswerData | Event
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


def read_begun(path: Path | str) -> tuple[Header, list[Entry]] | None:
    """Read a journal as :func:`read_journal` does; None where it is missing or lost its power before its first line."""
    path = Path(path)
    return read_journal(path) if path.exists() and b"\n" in files.read_bytes(path) else None


class JournalFile:
    """An open journal; the third port of the engine.

    Parameters
    ----------
    path : path-like
        Made where it is missing.
    header : Header
        Written into a new journal; an old one must have the same session and digests.
    alone : bool
        As of :class:`~rapidvision.experiments.recording.append_file.AppendOnly`.

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

    def __init__(self, path: Path | str, header: Header, *, alone: bool = False) -> None:
        self.path = Path(path)
        self._file = AppendOnly(path, wait=False, alone=alone)
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


def trials_and_events(entries: Sequence[Entry]) -> list[TrialData | AnswerData | Event]:
    """Return what the engine wrote: trials, answers to questions and events."""
    return [entry for entry in entries if isinstance(entry, TrialData | AnswerData | Event)]


def last_setup(entries: Sequence[Entry]) -> Setup | None:
    """Return what a session last ran on, or None before its first opening."""
    return next((entry for entry in reversed(entries) if isinstance(entry, Setup)), None)


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
