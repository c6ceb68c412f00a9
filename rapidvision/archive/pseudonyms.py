"""Participants of an archive: numbered codes in place of those that a lab or a service gave."""

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from rapidvision.system import files
from rapidvision.trials import TrialRecord

_PEOPLE = ("human", "pilot")


class Pseudonyms:
    """New codes of the people and sessions of a study, the same in every table.

    Parameters
    ----------
    records : iterable of TrialRecord
        The rows of all tables.
    study_id : str
        The study's name. The order of the new codes follows from a hash of it and the old codes, so that it does not
        tell who came first.

    Examples
    --------
    >>> Pseudonyms([], study_id="study").participants
    {}
    """

    def __init__(self, records: Iterable[TrialRecord], *, study_id: str) -> None:
        people = [record for record in records if record.observer_kind in _PEOPLE]
        self.participants = _numbered("p", {record.participant_id for record in people}, study_id)
        self.sessions = _numbered("s", {record.session_id for record in people}, study_id)

    def of(self, records: Sequence[TrialRecord]) -> list[TrialRecord]:
        """Return a table with the new codes and without clock times, its people in the order of the new codes.

        Rows of simulated participants and networks keep their names: these are no people.
        """
        changed = [self._changed(record) if record.observer_kind in _PEOPLE else record for record in records]
        return sorted(changed, key=lambda record: (record.participant_id, record.session_id, record.trial))

    def _changed(self, record: TrialRecord) -> TrialRecord:
        return msgspec.structs.replace(
            record,
            participant_id=self.participants[record.participant_id],
            session_id=self.sessions[record.session_id],
            utc=None,
        )

    def named_in(self, text: str) -> list[str]:
        """Return the old codes that a text contains as words of their own."""
        words = set(re.findall(r"[\w.-]+", text))
        words |= {word.strip("._-") for word in words}
        return sorted(code for code in {*self.participants, *self.sessions} if code in words)


def _numbered(letter: str, codes: Iterable[str], study_id: str) -> Mapping[str, str]:
    ordered = sorted(codes, key=lambda code: files.sha256(f"{study_id}\n{code}".encode()))
    width = max(3, len(str(len(ordered))))
    return {code: f"{letter}{number:0{width}d}" for number, code in enumerate(ordered, start=1)}
