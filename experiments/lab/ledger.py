"""The ledger on disk: one JSON line per event, appended under a file lock, so that two computers cannot take one slot."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import msgspec

from rapidvision.errors import InputError
from rapidvision.study import Study

from .. import clock
from ..design.allocation import Entry, Slots
from ..recording.append_file import AppendOnly


def utc_now() -> str:
    """Return the time as ISO 8601 with milliseconds, UTC."""
    return clock.utc_now().isoformat(timespec="milliseconds")


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

    def take(self, participant_id: str, *, group: str | None = None, reuse: bool = False, prefix: str = "") -> Entry:
        """Give a participant the least filled slot and store that; see :meth:`Slots.take`."""
        with self._locked() as (file, slots):
            entry = slots.take(participant_id, group=group, utc=utc_now(), reuse=reuse, prefix=prefix)
            file.append(msgspec.json.encode(entry) + b"\n")
        return entry

    def close(self, session_id: str, event: Literal["finished", "returned"]) -> Entry:
        """Store that a session finished or gives its slot back; see :meth:`Slots.close`."""
        with self._locked() as (file, slots):
            entry = slots.close(session_id, event, utc=utc_now())
            file.append(msgspec.json.encode(entry) + b"\n")
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
    def _locked(self) -> Iterator[tuple[AppendOnly, Slots]]:
        if self.study.folder.is_dir():
            self.path.parent.mkdir(exist_ok=True)
        file = AppendOnly(self.path, wait=True)
        try:
            raw = file.read()
            file.cut(raw.rfind(b"\n") + 1)
            yield file, self._slots(raw)
        finally:
            file.close()
