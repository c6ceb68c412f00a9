"""The ledger on disk: one JSON line per event, appended under a file lock, so that two computers cannot take one slot."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from rapidvision.errors import InputError
from rapidvision.study import Study
from rapidvision.system import files

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
        Where ``ledger.jsonl`` is or will be; with a station, that station's own file is written and all are read.

    Notes
    -----
    The lock is held while a slot is chosen and written, a few milliseconds; waiting for it is not an error.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self.path = study.ledger_path

    def slots(self, *, taking: bool = False) -> Slots:
        """Return the state of all slots, by the ledgers of all stations.

        Parameters
        ----------
        taking : bool
            Only slots of this station are given; refused where the study has stations and none is named.
        """
        return self._slots(taking=taking)

    def take(
        self,
        participant_id: str,
        *,
        group: str | None = None,
        slot: int | None = None,
        reuse: bool = False,
        prefix: str = "",
    ) -> Entry:
        """Give a participant the least filled slot and store that; see :meth:`Slots.take`."""
        with self._locked(taking=True) as (file, slots):
            entry = slots.take(participant_id, group=group, slot=slot, utc=utc_now(), reuse=reuse, prefix=prefix)
            file.append(msgspec.json.encode(entry) + b"\n")
        return entry

    def close(self, session_id: str, event: Literal["finished", "returned"]) -> Entry:
        """Store that a session finished or gives its slot back; see :meth:`Slots.close`."""
        with self._locked() as (file, slots):
            entry = slots.close(session_id, event, utc=utc_now())
            file.append(msgspec.json.encode(entry) + b"\n")
        return entry

    def _slots(self, *, taking: bool) -> Slots:
        description = self.study.description()
        entries = [entry for path in self.study.ledger_paths() for entry in read_entries(path)]
        entries.sort(key=lambda entry: entry.event != "taken")  # another station's file may end what this one's began
        seed = self.study.protocol().seed
        mine = self.study.slots_here() if taking else None
        return Slots(description.groups, description.n_slots, seed=seed, entries=entries, mine=mine)

    @contextmanager
    def _locked(self, *, taking: bool = False) -> Iterator[tuple[AppendOnly, Slots]]:
        if self.study.folder.is_dir():
            self.path.parent.mkdir(exist_ok=True)
        file = AppendOnly(self.path, wait=True, alone=self.study.station is not None)
        try:
            file.cut(file.read().rfind(b"\n") + 1)
            yield file, self._slots(taking=taking)
        finally:
            file.close()


def read_entries(path: Path) -> list[Entry]:
    """Return the entries of a ledger's file, a line that is being written left out.

    Raises
    ------
    InputError
        Names the damaged line.
    """
    entries = []
    for number, line in enumerate(files.read_bytes(path).split(b"\n")[:-1], 1):
        try:
            entries.append(msgspec.json.decode(line, type=Entry))
        except msgspec.DecodeError as error:
            raise InputError(f"{path}: line {number} is damaged ({error}); restore it from a backup") from error
    return entries
