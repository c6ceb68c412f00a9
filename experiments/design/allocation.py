"""Who gets which slot: the least filled one, once per participant. Pure, so that the lab and the server share it."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from rapidvision.errors import InputError
from rapidvision.seeds import stream
from rapidvision.system import platforms

_ALLOWED = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_MONTH = "jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec|march|april|june|july"
#: What spreadsheets read as a power of ten, a date or a truth value.
_CHANGED = re.compile(
    rf"\d+e\d{{1,3}}|\d{{1,4}}-\d{{1,2}}(-\d{{1,4}})?|({_MONTH})-?\d{{1,4}}|\d{{1,2}}-?({_MONTH})(-\d{{2,4}})?|true|false",
    re.IGNORECASE,
)


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
    """Return the id, or refuse one that a file system, a spreadsheet or BIDS would change.

    Letters of the English alphabet, digits, ``-`` and ``_`` are allowed, with a letter or digit first; no names of
    devices (Windows cannot make such a file), and nothing that spreadsheets turn into numbers or dates.

    Raises
    ------
    InputError
        Says what is wrong, and suggests an id that can be used.

    Examples
    --------
    >>> check_participant_id("p01")
    'p01'
    >>> check_participant_id("=1+1")
    Traceback (most recent call last):
        ...
    rapidvision.errors.InputError: participant: got "=1+1"; 1 to 64 letters (a-z), digits, - or _ are allowed, a letter \
