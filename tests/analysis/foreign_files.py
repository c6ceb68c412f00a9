"""Forms that differ in the file: delimiter, encoding, decimal sign, columns, JSON, program."""

import csv
import json
from collections.abc import Callable
from typing import Any

import pandas as pd

from tests.analysis.foreign_tables import (
    COLUMNS,
    FRAME,
    KEYS,
    ONLY,
    Form,
    cut,
    database,
    each,
    entries,
    events,
    excel,
    gzipped,
    opensesame,
    parts,
    per_participant,
    put,
    raw,
    same_stem,
    table,
    trailing,
    twice,
    unclosed,
)


def thousands(frame: pd.DataFrame) -> None:
    frame["rt_ms"] = [f"{time:,}" if time >= 1000 else "1,100" for time in frame["rt_ms"]]


def mixed_decimals(frame: pd.DataFrame) -> None:
    frame["rt_ms"] = [f"{time},5" if at % 2 else f"{time}.5" for at, time in enumerate(frame["rt_ms"])]


def nested(key: str = "Q0", *more: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return a change that nests the answer."""
    return lambda row: row | {"pressed": {key: row["pressed"]} | dict.fromkeys(more, "x")}


JUERGEN = FRAME.assign(subject=FRAME["subject"].str.replace("P", "Jürgen"))

FILES: tuple[Form, ...] = (
    # delimiters, decimal signs, encodings
    Form("plain", table()),
    Form("semicolons and decimal commas", table(sep=";", decimal=","), notes=("semicolons", "decimal commas")),
    Form("semicolons and points", table(sep=";"), notes=("semicolons",)),
    Form("tabs", table("mine.tsv", sep="\t"), notes=("tabs",)),
    Form("tabs and decimal commas", table("mine.tsv", sep="\t", decimal=","), notes=("tabs", "decimal commas")),
    Form("bars", table(sep="|"), notes=("vertical bars",)),
    Form("quoted decimal commas", table(decimal=",", quoting=csv.QUOTE_ALL), notes=("decimal commas",)),
    Form("Excel's sep line", excel, notes=("semicolons", "decimal commas")),
    Form("byte order mark", table(encoding="utf-8-sig")),
    Form("UTF-16", table(encoding="utf-16", sep="\t"), notes=("utf-16",)),
    Form("UTF-16 without mark", table(encoding="utf-16-le"), notes=("utf-16-le",)),
    Form("cp1252", table(change=lambda _: JUERGEN, encoding="cp1252"), notes=("Windows-1252",)),
    Form("gzip", gzipped, notes=("gzipped",)),
    Form("carriage returns", table(lineterminator="\r\n")),
    Form("numbered rows", lambda folder: [FRAME.to_csv(folder / "m.csv") or folder / "m.csv"], notes=("no name",)),
    Form("delimiter at line ends", trailing, options=KEYS | {"time_unit": "s"}),
    Form("escaped quotation marks", opensesame),
    Form("blank lines", raw(FRAME.to_csv(index=False).replace("\nP03", "\n\nP03").encode())),
    Form("spreadsheet", raw(b"PK\x03\x04 and so on", "mine.xlsx"), says=("spreadsheet", "export the sheet as CSV")),
    Form("cut off", cut, says=("row 145", "cut off")),
    Form("unclosed quotation mark", unclosed, says=("quotation mark", "close it"), columns=ONLY, options={}),
    Form(
        "thousands",
        table(change=thousands, quoting=csv.QUOTE_ALL),
        says=("row 2", "decimal comma", "say which sign is decimal"),
    ),
    Form(
        "thousands said",
        table(change=thousands, quoting=csv.QUOTE_ALL),
        options=KEYS | {"decimal": "."},
        says=("row 2", "a number with a decimal point"),
    ),
    Form("two decimal signs", table(sep=";", change=mixed_decimals), says=("row 2", "row 3", "decimal comma")),
    # columns
    Form(
        "two columns of one name",
        raw(FRAME.to_csv(index=False).replace("rt_ms", "subject", 1).encode()),
        says=("row 1", '"subject"', "columns 1, 9", "rename"),
    ),
    Form(
        "one name with blanks",
        table(change=lambda f: f.assign(**{"subject ": ""})),
        says=("row 1", "subject", "rename"),
    ),
    Form("blanks around names of columns", table(change=lambda f: f.rename(columns=lambda name: f" {name} "))),
    Form("mistyped image", table(), columns=COLUMNS | {"image": "pictur"}, says=("pictur", 'Did you mean "picture"')),
    Form(
        "mistyped participant", table(), columns=COLUMNS | {"participant": "subjct"}, says=('Did you mean "subject"',)
    ),
    Form("mistyped correct", table(), columns=COLUMNS | {"correct": "rihgt"}, says=('Did you mean "right"',)),
    Form(
        "no participant",
        table(change=lambda f: f.drop(columns="subject")),
        columns={key: value for key, value in COLUMNS.items() if key != "participant"},
        says=("participant-from-file",),
    ),
    Form(
        "a file each",
        per_participant("{who}.csv"),
        options=KEYS | {"participant_from_file": True},
        columns={key: value for key, value in COLUMNS.items() if key != "participant"},
        notes=("named after it",),
    ),
    Form("the same file twice", twice, says=("b.csv", "same bytes as", "name one")),
    # JSON
    Form("JSON", entries(json.dumps), program="jspsych"),
    Form("JSON of trials", entries(lambda rows: json.dumps({"trials": rows})), program="jspsych"),
    Form(
        "JSON of two tables",
        entries(lambda rows: json.dumps({"trials": rows, "events": [{"a": 1}]})),
        program="jspsych",
        says=("trials, events", "save the one"),
    ),
    Form(
        "an array per line",
        entries(lambda rows: json.dumps(rows[:50]) + "\n" + json.dumps(rows[50:]), name="data.txt"),
        program="jspsych",
    ),
    Form(
        "an object per line",
        entries(lambda rows: "\n".join(map(json.dumps, rows)), name="data.jsonl"),
        program="jspsych",
    ),
    Form("an array of arrays", entries(lambda rows: json.dumps([rows[:50], rows[50:]])), program="jspsych"),
    Form("nested answers", entries(json.dumps, nested()), program="jspsych", notes=("pressed.Q0",)),
    Form(
        "nested answers in CSV",
        table(change=each(lambda row: row | {"pressed": json.dumps({"Q0": row["pressed"]})})),
        notes=("pressed.Q0",),
    ),
    Form(
        "several nested answers",
        entries(json.dumps, nested("Q0", "Q1")),
        program="jspsych",
        says=("pressed.Q0, pressed.Q1", "name the one"),
    ),
    Form(
        "one nested answer",
        entries(json.dumps, lambda row: nested()(row) if row["picture"] == "pic03.png" else row),
        program="jspsych",
        says=("entry 4", "nested"),
    ),
    Form(
        "a key twice in an object",
        entries(lambda rows: json.dumps(rows).replace('"kind"', '"right"', 1)),
        program="jspsych",
        says=('"right"', "stands twice"),
    ),
    Form(
        "an entry that is no object",
        entries(lambda rows: json.dumps([*rows, 7])),
        program="jspsych",
        says=("entry 145", "object per trial"),
    ),
    Form("broken JSON", entries(lambda rows: json.dumps(rows)[:-40]), program="jspsych", says=("not JSON", "line 1")),
    Form(
        "null answers",
        entries(
            json.dumps, lambda row: row | {"pressed": None, "right": None} if row["picture"] == "pic05.png" else row
        ),
        program="jspsych",
        notes=("6 of 144 trials have no answer",),
        truth={
            (str(g), float(v)): float(rows["right"].mean())
            for (g, v), rows in FRAME[FRAME["picture"] != "pic05.png"].groupby(["condition", "level"])
        },
    ),
    # programs
    Form(
        "psiTurk, another table",
        database("tablechairDB"),
        program="psiturk",
        notes=("tablechairDB: left out 1 of 7",),
        columns={key: value for key, value in COLUMNS.items() if key != "participant"},
    ),
    Form(
        "psiTurk, two tables",
        database("a", "b"),
        program="psiturk",
        says=("a, b", "table"),
        columns={key: value for key, value in COLUMNS.items() if key != "participant"},
    ),
    Form(
        "psiTurk, one of two tables",
        database("a", "b"),
        program="psiturk",
        options=KEYS | {"table": "b"},
        columns={key: value for key, value in COLUMNS.items() if key != "participant"},
    ),
    Form(
        "BIDS events",
        events,
        program="bids",
        columns={"target": "trial_type", "level": "level", "group": "cond"},
        options={"no_answer": "distractor", "target_truths": ["animal"], "distractor_truths": ["other"]},
        notes=("without a press means distractor",),
    ),
    Form(
        "BIDS events, no-go not said",
        events,
        program="bids",
        columns={"level": "level", "group": "cond"},
        options={},
        says=("sub-P00", "row", "untimed"),
    ),
    Form("PsychoPy, other columns", trailing, program="psychopy", options={}),
    Form(
        "JSON by columns",
        entries(lambda rows: json.dumps({key: [row[key] for row in rows] for key in rows[0]})),
        program="jspsych",
        says=("whole column", "records"),
    ),
    Form(
        "JSON as pandas writes it",
        entries(lambda rows: pd.DataFrame(rows).to_json()),
        program="jspsych",
        says=("whole column", "records"),
    ),
    # several files, spreadsheets
    Form(
        "a file that lacks a column",
        parts(a=lambda f: f[:72], b=lambda f: f[72:].rename(columns={"pressed": "key"})),
        says=("b.csv", "no column pressed", "other files"),
    ),
    Form(
        "a file within another",
        parts(everybody=lambda f: f, one=lambda f: f[f["subject"] == "P01"]),
        says=('"P01"', "too; name one"),
    ),
    Form(
        "rows pasted twice",
        table(change=lambda f: pd.concat([f[:24], f[:24], f[24:]])),
        columns={key: value for key, value in COLUMNS.items() if key != "image"},
        says=("row 26", "repeat", "delete one copy"),
    ),
    Form(
        "two files of one name",
        same_stem,
        columns={key: value for key, value in COLUMNS.items() if key != "participant"},
        options=KEYS | {"participant_from_file": True},
        says=("data.csv", "rename"),
    ),
    Form("halves of one experiment", parts(a=lambda f: f[:70], b=lambda f: f[70:]), notes=("several files",)),
    Form("a spreadsheet's error", table(change=put("condition", [3], "#NV")), says=("#NV", "row 5", "Mend")),
    Form("ids as rounded numbers", table(change=put("subject", [3], "5,6E+11")), says=("5,6E+11", "row 5", "as text")),
)
