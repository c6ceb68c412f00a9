"""Trials in: read the one table that every observer fills, and list every row that contradicts itself."""

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from rapidvision import files
from rapidvision.errors import InputError
from rapidvision.trials import COLUMNS, TrialRecord, check_header, parse_cell

#: Observers that are participants; every other name in the column `observer` is a network's id.
PARTICIPANTS = ("human", "simulated")
#: A response slower than this is a broken clock, not a slow participant.
SLOWEST_MS = 10_000.0
_DTYPES = {"int": "int64", "bool": "bool", "float": "float64", "str": "object"}
_ROWS_SHOWN = 8


@dataclass(frozen=True, eq=False)
class Trials:
    """A checked trials table.

    Attributes
    ----------
    frame : DataFrame
        One row per trial, the columns of :data:`rapidvision.trials.COLUMNS`; `correct` holds True, False or None.
    name : str
        Where it came from.
    sha256 : str
        Hash of the file; empty for tables made in memory.
    notes : tuple of str
        What was done on the way in, with counts.
    """

    frame: pd.DataFrame
    name: str = "trials"
    sha256: str = ""
    notes: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.frame)

    def main(self) -> pd.DataFrame:
        """Rows of the main phase that were not aborted: what is analysed."""
        frame = self.frame
        return frame[(frame["phase"] == "main") & (frame["status"] != "aborted")]

    def keep(self, rows: "np.ndarray[Any, np.dtype[np.bool_]]", note: str) -> "Trials":
        """Return the rows where `rows` is true, with a note that says why."""
        return replace(self, frame=self.frame[rows].reset_index(drop=True), notes=(*self.notes, note))

    @property
    def observers(self) -> tuple[str, ...]:
        """Who answered: ``human``, ``simulated``, ids of networks."""
        return tuple(sorted(set(self.frame["observer"])))

    def _repr_html_(self) -> str:
        who = ", ".join(self.observers)
        return f"<p><b>{self.name}</b>: {len(self)} trials, {self.frame['participant_id'].nunique()} participants ({who})</p>"


def read_trials(
    path: Path | str,
    *,
    dedupe: Literal["first"] | None = None,
    repeats: Literal["refuse", "first", "keep"] = "refuse",
) -> Trials:
    """Read and check a trials table, CSV or Parquet.

    Parameters
    ----------
    path : path-like
        Written by any runner or importer of the suite.
    dedupe : {"first"}, optional
        Keep the first of rows that are equal byte for byte; without it, a repeated (session, trial) is refused.
    repeats : {"refuse", "first", "keep"}
        What to do when a participant met a picture twice ("each unique exemplar only once", the paper says).

    Returns
    -------
    Trials
        Checked by :func:`check`.

    Raises
    ------
    InputError
        Names the file and every offending row.
    """
    data = files.read_bytes(path)
    frame = _from_parquet(path) if Path(path).suffix == ".parquet" else _from_csv(data, name=str(path))
    if frame.empty:
        raise InputError(f"{path}: no trials, only a header; has the session been recorded?")
    trials = Trials(frame, name=Path(path).name, sha256=files.sha256(data))
    return check(_without_doubles(trials, dedupe), repeats=repeats)


def from_records(records: Iterable[TrialRecord], *, name: str = "trials") -> Trials:
    """Make a checked table from records, as importers and simulations have them."""
    rows = list(records)
    columns = {c.name: _typed([getattr(row, c.name) for row in rows], c.name) for c in COLUMNS}
    if not rows:
        raise InputError(f"{name}: no trials")
    return check(Trials(pd.DataFrame(columns), name=name))


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
        The same, or without repeated pictures when `repeats` is ``first``.

    Raises
    ------
    InputError
        One line per broken rule, all of them at once.
    """
    frame = trials.frame
    problems = [line for rule in _RULES for line in rule(frame)]
    if problems:
        more = f" (and {len(problems) - 1} more: {' | '.join(problems[1:])})" if len(problems) > 1 else ""
        raise InputError(f"{trials.name}: {problems[0]}{more}")
    again = _repeated_pictures(frame)
    if not again.any() or repeats == "keep":
        note = f"kept {int(again.sum())} repeated presentations of a picture, as asked" if again.any() else ""
        return replace(trials, notes=(*trials.notes, note)) if note else trials
    if repeats == "refuse":
        raise InputError(
            f"{trials.name}: a participant met the same picture twice in the main phase, {_rows(again)}; "
            "choose repeats first (keep the first presentation) or keep (keep all)"
        )
    return trials.keep(~again, f"excluded {int(again.sum())} repeated presentations of a picture (kept the first)")


def _from_csv(data: bytes, *, name: str) -> pd.DataFrame:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    try:
        raw = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, na_filter=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(f"{name}: not a table of equally long rows ({str(error).strip()})") from error
    check_header(list(raw.columns), name=name)
    last = text.rstrip("\n").rpartition("\n")[2]
    if len(raw) and last.count(",") < len(raw.columns) - 1:
        raise InputError(f"{name}: row {len(raw) + 1} has too few cells; is the file cut off?")
    return pd.DataFrame({column.name: _parsed(raw[column.name], column.name, name) for column in COLUMNS})


def _parsed(cells: "pd.Series[Any]", column: str, name: str) -> Any:
    """Parse each distinct cell once, by the ground's own rule, and name the first row that breaks it."""
    codes, distinct = pd.factorize(cells)
    values = []
    for code, cell in enumerate(distinct):
        try:
            values.append(parse_cell(column, cell, where=""))
        except InputError:
            row = int(np.argmax(codes == code)) + 2
            parse_cell(column, cell, where=f"{name}: row {row}")
    kind = next(c.dtype for c in COLUMNS if c.name == column)
    nullable = None in values
    dtype = "object" if nullable and kind != "float" else _DTYPES[kind]
    if nullable and kind == "int":
        dtype, kind = "float64", "float"
    table = np.empty(len(values), dtype=dtype)
    table[:] = [np.nan if value is None and kind == "float" else value for value in values]
    return table[codes]


