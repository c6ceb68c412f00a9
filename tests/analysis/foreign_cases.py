"""Files of other programs as they lie in ``cases/``, each with what its import must give.

The truth is read from the raw file by csv and json alone, with delimiter and encoding written down here; no reader of
the suite takes part.
"""

import csv
import json
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rapidvision.analysis.table.accuracy import cells
from rapidvision.analysis.table.imports import import_trials
from rapidvision.errors import InputError

FOLDER = Path(__file__).parent / "cases"
Truth = dict[tuple[str, float], float]

OWN = {
    "participant": "subject",
    "group": "condition",
    "image": "picture",
    "category": "kind",
    "target": "is_animal",
    "level": "percent",
    "response": "pressed",
    "response_ms": "rt_ms",
}
GERMAN = {
    "participant": "teilnehmer",
    "group": "gruppe",
    "image": "bild",
    "category": "art",
    "target": "ist_tier",
    "level": "prozent",
    "response": "taste",
    "response_ms": "rz",
}
PLAIN = {"group": "group", "level": "level", "target": "target", "response": "response"}
PSYCHOPY = PLAIN | {"response": "key_resp.keys"}
KEYS = {"targets": ["s"], "distractors": ["l"]}
WORDS = {"targets": ["animal"], "distractors": ["no"]}


@dataclass(frozen=True)
class Case:
    """One file: how it is imported, how it is written, and what must come of it.

    `says` is empty when the import must give the truth, else words that its refusal must hold; `notes` are words that the
    import's notes must hold; `raw` names the columns by which the truth is found; answers of `no_answer` are none.
    """

    name: str
    file: str
    raw: dict[str, str]
    columns: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=lambda: dict(KEYS))
    program: str = "csv"
    says: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    encoding: str = "utf-8"
    delimiter: str = ","
    no_answer: str = ""
    target_word: str = "s"


def own(file: str, **more: Any) -> Case:
    return Case(file.removesuffix(".csv"), file, OWN, OWN, **more)


def german(file: str, **more: Any) -> Case:
    return Case(file.partition(".")[0], file, GERMAN, GERMAN, **more)


CASES: tuple[Case, ...] = (
    own("base.csv"),
    own("continuous.csv", says=("percent: 144 distinct levels", "max_levels")),
    own("dupcol.csv", says=("row 1", '"subject"', "columns 1, 8", "rename")),
    own("excel_semicolon.csv", delimiter=";", notes=("semicolons", "decimal commas")),
    own("mixedcase.csv", notes=('"PARTS" is read as "parts"',)),
    own("repeatimg.csv", says=("same image twice", "row 3", "repeats keep")),
    Case("repeatimg kept", "repeatimg.csv", OWN, OWN, KEYS | {"repeats": "keep"}, notes=("repeated presentations",)),
    own("seconds.csv", notes=("are seconds",)),
    own("space.csv", notes=("blanks around names were removed in 24 rows",)),
    own("three.csv"),
    own(
        "within.csv",
        notes=("6 of 6 participants have more than one of parts, saliency", "in map_source and condition"),
    ),
    Case("caps", "caps.csv", PLAIN, notes=('"S" is read as "s"', '"L" is read as "l"')),
    Case(
        "deadline_2s",
        "deadline_2s.csv",
        PLAIN,
        options={"targets": ["target"], "distractors": ["other"]},
    ),
    Case(
        "deadline_2s, answers not named",
        "deadline_2s.csv",
        PLAIN,
        options={},
        notes=('"target" means target, "other" distractor',),
        target_word="target",
    ),
    Case("psy_list", "psy_list.csv", PSYCHOPY, program="psychopy", options={}),
    Case(
        "psy_otherkey",
        "psy_otherkey.csv",
        PSYCHOPY,
        program="psychopy",
        options={},
        says=('"space" in 11 rows', "row 3", "missing"),
    ),
    Case(
        "psy_otherkey, no answer",
        "psy_otherkey.csv",
        PSYCHOPY,
        program="psychopy",
        options={"missing": ["space"]},
        no_answer="space",
        notes=('"space" is no answer (11 rows)',),
    ),
    Case(
        "js_lines",  # every line holds the same trials
        "js_lines.json",
        PLAIN,
        options=WORDS,
        program="jspsych",
        says=("entry 13", 'the rows of "p1" repeat', "delete one copy"),
    ),
    Case("js_nested", "js_nested.json", PLAIN, options=WORDS, program="jspsych", notes=("response.Q0",)),
    Case(
        "js_correct",
        "js_correct.json",
        PLAIN,
        options=WORDS,
        program="jspsych",
        says=("correct contradicts answer and truth", "entry 1"),
    ),
    Case(
        "BIDS, no-go not said",
        "sub-01_task-x_events.tsv",
        {},
        options={},
        program="bids",
        says=("response_time: 1 row", "row 3", "untimed missing"),
    ),
    german("german_en.csv"),
    german("german_excel_de.csv", encoding="cp1252", delimiter=";", notes=("Windows-1252", "decimal commas")),
    german("german_excel_de_utf8.csv", encoding="utf-8-sig", delimiter=";", notes=("decimal commas",)),
    german("german_messy.csv", notes=("levels are per cent", '"S" is read as "s"', "blanks")),
    german("german_semi_dot.csv", delimiter=";"),
    german("german_tab.tsv", encoding="utf-16", delimiter="\t", notes=("utf-16", "tabs", "decimal commas")),
)


