"""Tables as other programs write them: one known experiment, written by real writers in many forms.

Every form says what its import must give: the known accuracy per group and level, or a refusal whose words name the
place and the remedy. The experiment's answers come from a generator of its own.
"""

import csv
import gzip
import json
import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from rapidvision.analysis.table.accuracy import cells
from rapidvision.analysis.table.imports import import_trials
from rapidvision.errors import InputError

LEVELS = (2.5, 10, 40)


def experiment(*, seed: int = 14, n: int = 6, per_level: int = 8) -> pd.DataFrame:
    """Participants of two groups at three levels: truth, answer, correctness and time of every trial."""
    draw = random.Random(seed)
    rows = []
    for who in range(n):
        group = ("parts", "saliency")[who % 2]
        for number in range(per_level * len(LEVELS)):
            target, level = number % 2 == 0, LEVELS[number % len(LEVELS)]
            right = draw.random() < (0.9 if group == "parts" else 0.6)
            rows.append(
                {
                    "subject": f"P{who:02d}",
                    "condition": group,
                    "picture": f"pic{number:02d}.png",
                    "kind": "animal" if target else "other",
                    "is_animal": int(target),
                    "level": level,
                    "pressed": "s" if target == right else "l",
                    "right": int(right),
                    "rt_ms": draw.randint(260, 1900),
                }
            )
    return pd.DataFrame(rows)


FRAME = experiment()
COLUMNS = {
    "participant": "subject",
    "group": "condition",
    "image": "picture",
    "category": "kind",
    "target": "is_animal",
    "response": "pressed",
    "response_ms": "rt_ms",
    "correct": "right",
}
KEYS = {"targets": ["s"], "distractors": ["l"]}
#: Columns of a table that holds only whether answers were correct.
ONLY = {"participant": "subject", "group": "condition", "correct": "right"}
#: (group, level) → mean accuracy.
TRUTH = {
    (str(group), float(level)): float(rows["right"].mean())
    for (group, level), rows in FRAME.groupby(["condition", "level"])
}


@dataclass(frozen=True)
class Form:
    """One way to write the experiment.

    `says` is empty when the import must give the truth, else words that its refusal must hold; `notes` are words that
    the import's notes must hold; `truth` replaces the truth where the form holds other trials.
    """

    name: str
    write: Callable[[Path], list[Path]]
    says: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    program: str = "csv"
    columns: dict[str, str] | None = None
    options: dict[str, Any] = field(default_factory=lambda: dict(KEYS))
    truth: dict[tuple[str, float], float] = field(default_factory=lambda: dict(TRUTH))


def table(name: str = "mine.csv", change: Callable[[pd.DataFrame], Any] | None = None, **how: Any):
    """Write by pandas, after a change of the frame."""

    def write(folder: Path) -> list[Path]:
        frame = FRAME.copy()
        changed = change(frame) if change else None
        (frame if changed is None else changed).to_csv(folder / name, index=False, **how)
        return [folder / name]

    return write


def put(column: str, rows: Any, value: Any) -> Callable[[pd.DataFrame], None]:
    """Return a change of some cells."""

    def change(frame: pd.DataFrame) -> None:
        frame[column] = frame[column].astype(object)
        frame.loc[rows, column] = value

    return change


def entries(
    wrap: Callable[[list[dict[str, Any]]], str], change: Callable[[dict[str, Any]], Any] | None = None, name="mine.json"
):
    """Write by json, after a change of each row."""

    def write(folder: Path) -> list[Path]:
        rows = json.loads(FRAME.to_json(orient="records"))
        rows = [(change(row) or row) if change else row for row in rows]
        (folder / name).write_text(wrap(rows), encoding="utf-8")
        return [folder / name]

    return write


