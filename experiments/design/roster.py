"""``participants.csv`` in a study's folder: the codes that a laboratory hands out, and perhaps each one's group and slot.

Where the file is there, only its codes begin sessions, so that a code that was mistyped begins none.
"""

from collections.abc import Sequence
from typing import NamedTuple

from rapidvision.errors import InputError, did_you_mean
from rapidvision.study import Study
from rapidvision.text import text_tables

from .allocation import check_participant_id, likeness

ROSTER = "participants.csv"
_COLUMNS = ("participant_id", "group", "slot")


class Place(NamedTuple):
    """What the roster says of a participant: a group and a slot, each None where the ledger chooses."""

    group: str | None = None
    slot: int | None = None


def read_roster(study: Study) -> dict[str, Place] | None:
    """Read a study's roster.

    Parameters
    ----------
    study : Study
        The study.

    Returns
    -------
    dict or None
        Participant id -> place; None where the study has no roster.

    Raises
    ------
    InputError
        Names file, row and column of an id that cannot be used or comes twice in any spelling, an unknown group, or a
        slot that is none of the study's or given twice.
    """
    path = study.folder / ROSTER
    if not path.exists():
        return None
    table = text_tables.read(path)
    if "participant_id" not in table.header:
        raise InputError(
            f"{path}: has the columns {', '.join(table.header)}; participant_id is needed, group and slot may be"
        )
    description = study.description()
    found: dict[str, Place] = {}
    alike: dict[str, tuple[str, int]] = {}
    slots: dict[tuple[str | None, int], int] = {}
    for row, number in zip(table.rows, table.numbers, strict=True):
        name, group, slot = (row.get(column, "").strip() for column in _COLUMNS)
        where = f"{path}: row {number}"
        try:
            check_participant_id(name)
        except InputError as error:
            raise InputError(f"{where}, column participant_id: {error}") from None
        if likeness(name) in alike:
            other, earlier = alike[likeness(name)]
            raise InputError(
                f'{where}, column participant_id: got "{name}", and row {earlier} has "{other}"; ids must differ by more '
                "than case, -, _ and zeros in front"
            )
        alike[likeness(name)] = (name, number)
        if group and group not in description.groups:
            raise InputError(f'{where}, column group: got "{group}". {did_you_mean(group, description.groups)}')
        if slot and not group and len(description.groups) > 1:
            raise InputError(f'{where}, column slot: got "{slot}" without a group; each group has slots of its own')
        place = Place(group or None, _slot(slot, description.n_slots, where=where))
        if place.slot is not None:
            key = (place.group, place.slot)
            if key in slots:
                raise InputError(
                    f"{where}, column slot: got {place.slot}, which row {slots[key]} has too; give each slot once"
                )
            slots[key] = number
        found[name] = place
    return found


def place_of(study: Study, participant_id: str) -> Place:
    """Return where a participant belongs by the roster; anywhere where there is none.

    Raises
    ------
    InputError
        When there is a roster and the id is not in it; names the nearest one.
    """
    roster = read_roster(study)
    if roster is None:
        return Place()
    if participant_id not in roster:
        hint = _hint(participant_id, list(roster))
        raise InputError(
            f'participant: got "{participant_id}", which is not in {study.folder / ROSTER}.{hint} Add a row for a new '
            "participant"
        )
    return roster[participant_id]


def _hint(name: str, known: Sequence[str]) -> str:
    same = [each for each in known if likeness(each) == likeness(name)]
    words = f'Did you mean "{same[0]}"?' if same else did_you_mean(name, known)
    return f" {words}" if words.startswith("Did") else ""


def _slot(text: str, n_slots: int, *, where: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text) < n_slots):
        raise InputError(f'{where}, column slot: got "{text}"; a slot from 0 to {n_slots - 1} is needed')
    return int(text)