def rows_of(case: Case) -> list[dict[str, Any]]:
    """The raw rows, by csv or json."""
    text = (FOLDER / case.file).read_bytes().decode(case.encoding)
    if not case.file.endswith(".json"):
        return list(csv.DictReader(text.splitlines(), delimiter=case.delimiter))
    return [row for line in text.splitlines() if line.strip() for row in json.loads(line)]


def truth_of(case: Case) -> Truth:
    """Share of right answers per group and level, as a reader of the raw file counts them."""
    right: dict[tuple[str, float], list[bool]] = defaultdict(list)
    target_word = str(case.options.get("targets", [case.target_word])[0])
    for row in rows_of(case):
        answer = row[case.raw["response"]]
        answer = answer["Q0"] if isinstance(answer, dict) else answer.strip().removeprefix("['").removesuffix("']")
        if answer == case.no_answer:
            continue
        is_target = str(row[case.raw["target"]]).lower() in ("1", "true")
        level = float(str(row[case.raw["level"]]).replace(",", ".").removesuffix("%"))
        group = row[case.raw["group"]].strip()
        right[group.lower(), level].append((answer.lower() == target_word) == is_target)
    return {cell: sum(found) / len(found) for cell, found in right.items()}


def failure(case: Case) -> str:
    """Import a case: "" when it gave what it must give, else what was wrong."""
    try:
        trials = import_trials(case.program, FOLDER / case.file, columns=case.columns, **case.options)
    except InputError as refusal:
        missing = [words for words in (case.file, *case.says) if words not in str(refusal)]
        return "" if case.says and not missing else f"refused: {refusal} (expected {missing or 'the truth'})"
    if case.says:
        return f"imported, although it must be refused with {case.says}"
    if len(set(trials.frame["group"])) < len(set(trials.frame["map_source"])):  # conditions within participants
        frame = trials.frame.assign(group=trials.frame["map_source"])
        frame["participant_id"] = frame["participant_id"] + "-" + frame["group"]
        frame["session_id"] = frame["participant_id"]
        trials = replace(trials, frame=frame)
    found = cells(trials)
    got = {
        (group.lower(), float(level.label)): float(
            found.halves[found.of(group), place].sum() / 2 / found.n_trials[found.of(group), place].sum()
        )
        for group in sorted(set(found.groups))
        for place, level in enumerate(found.levels)
        if found.n_trials[found.of(group), place].any()
    }
    truth = truth_of(case)
    if got.keys() != truth.keys() or any(abs(got[cell] - truth[cell]) > 1e-12 for cell in truth):
        return f"accuracies are {got}, the file holds {truth}"
    silent = [words for words in case.notes if words not in "\n".join(trials.notes)]
    return f"notes do not say {silent}" if silent else ""
