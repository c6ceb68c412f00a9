"""What comes out when networks run a study."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from rapidvision.trials import TrialRecord


@dataclass(frozen=True)
class StudyRun:
    """What came out.

    Attributes
    ----------
    records : list of TrialRecord
        As written.
    n_stimuli, n_participants : int
        Different files that were seen; participants over all networks.
    seconds : float
        Wall-clock time.
    failed : dict
        Network → why it has no rows.
    """

    records: list[TrialRecord]
    n_stimuli: int
    n_participants: int
    seconds: float
    failed: dict[str, str]

    def accuracies(self) -> dict[tuple[str, str], dict[str, float]]:
        """(network, group) → share correct of the two highest levels by their labels, main phase; NaN where none counts."""
        main = [record for record in self.records if record.phase == "main"]
        out = {}
        key = lambda record: (record.observer, record.group)  # noqa: E731
        for name, group in groupby(sorted(main, key=key), key):
            rows = list(group)
            labels = {record.level_index: record.level_label for record in rows}
            out[name] = {labels[index]: _share(rows, index) for index in sorted(labels)[-2:]}
        return out


def _share(records: Sequence[TrialRecord], level_index: int) -> float:
    correct = [record.correct for record in records if record.level_index == level_index and record.correct is not None]
    return sum(correct) / len(correct) if correct else float("nan")
