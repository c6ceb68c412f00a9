"""Trials in: read the one table that every observer fills, and list every row that contradicts itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from rapidvision.errors import InputError
from rapidvision.formats.trials_table import write_table

from .contradictions import RULES, odd_times, rows_of
from .files import records_of
from .guess_rate import checked_guess
from .selection import Selection


@dataclass(frozen=True, eq=False, repr=False)
class Trials:
    """A checked trials table.

    Attributes
    ----------
    frame : DataFrame
        One row per trial, the columns of :data:`rapidvision.trials.COLUMNS` and those of the protocol; `correct` holds
        True, False or None.
    name : str
        Where it came from.
    sha256 : str
        Hash of the file; empty for tables made in memory.
    notes : tuple of str
        What was done on the way in, with counts.
    selection : Selection
        Which rows an analysis counts: kind of observer, timing, attempts.
    guess : float, optional
        Share of answers that guessing gets right, as the user states it; None: what the rows show
        (:mod:`~rapidvision.analysis.table.guess_rate`).
    options : tuple of str, optional
        Options of the response, as the description beside the file has them; None where there is none.
    reading : tuple of (str, str)
        How a table of another program was read: what, and what was found. Empty for tables of the suite.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=2).simulate(seed=1)
    >>> trials
    simulated: 320 trials, 4 participants (simulated)
    >>> len(trials.frame), trials.selection.attempts
    (320, 'first')
    """

    frame: pd.DataFrame
    name: str = "trials"
    sha256: str = ""
    notes: tuple[str, ...] = field(default=())
    selection: Selection = field(default=Selection())
    guess: float | None = None
    options: tuple[str, ...] | None = None
    reading: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.frame)

    def main(self) -> pd.DataFrame:
        """Rows that count: of the main phase, not aborted, kept by the rules for timing and attempts."""
        return self.selection.counted(self.frame)

    def people(self) -> pd.DataFrame:
        """Rows of :meth:`main` of the one kind of observer that is analysed: every test stands on these.

        Raises
        ------
        InputError
            When the table has several kinds of observers and none was chosen.
        """
        return self.selection.of_one_kind(self.main(), name=self.name)

    def select(self, **rules: Any) -> "Trials":
        """Return the table with other rules; see :class:`~rapidvision.analysis.table.selection.Selection`.

        Parameters
        ----------
        **rules
            `observers`, `timing`, `attempts`, `where`.
        """
        unknown = [name for name in rules if name not in ("observers", "timing", "attempts", "where")]
        if unknown:
            raise InputError(f'select: no rule "{unknown[0]}"; rules are observers, timing, attempts and where')
        return replace(self, selection=replace(self.selection, **rules))

    def guessing(self, guess: float | None) -> "Trials":
        """Return the table with a stated guess rate; None changes nothing.

        Parameters
        ----------
        guess : float, optional
            From 0 to below 1: 0.5 for two answers, 0.25 for four.
        """
        return self if guess is None else replace(self, guess=checked_guess(guess))

    def left_out(self) -> tuple[str, ...]:
        """Sentences on what the rules leave out, and on voided or flagged trials where they are many."""
        return self.selection.sentences(self.selection.of_one_kind(self.frame, name=self.name))

    def keep(self, rows: "np.ndarray[Any, np.dtype[np.bool_]]", note: str) -> "Trials":
        """Return the rows where `rows` is true, with a note that says why."""
        return replace(self, frame=self.frame[rows].reset_index(drop=True), notes=(*self.notes, note))

    @property
    def observers(self) -> tuple[str, ...]:
        """Who answered: ``human``, ``pilot``, ``simulated``, ids of networks."""
        return tuple(sorted(set(self.frame["observer"].unique())))

    def _counted(self) -> str:
        who = ", ".join(self.observers)
        return f"{len(self)} trials, {self.frame['participant_id'].nunique()} participants ({who})"

    def __repr__(self) -> str:
        return f"{self.name}: {self._counted()}"

    def _repr_html_(self) -> str:
        return f"<p><b>{self.name}</b>: {self._counted()}</p>"


#: What every analysis takes: a checked table, a data frame with the columns of the trials table, or a file.
TrialsSource: TypeAlias = Trials | pd.DataFrame | Path | str


def read_trials(
    source: "TrialsSource | Iterable[Any]",
    *,
    name: str = "trials",
    dedupe: Literal["first"] | None = None,
    repeats: Literal["refuse", "first", "keep"] = "refuse",
    program: str = "auto",
    columns: Mapping[str, str] | None = None,
    **options: Any,
) -> Trials:
    """Read and check trials: the suite's table, or any table with one row per trial.

    Columns, answers, units and design of another program's table are found, or read by a ``mapping.toml`` beside it; the
    notes and `Trials.reading` say what was found.

    Parameters
    ----------
    source : path-like, sequence of path-like, DataFrame, iterable of TrialRecord or dict, or Trials
        CSV, Parquet, JSON or a database; a folder of such files; a data frame; rows in memory; checked trials.
    name : str, default "trials"
        Name of a table that has no file, for messages.
    dedupe : {"first"}, optional
        Keep the first of rows that are equal byte for byte; without it, a repeated (session, trial) is refused.
    repeats : {"refuse", "first", "keep"}
        What to do when a participant met an image twice ("each unique exemplar only once", the paper says).
    program, columns, **options
        For tables of other programs, as in :func:`rapidvision.analysis.import_trials`.

    Returns
    -------
    Trials
        Checked by :func:`check`.

    Raises
    ------
    InputError
        Names the file and every offending row.

    Examples
    --------
    >>> import pandas as pd
    >>> import rapidvision as rv
    >>> rv.read_trials(rv.analysis.Design(n_per_group=2).simulate(seed=1).frame)
    trials: 320 trials, 4 participants (simulated)
    >>> mine = pd.DataFrame({"subj": ["a", "b"], "cond": ["x", "y"], "acc": [1, 0]})
    >>> rv.read_trials(mine, name="mine").reading[3]
    ('design', '2 groups of different participants (column cond): x 1, y 1 participants')
    """
    from .imports import any_table

    if isinstance(source, Trials):
        return check(_without_doubles(source, dedupe), repeats=repeats)
    found, rule = any_table(
        source, name=name, program=program, columns=columns, options={"repeats": repeats, **options}
    )
    return check(_without_doubles(found, dedupe), repeats=rule)


def as_trials(source: TrialsSource) -> Trials:
    """Return a checked table unchanged, or check a data frame or a file."""
    return source if isinstance(source, Trials) else read_trials(source)


def write_trials(path: Path | str, trials: TrialsSource) -> None:
    """Write a table as CSV, atomically; :func:`read_trials` reads the same back.

    Parameters
    ----------
    path : path-like
        The file, UTF-8.
    trials : Trials, DataFrame or path-like
        What to write.

    Raises
    ------
    InputError
        When the table contradicts itself.

    Examples
    --------
    >>> import tempfile
    >>> import rapidvision as rv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stimulus_set = rv.stimuli.build("bundled", out=folder + "/set")
    ...     study = rv.experiments.plan(stimulus_set, out=folder + "/study", n_per_group=1)
    ...     rv.analysis.write_trials(folder + "/trials.csv", rv.experiments.simulate(study, seed=1))
    ...     len(rv.read_trials(folder + "/trials.csv"))
    176
    """
    write_table(path, records_of(as_trials(trials).frame))


def check(trials: Trials, *, repeats: Literal["refuse", "first", "keep"] = "refuse") -> Trials:
    """Refuse a table that contradicts itself, naming every rule that is broken and the rows that break it.

    Parameters
    ----------
    trials : Trials
        Any table of the schema.
    repeats : {"refuse", "first", "keep"}
        See :func:`read_trials`.

    Returns
    -------
    Trials
        The same, or without repeated images when `repeats` is ``first``.

    Raises
    ------
    InputError
        One line per broken rule, all of them at once.
    """
    frame = trials.frame
    problems = [line for rule in RULES for line in rule(frame)]
    if problems:
        more = f" (and {len(problems) - 1} more: {' | '.join(problems[1:])})" if len(problems) > 1 else ""
        raise InputError(f"{trials.name}: {problems[0]}{more}")
    trials = replace(trials, notes=(*trials.notes, *odd_times(frame)))
    again = _repeated_images(frame)
    if not again.any() or repeats == "keep":
        note = f"kept {int(again.sum())} repeated presentations of an image, as asked" if again.any() else ""
        return replace(trials, notes=(*trials.notes, note)) if note else trials
    if repeats == "refuse":
        raise InputError(
            f"{trials.name}: a participant met the same image twice in the main phase, {rows_of(again)}; choose "
            "--repeats first (keep the first presentation) or --repeats keep (keep all)"
        )
    return trials.keep(~again, f"excluded {int(again.sum())} repeated presentations of an image (kept the first)")


def _without_doubles(trials: Trials, dedupe: Literal["first"] | None) -> Trials:
    if dedupe is None:
        return trials
    doubles = trials.frame.duplicated().to_numpy()
    if not doubles.any():
        return trials
    return trials.keep(~doubles, f"excluded {int(doubles.sum())} rows that repeat another byte for byte")


def _repeated_images(frame: pd.DataFrame) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    people = (frame["phase"] == "main") & (frame["observer_kind"] != "model") & frame["image_id"].notna()
    again = frame[people].duplicated(["participant_id", "image_id"]).to_numpy()
    flags = np.zeros(len(frame), dtype=bool)
    flags[np.flatnonzero(people)] = again
    return flags
