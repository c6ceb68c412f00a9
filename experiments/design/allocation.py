"""Who gets which slot: the least filled one, once per participant. Pure, so that the lab and the server share it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from rapidvision.errors import InputError
from rapidvision.seeds import stream

_FORBIDDEN = set('/\\:*?"<>|')


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of the ledger.

    Attributes
    ----------
    event : {"taken", "finished", "returned"}
        A session began, ended with every trial done, or was given up so that its slot is free again.
    session_id, participant_id : str
        Who.
    group, slot : str, int
        Which plan.
    utc : str
        When, ISO 8601.
    """

    event: Literal["taken", "finished", "returned"]
    session_id: str
    participant_id: str
    group: str
    slot: int
    utc: str = ""


def check_participant_id(participant_id: str) -> str:
    """Return the id, or refuse one that cannot be part of a file name.

    Raises
    ------
    InputError
        When it is empty, longer than 64 characters, starts with a dot, or has a character that file systems refuse.
    """
    bad = sorted({c for c in participant_id if c in _FORBIDDEN or c.isspace() or not c.isprintable()})
    if not participant_id or len(participant_id) > 64 or participant_id.startswith(".") or bad:
        raise InputError(
            f'participant: got "{participant_id}"; 1 to 64 letters, digits, - or _ are allowed'
            + (f", not {' '.join(map(repr, bad))}" if bad else "")
        )
    return participant_id


class Slots:
    """The state of all slots, from the entries of a ledger.

    Parameters
    ----------
    groups : sequence of str
        The study's groups.
    n_slots : int
        Slots per group.
    seed : int
        The protocol's seed; breaks ties between groups so that nobody can foresee the next group.
    entries : iterable of Entry
        What happened so far, in order.

    Examples
    --------
    >>> slots = Slots(["clickme", "salicon"], 12, seed=1)
    >>> first, second = slots.take("p1"), slots.take("p2")
    >>> {first.group, second.group} == {"clickme", "salicon"}, first.slot, second.slot
    (True, 0, 0)
    """

    def __init__(self, groups: Sequence[str], n_slots: int, *, seed: int, entries: Iterable[Entry] = ()) -> None:
        self.groups = tuple(groups)
        self.n_slots = n_slots
        self.seed = seed
        self.last: dict[str, Entry] = {}
        for entry in entries:
            self.apply(entry)

    def apply(self, entry: Entry) -> None:
        """Take an entry into account; a session's latest entry is its state."""
        self.last[entry.session_id] = entry

    def filled(self) -> Counter[tuple[str, int]]:
        """``(group, slot)`` → sessions that hold or finished it."""
        return Counter((e.group, e.slot) for e in self.last.values() if e.event != "returned")

    def take(self, participant_id: str, *, group: str | None = None, utc: str = "") -> Entry:
        """Return the entry that gives a participant the least filled slot; the caller stores it.

        Parameters
        ----------
        participant_id : str
            Must be new to the study.
        group : str, optional
            Only slots of this group; the group with the fewest participants by default.
        utc : str
            Goes into the entry.

        Returns
        -------
        Entry
            With ``event = "taken"``; already applied.

        Raises
        ------
        InputError
            When the id cannot be used, the participant already took part, or there is no such group.
        """
        check_participant_id(participant_id)
        for entry in self.last.values():
            if entry.participant_id == participant_id:
                raise InputError(f"participant {participant_id}: {_ALREADY[entry.event]} ({entry.session_id})")
        filled = self.filled()
        group = self._next_group(filled) if group is None else group
        if group not in self.groups:
            raise InputError(f'group: this study has no "{group}"; it has {", ".join(self.groups)}')
        slot = min(range(self.n_slots), key=lambda number: (filled[group, number], number))
        entry = Entry(
            event="taken",
            session_id=f"{participant_id}-{group}-{slot:04d}",
            participant_id=participant_id,
            group=group,
            slot=slot,
            utc=utc,
        )
        self.apply(entry)
        return entry

    def close(self, session_id: str, event: Literal["finished", "returned"], *, utc: str = "") -> Entry:
        """Return the entry that ends a session; already applied.

        Raises
        ------
        InputError
            When the session is unknown or already finished.
        """
        if session_id not in self.last:
            raise InputError(f"session {session_id}: not in this study's ledger")
        if self.last[session_id].event == "finished":
            raise InputError(f"session {session_id}: already finished")
        entry = msgspec.structs.replace(self.last[session_id], event=event, utc=utc)
        self.apply(entry)
        return entry

    def _next_group(self, filled: Counter[tuple[str, int]]) -> str:
        sizes = {group: sum(filled[group, slot] for slot in range(self.n_slots)) for group in self.groups}
        least = [group for group in self.groups if sizes[group] == min(sizes.values())]
        return least[int(stream(self.seed, "group", len(self.last)).integers(len(least)))]


_ALREADY = {
    "taken": "has an unfinished session; go on with `rapidvision session resume`",
    "finished": "has already taken part, and pictures must be new; use another participant",
    "returned": "has already seen part of the pictures in a session that was given up; use another participant",
}