or digit first. Use "p11"?
    """
    if not _ALLOWED.fullmatch(participant_id):
        why = "1 to 64 letters (a-z), digits, - or _ are allowed, a letter or digit first"
    elif fault := platforms.name_fault(participant_id):
        why = f"{fault} and cannot store a file under it"
    elif _CHANGED.fullmatch(participant_id):
        why = "spreadsheets change this into a number or a date"
    else:
        return participant_id
    raise InputError(f'participant: got "{participant_id}"; {why}.{_suggestion(participant_id)}')


def _suggestion(participant_id: str) -> str:
    plain = unicodedata.normalize("NFKD", participant_id).encode("ascii", "ignore").decode()
    plain = "".join(c for c in plain if c.isalnum() or c in "-_").strip("-_")[:60]
    if not plain:
        return ""
    return f' Use "{plain if plain != participant_id and plain[0].isalpha() else "p" + plain}"?'


def likeness(participant_id: str) -> str:
    """Return what is left of an id without case, ``-``, ``_`` and zeros in front of numbers.

    Two ids with one likeness are one person written twice, or would collide as folders on Windows, macOS or in BIDS.

    Examples
    --------
    >>> likeness("p01"), likeness("P-1"), likeness("p10")
    ('p1', 'p1', 'p10')
    """
    plain = re.sub(r"[-_]", "", unicodedata.normalize("NFC", participant_id).casefold())
    return re.sub(r"(?<!\d)0+(?=\d)", "", plain)


def near(participant_id: str, others: Iterable[str]) -> list[str]:
    """Return the ids that one slip of the finger turns into this one: a letter changed, left out, added, or two swapped.

    Examples
    --------
    >>> near("p12", ["p12", "p13", "p21", "p1", "x40"])
    ['p13', 'p21', 'p1']
    """
    mine = participant_id.casefold()
    return [each for each in others if each.casefold() != mine and _one_slip(mine, each.casefold())]


def _one_slip(one: str, two: str) -> bool:
    short, long = sorted((one, two), key=len)
    if len(long) - len(short) == 1:
        return any(long[:at] + long[at + 1 :] == short for at in range(len(long)))
    if len(long) != len(short):
        return False
    differ = [at for at in range(len(one)) if one[at] != two[at]]
    swapped = len(differ) == 2 and differ[1] == differ[0] + 1 and sorted(one) == sorted(two)
    return len(differ) == 1 or swapped


class Slots:
    """The state of all slots, from the entries of a ledger.

    Parameters
    ----------
    groups : sequence of str
        The study's groups.
    n_slots : int
        Slots per group.
    seed : int
        The protocol's seed; breaks ties between groups so that the next group cannot be foreseen.
    entries : iterable of Entry
        What happened so far, in order.
    mine : range, optional
        The slots that may be given here, where several stations share a study; all by default.

    Examples
    --------
    >>> slots = Slots(["clickme", "salicon"], 12, seed=1)
    >>> first, second = slots.take("p1"), slots.take("p2")
    >>> {first.group, second.group} == {"clickme", "salicon"}, first.slot, second.slot
    (True, 0, 0)
    """

    def __init__(
        self,
        groups: Sequence[str],
        n_slots: int,
        *,
        seed: int,
        entries: Iterable[Entry] = (),
        mine: range | None = None,
    ) -> None:
        self.groups = tuple(groups)
        self.n_slots = n_slots
        self.mine = range(n_slots) if mine is None else mine
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

    def take(
        self,
        participant_id: str,
        *,
        group: str | None = None,
        slot: int | None = None,
        utc: str = "",
        reuse: bool = False,
        prefix: str = "",
    ) -> Entry:
        """Return the entry that gives a participant the least filled slot; the caller stores it.

        Parameters
        ----------
        participant_id : str
            Must be new to the study.
        group : str, optional
            Only slots of this group; the group with the fewest participants by default.
        slot : int, optional
            This slot, as a roster says; the least filled one by default.
        utc : str
            Goes into the entry.
        reuse : bool
            Give a slot to a second participant when all are taken; refused otherwise.
        prefix : str
            Put before the session's id, where several kinds of sessions are told apart by it.

        Returns
        -------
        Entry
            With ``event = "taken"``; already applied.

        Raises
        ------
        InputError
            When the id cannot be used or is another's in other spelling, the participant already took part, there is no
            such group, or every slot of the group is taken.
        """
        check_participant_id(participant_id)
        for entry in self.last.values():
            if entry.participant_id == participant_id:
                raise InputError(f"participant {participant_id}: {_ALREADY[entry.event]} ({entry.session_id})")
            if likeness(entry.participant_id) == likeness(participant_id):
                raise InputError(
                    f'participant: got "{participant_id}", and "{entry.participant_id}" has taken part '
                    f"({entry.session_id}); ids must differ by more than case, -, _ and zeros in front. If this is "
                    f'the same person, use "{entry.participant_id}"'
                )
        filled = self.filled()
        group = self._next_group(filled) if group is None else group
        if group not in self.groups:
            raise InputError(f'group: this study has no "{group}"; it has {", ".join(self.groups)}')
        if slot is None:
            slot = min(self.mine, key=lambda number: (filled[group, number], number))
        elif slot not in self.mine or (filled[group, slot] and not reuse):
            why = "is another station's" if slot not in self.mine else "is taken"
            raise InputError(
                f"participant {participant_id}: slot {slot} of group {group} {why}; give another one in participants.csv"
            )
        if filled[group, slot] and not reuse:
            raise InputError(
                f"group {group}: all {len(self.mine)} slots are taken; plan more with `rapidvision session plan --n-per-group`, "
                "give unfinished sessions back with `rapidvision session release`, or run with --reuse-slot, which "
                "gives a plan to a second participant"
            )
        entry = Entry(
            event="taken",
            session_id=f"{prefix}{participant_id}-{group}-{slot:04d}",
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
        sizes = {group: sum(filled[group, slot] for slot in self.mine) for group in self.groups}
        least = [group for group in self.groups if sizes[group] == min(sizes.values())]
        return least[int(stream(self.seed, "group", len(self.last)).integers(len(least)))]


_ALREADY = {
    "taken": "has an unfinished session; continue it with `rapidvision session resume`",
    "finished": "has already taken part, and images must be new; use another participant",
    "returned": "has already seen part of the images in a session that was given up; use another participant",
}
