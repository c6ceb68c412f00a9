"""The ledger on disk: one JSON line per event, appended under a file lock, so that two computers cannot take one slot."""

import datetime
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import msgspec

from rapidvision.errors import InputError
from rapidvision.study import Study

from .slots import Entry, Slots


def utc_now() -> str:
    """Return the time as ISO 8601 with milliseconds, UTC."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


class Ledger:
    """The slots of a study folder.

    Parameters
    ----------
    study : Study
        Where ``ledger.jsonl`` is or will be.

    Notes
    -----
    The lock is held while a slot is chosen and written, a few milliseconds; waiting for it is not an error.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self.path = study.ledger_path

    def slots(self) -> Slots:
        """Return the state of all slots."""
        if not self.path.exists():
            return self._slots(b"")
        return self._slots(self.path.read_bytes())

    def take(self, participant_id: str, *, group: str | None = None) -> Entry:
        """Give a participant the least filled slot and store that; see :meth:`Slots.take`."""
        with self._locked() as (descriptor, slots):
            entry = slots.take(participant_id, group=group, utc=utc_now())
            _append(descriptor, entry)
        return entry

    def close(self, session_id: str, event: Literal["finished", "returned"]) -> Entry:
        """Store that a session finished or gives its slot back; see :meth:`Slots.close`."""
        with self._locked() as (descriptor, slots):
            entry = slots.close(session_id, event, utc=utc_now())
            _append(descriptor, entry)
        return entry

    def _slots(self, raw: bytes) -> Slots:
        description = self.study.description()
        entries = []
        lines = raw.split(b"\n")
        for number, line in enumerate(lines[:-1], 1):  # what follows the last line break was cut off while written
            try:
                entries.append(msgspec.json.decode(line, type=Entry))
            except msgspec.DecodeError as error:
                raise InputError(
                    f"{self.path}: line {number} is damaged ({error}); restore it from a backup"
                ) from error
        seed = self.study.protocol().seed
        return Slots(description.groups, description.n_slots, seed=seed, entries=entries)

    @contextmanager
    def _locked(self) -> Iterator[tuple[int, Slots]]:
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise InputError(f"{self.path}: cannot be written ({error.strerror})") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            raw = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
            os.ftruncate(descriptor, raw.rfind(b"\n") + 1)
            yield descriptor, self._slots(raw)
        finally:
            os.close(descriptor)


def _append(descriptor: int, entry: Entry) -> None:
    line = msgspec.json.encode(entry) + b"\n"
    try:
        written = os.write(descriptor, line)
        if written != len(line):
            raise OSError(0, "disk full")
        os.fdatasync(descriptor)
    except OSError as error:
        raise InputError(f"the ledger cannot be written ({error.strerror}); make room and try again") from error