def each(change: Callable[[dict[str, Any]], Any]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return a change of a frame row by row."""
    return lambda frame: pd.DataFrame([change(dict(row)) or row for row in frame.to_dict("records")])


def raw(text: bytes, name: str = "mine.csv"):
    """Write bytes as they are."""

    def write(folder: Path) -> list[Path]:
        (folder / name).write_bytes(text)
        return [folder / name]

    return write


def per_participant(name: str, **how: Any):
    """One file per participant without a column that names them."""

    def write(folder: Path) -> list[Path]:
        paths = []
        for who, rows in FRAME.groupby("subject"):
            paths.append(folder / name.format(who=who))
            rows.drop(columns="subject").to_csv(paths[-1], index=False, **how)
        return paths

    return write


def twice(folder: Path) -> list[Path]:
    """The same file under two names."""
    for name in ("a.csv", "b.csv"):
        FRAME.to_csv(folder / name, index=False)
    return [folder / "a.csv", folder / "b.csv"]


def parts(**frames: Callable[[pd.DataFrame], pd.DataFrame]):
    """Several files, each of a part of the experiment."""

    def write(folder: Path) -> list[Path]:
        paths = []
        for name, part in frames.items():
            paths.append(folder / f"{name}.csv")
            part(FRAME.copy()).to_csv(paths[-1], index=False)
        return paths

    return write


def same_stem(folder: Path) -> list[Path]:
    """Two participants' files of one name in two folders."""
    paths = []
    for who in ("P00", "P01"):
        (folder / who).mkdir()
        paths.append(folder / who / "data.csv")
        FRAME[FRAME["subject"] == who].drop(columns="subject").to_csv(paths[-1], index=False)
    return paths


def database(*tables: str):
    """A psiTurk database, its participants in the tables that are named."""

    def write(folder: Path) -> list[Path]:
        with sqlite3.connect(folder / "p.db") as connection:
            connection.execute("CREATE TABLE hits (hitid TEXT)")
            for name in tables:
                connection.execute(
                    f'CREATE TABLE "{name}" (uniqueid TEXT, assignmentid TEXT, status INT, datastring TEXT)'
                )
                for who, rows in FRAME.groupby("subject"):
                    data = json.dumps(
                        {"data": [{"trialdata": row} for row in json.loads(rows.to_json(orient="records"))]}
                    )
                    connection.execute(f'INSERT INTO "{name}" VALUES (?, ?, ?, ?)', (who, "a", 4, data))
                connection.execute(f'INSERT INTO "{name}" VALUES (?, ?, ?, ?)', ("gone", "a", 2, None))
        connection.close()
        return [folder / "p.db"]

    return write


def events(folder: Path) -> list[Path]:
    """BIDS events per participant and run: go / no-go, a press means target."""
    paths = []
    for who, rows in FRAME.groupby("subject"):
        out = pd.DataFrame(
            {
                "onset": range(len(rows)),
                "duration": 0.1,
                "trial_type": rows["kind"],
                "stim_file": rows["picture"],
                "level": rows["level"],
                "cond": rows["condition"],
                "response_time": rows["rt_ms"].where(rows["pressed"] == "s") / 1000,
                "accuracy": rows["right"],
            }
        )
        paths.append(folder / f"sub-{who}_task-animal_run-1_events.tsv")
        out.to_csv(paths[-1], sep="\t", index=False, na_rep="n/a")
    return paths


def opensesame(folder: Path) -> list[Path]:
    """Every cell quoted, inner quotation marks escaped by a backslash."""
    with (folder / "subject-1.csv").open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, quoting=csv.QUOTE_ALL, escapechar="\\", doublequote=False)
        out.writerow([*FRAME.columns, "title"])
        out.writerows([*row, 'say "yes"'] for row in FRAME.itertuples(index=False))
    return [folder / "subject-1.csv"]


def trailing(folder: Path) -> list[Path]:
    """PsychoPy's wide form: a delimiter at each line's end, seconds, a mark at the start of the file."""
    lines = FRAME.assign(rt_ms=FRAME["rt_ms"] / 1000).to_csv(index=False).splitlines()
    (folder / "p.csv").write_text("".join(f"{line},\n" for line in lines), encoding="utf-8-sig")
    return [folder / "p.csv"]


def gzipped(folder: Path) -> list[Path]:
    """The plain table in a gzip file."""
    (folder / "mine.csv.gz").write_bytes(gzip.compress(FRAME.to_csv(index=False).encode()))
    return [folder / "mine.csv.gz"]


def cut(folder: Path) -> list[Path]:
    """A file that ends in the middle of a row."""
    text = FRAME.to_csv(index=False)
    (folder / "mine.csv").write_text(text[: text.rindex("pic")])
    return [folder / "mine.csv"]


def unclosed(folder: Path) -> list[Path]:
    """A quotation mark that swallows the rows after it."""
    lines = FRAME[["subject", "condition", "level", "right"]].assign(note="x").to_csv(index=False).splitlines()
    lines[20] = lines[20].removesuffix("x") + '"x'
    (folder / "mine.csv").write_text("\n".join(lines) + "\n")
    return [folder / "mine.csv"]


def excel(folder: Path) -> list[Path]:
    """Excel's own first line names the delimiter."""
    text = "sep=;\r\n" + FRAME.to_csv(index=False, sep=";", decimal=",", lineterminator="\r\n")
    (folder / "mine.csv").write_bytes(text.encode("cp1252"))
    return [folder / "mine.csv"]


def outcome(form: Form, folder: Path) -> str:
    """Import a form: "" when it gave what it must give, else what was wrong."""
    columns = COLUMNS if form.columns is None else form.columns
    try:
        trials = import_trials(form.program, form.write(folder), columns=columns, **form.options)
    except InputError as refusal:
        missing = [words for words in form.says if words not in str(refusal)]
        return "" if form.says and not missing else f"refused: {refusal} (expected {missing or 'the truth'})"
    if form.says:
        return f"imported, although it must be refused with {form.says}"
    if len(set(trials.frame["group"])) < len(set(trials.frame["map_source"])):  # conditions within participants
        frame = trials.frame.assign(group=trials.frame["map_source"])
        frame["participant_id"] = frame["participant_id"] + "-" + frame["group"]
        frame["session_id"] = frame["participant_id"]
        trials = replace(trials, frame=frame)
    found = cells(trials)
    got = {
        (group, float(level.label)): found.accuracy[found.of(group), place]
        for group in sorted(set(found.groups))
        for place, level in enumerate(found.levels)
    }
    if got.keys() != form.truth.keys():
        return f"groups and levels are {sorted(got)}"
    weights = {
        (g, float(v.label)): found.n_trials[found.of(g), at]
        for g in {g for g, _ in got}
        for at, v in enumerate(found.levels)
    }
    for cell, share in form.truth.items():
        if abs((got[cell] * weights[cell]).sum() / weights[cell].sum() - share) > 1e-12:
            return f"accuracy of {cell} is not {share}"
    silent = [words for words in form.notes if words not in "\n".join(trials.notes)]
    return f"notes do not say {silent}" if silent else ""