def _typed(values: list[Any], column: str) -> Any:
    kind = next(c.dtype for c in COLUMNS if c.name == column)
    if None in values:
        if kind in ("int", "float"):
            return np.array([np.nan if value is None else value for value in values], dtype=float)
        return np.array(values, dtype=object)
    return np.array(values, dtype=_DTYPES[kind])


def _from_parquet(path: Path | str) -> pd.DataFrame:
    from rapidvision.extras import need

    need("pyarrow", extra="fast", purpose="reading Parquet")
    frame = pd.read_parquet(path)
    check_header(list(frame.columns), name=str(path))
    return pd.DataFrame({c.name: _typed([_plain(v) for v in frame[c.name]], c.name) for c in COLUMNS})


def _plain(value: Any) -> Any:
    return None if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)) else value


def _without_doubles(trials: Trials, dedupe: Literal["first"] | None) -> Trials:
    if dedupe is None:
        return trials
    doubles = trials.frame.duplicated().to_numpy()
    if not doubles.any():
        return trials
    return trials.keep(~doubles, f"excluded {int(doubles.sum())} rows that repeat another byte for byte")


def _rows(flags: Any) -> str:
    """``rows 3, 4, 9`` of the file (the header is row 1), at most eight of them and a count."""
    found = np.flatnonzero(np.asarray(flags)) + 2
    shown = ", ".join(str(row) for row in found[:_ROWS_SHOWN])
    more = f" and {len(found) - _ROWS_SHOWN} more" if len(found) > _ROWS_SHOWN else ""
    return f"row{'s' * (len(found) > 1)} {shown}{more}"


def _repeated_pictures(frame: pd.DataFrame) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    people = (frame["phase"] == "main") & frame["observer"].isin(PARTICIPANTS)
    again = frame[people].duplicated(["participant_id", "image_id"]).to_numpy()
    flags = np.zeros(len(frame), dtype=bool)
    flags[np.flatnonzero(people)] = again
    return flags


def _duplicate_trials(frame: pd.DataFrame) -> list[str]:
    double = frame.duplicated(["session_id", "trial"], keep=False)
    if not double.any():
        return []
    equal = frame.duplicated(keep=False)
    hint = "they are equal, so `dedupe first` keeps one of each" if equal[double].all() else "they differ: find out why"
    return [f"(session_id, trial) must be unique, {_rows(double)}; {hint}"]


def _two_groups(frame: pd.DataFrame) -> list[str]:
    people = frame[frame["observer"].isin(PARTICIPANTS)]
    groups = people.groupby("participant_id", sort=True)["group"].nunique()
    return [
        f'participant "{who}" is in {count} groups, {_rows(frame["participant_id"] == who)}; a participant sees one'
        for who, count in groups[groups > 1].items()
    ][:3]


def _wrong_correct(frame: pd.DataFrame) -> list[str]:
    answered = frame["response"] != "none"
    should = (frame["response"] == "target") == frame["target"]
    given = frame["correct"]
    wrong = (answered & (given != should)) | (~answered & given.notna())
    return [f"`correct` contradicts `response` and `target`, {_rows(wrong)}"] if wrong.any() else []


def _impossible_times(frame: pd.DataFrame) -> list[str]:
    people = frame["observer"].isin(PARTICIPANTS)
    time, answered = frame["response_ms"], frame["response"] != "none"
    lines = []
    if (bad := time <= 0).any():
        lines.append(f"response_ms must be > 0, {_rows(bad)}")
    if (bad := time > SLOWEST_MS).any():
        lines.append(f"response_ms above {SLOWEST_MS:g}; are these microseconds? {_rows(bad)}")
    if (bad := people & answered & time.isna()).any():
        lines.append(f"a response without response_ms, {_rows(bad)}")
    if (bad := ~answered & time.notna()).any():
        lines.append(f"response_ms without a response, {_rows(bad)}")
    if (bad := (frame["status"] == "none") & answered).any():
        lines.append(f'status "none" with a response, {_rows(bad)}')
    return lines


def _odd_levels(frame: pd.DataFrame) -> list[str]:
    fraction = frame["reveal_fraction"]
    lines = []
    if (bad := (fraction <= 0) | (fraction > 1)).any():
        lines.append(f"reveal_fraction must lie in (0, 1]; divide per cent by 100, {_rows(bad)}")
    labels = frame.drop_duplicates(["level_index", "level_label"])["level_index"]
    if (twice := labels[labels.duplicated()]).size:
        index = twice.iloc[0]
        lines.append(f"level_index {index} has more than one level_label, {_rows(frame['level_index'] == index)}")
    shares = pd.to_numeric(frame["level_label"], errors="coerce")
    if shares.notna().any() and shares.max() <= 1 and fraction.max() > 0.01:
        lines.append(
            f"level_label goes from {shares.min():g} to {shares.max():g}; write per cent (40), not shares (0.4)"
        )
    return lines


_RULES: tuple[Callable[[pd.DataFrame], list[str]], ...] = (
    _duplicate_trials,
    _two_groups,
    _wrong_correct,
    _impossible_times,
    _odd_levels,
)
