"""Pilots, rehearsals and simulated sessions: a ledger and journals of their own, beside those of the study.

They follow the study's plans and take none of its slots; no count and no export of the study holds them unless they are
asked for by the kind of their observer.
"""

from pathlib import Path

from rapidvision.study import Study
from rapidvision.trials import ObserverKind


class Rehearsals(Study):
    """The folder ``rehearsals`` of a study; protocol, plans and stimulus set are the study's.

    Examples
    --------
    >>> Rehearsals("study").sessions_folder.as_posix()
    'study/rehearsals/sessions'
    """

    @property
    def rehearsals_folder(self) -> Path:
        """``rehearsals/``."""
        return self.folder / "rehearsals"

    @property
    def ledger_path(self) -> Path:
        """``rehearsals/ledger.jsonl``."""
        return self.rehearsals_folder / "ledger.jsonl"

    def slots_here(self) -> range:
        """Every slot: rehearsals use none up."""
        return range(self.description().n_slots)

    @property
    def sessions_folder(self) -> Path:
        """``rehearsals/sessions/``."""
        return self.rehearsals_folder / "sessions"

    @property
    def trials_path(self) -> Path:
        """``rehearsals/trials.csv``."""
        return self.rehearsals_folder / "trials.csv"


def part_of(study: Study, kind: ObserverKind) -> Study:
    """Return where sessions of a kind of observer lie: people's in the study itself, all others beside it."""
    return study if kind == "human" else Rehearsals(study.folder)


def prefix_of(kind: ObserverKind) -> str:
    """Return what session ids of a kind begin with.

    Examples
    --------
    >>> prefix_of("human"), prefix_of("pilot")
    ('', 'pilot-')
    """
    return "" if kind == "human" else f"{kind}-"
