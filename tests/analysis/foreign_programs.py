"""The known experiment as each program writes it, by csv, json, sqlite3 and zipfile: no reader of the suite takes part."""

import csv
import io
import json
import sqlite3
import zipfile
from pathlib import Path

from tests.analysis.foreign_tables import FRAME

ROWS = FRAME.to_dict("records")
KEY_CODES = {"s": 83, "l": 76}


def text_of(rows, delimiter=",", quoting=csv.QUOTE_MINIMAL, **how):
    """Rows as text; the columns are all names that a row has, in order of appearance."""
    out = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(out, names, delimiter=delimiter, quoting=quoting, restval="", **how)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def by_participant():
    people = {}
    for row in ROWS:
        people.setdefault(row["subject"], []).append(row)
    return people


def right_key(row):
    return "s" if row["is_animal"] else "l"


def psychopy(folder: Path) -> Path:
    """Seconds, a mark, a delimiter at each line's end, an instructions row, a component for the instructions."""
    for who, rows in by_participant().items():
        out = [{"intro_key.keys": "space", "intro_key.rt": "2.5", "participant": who, "expName": "animals"}]
        out += [
            {
                "trials.thisN": at,
                "image": row["picture"],
                "corrAns": right_key(row),
                "level": row["level"],
                "condition": row["condition"],
                "key_resp.keys": row["pressed"],
                "key_resp.corr": row["right"],
                "key_resp.rt": row["rt_ms"] / 1000,
                "participant": who,
                "expName": "animals",
            }
            for at, row in enumerate(rows)
        ]
        lines = text_of(out).splitlines()
        (folder / f"{who}_animals.csv").write_text("".join(f"{line},\n" for line in lines), encoding="utf-8-sig")
    return folder


def pavlovia(folder: Path) -> Path:
    """As PsychoJS writes it: lists as JSON text, no delimiter at line ends."""
    out = [
        {
            "participant": row["subject"],
            "trials.thisIndex": at,
            "stim_image": row["picture"],
            "image": row["picture"],
            "group": row["condition"],
            "level": row["level"],
            "corrAns": right_key(row),
            "resp.keys": f'["{row["pressed"]}"]',
            "resp.rt": f"[{row['rt_ms'] / 1000}]",
            "resp.corr": row["right"],
            "psychopyVersion": "2025.1",
            "frameRate": 60,
        }
        for at, row in enumerate(ROWS)
    ]
    (folder / "PARTICIPANT_animals.csv").write_text(text_of(out), encoding="utf-8-sig")
    return folder / "PARTICIPANT_animals.csv"


def opensesame(folder: Path) -> Path:
    """Every cell quoted, inner quotation marks after a backslash, a file per participant."""
    for number, rows in enumerate(by_participant().values(), 1):
        out = [
            {
                "subject_nr": number,
                "condition": row["condition"],
                "level": row["level"],
                "image": row["picture"],
                "correct_response": right_key(row),
                "response": row["pressed"],
                "correct": row["right"],
                "response_time": float(row["rt_ms"]),
                "avg_rt": 500.5,
                "acc": 75,
                "title": 'the "animals"',
                "opensesame_version": "4.0.5",
            }
            for row in rows
        ]
        text = text_of(out, quoting=csv.QUOTE_ALL, escapechar="\\", doublequote=False)
        (folder / f"subject-{number}.csv").write_text(text)
    return folder


def gorilla(folder: Path) -> Path:
    """A row per event, fixations too, and a last row that says END OF FILE."""
    out = []
    for who, rows in by_participant().items():
        for at, row in enumerate(rows):
            shared = {
                "Participant Private ID": who,
                "Trial Number": at + 1,
                "level": row["level"],
                "Condition": row["condition"],
                "Image": row["picture"],
                "ANSWER": right_key(row),
            }
            out.append({"Event Index": len(out) + 1, **shared, "Zone Type": "fixation"})
            answer = {"Reaction Time": row["rt_ms"], "Response": row["pressed"], "Correct": row["right"]}
            out.append({"Event Index": len(out) + 1, **shared, "Zone Type": "response_keyboard_single", **answer})
    out.append({"Event Index": "END OF FILE"})
    (folder / "data_exp_1-v2_task-ab12.csv").write_text(text_of(out), encoding="utf-8-sig")
    return folder / "data_exp_1-v2_task-ab12.csv"


def labjs(folder: Path) -> Path:
    """A row per component, loops and screens too."""
    for who, rows in by_participant().items():
        out = [{"participant_id": who, "sender": "Instructions", "sender_type": "html.Screen", "sender_id": "0"}]
        for at, row in enumerate(rows):
            out.append(
                {
                    "participant_id": who,
                    "sender": "Trial",
                    "sender_type": "html.Screen",
                    "sender_id": f"1_{at}",
                    "condition": row["condition"],
                    "image": row["picture"],
                    "level": row["level"],
                    "correctResponse": right_key(row),
                    "response": row["pressed"],
                    "correct": str(bool(row["right"])).lower(),
                    "ended_on": "response",
                    "duration": row["rt_ms"],
                }
            )
            out.append({"participant_id": who, "sender": "Loop", "sender_type": "flow.Loop", "sender_id": "1"})
        (folder / f"{who}.csv").write_text(text_of(out, lineterminator="\r\n"))
    return folder


def labvanced(folder: Path) -> Path:
    """Older exports write names in lower case."""
    out = [
        {
            "rec_session_id": 11,
            "exp_subject_id": row["subject"],
            "task_name": "Main",
            "trial_nr": at % 24 + 1,
            "cond": row["condition"],
            "level": row["level"],
            "answer": row["pressed"],
            "correct_answer": right_key(row),
            "rt_ms": row["rt_ms"],
        }
        for at, row in enumerate(ROWS)
    ]
    (folder / "labvanced.csv").write_text(text_of(out))
    return folder / "labvanced.csv"


def qualtrics(folder: Path) -> Path:
    """A row per participant, loops side by side, two rows of questions below the header."""
    out = []
    for who, rows in by_participant().items():
        one = {
            "StartDate": "2026-11-30",
            "EndDate": "2026-11-30",
            "ResponseId": f"R_{who}",
            "group": rows[0]["condition"],
        }
        for at, row in enumerate(rows, 1):
            one |= {f"{at}_level": row["level"], f"{at}_image": row["picture"], f"{at}_correct": row["right"]}
        out.append(one)
    names = list(out[0])
    heads = [{name: f"Question {name}, please" for name in names}, {name: f'{{"ImportId":"{name}"}}' for name in names}]
    (folder / "survey.csv").write_text(text_of([*heads, *out]), encoding="utf-8-sig")
    return folder / "survey.csv"


def eprime(folder: Path) -> Path:
    """UTF-16; a frame per trial, then its block's frame; the subject in the header only."""
    for number, rows in enumerate(by_participant().values(), 1):
        header = f"Experiment: Animals\r\nSubject: {number}\r\nSession: 1\r\nLevelName: Trial\r\n"
        lines = [f"*** Header Start ***\r\n{header}*** Header End ***\r\n"]
        for row in rows:
            cells = {
                "Procedure": "TrialProc",
                "Image": row["picture"],
                "Percent": row["level"],
                "Stim.ACC": row["right"],
                "Stim.RT": row["rt_ms"],
                "Stim.RESP": row["pressed"],
                "Stim.CRESP": right_key(row),
                "Stim.OnsetTime": "12:03:04",
            }
            inner = "".join(f"\t\t{key}: {value}\r\n" for key, value in cells.items())
            lines.append(f"\t\tLevel: 3\r\n\t\t*** LogFrame Start ***\r\n{inner}\t\t*** LogFrame End ***\r\n")
        block = f"\tCondition: {rows[0]['condition']}\r\n"
        lines.append(f"\tLevel: 2\r\n\t*** LogFrame Start ***\r\n{block}\t*** LogFrame End ***\r\n")
        lines.append(f"Level: 1\r\n*** LogFrame Start ***\r\n{header}*** LogFrame End ***\r\n")
        (folder / f"Animals-{number}-1.txt").write_bytes("".join(lines).encode("utf-16"))
    return folder


def jspsych_entry(row, at, **answer):
    shared = {
        "trial_type": "html-keyboard-response",
        "trial_index": at,
        "time_elapsed": 900 * at,
        "subject": row["subject"],
    }
    return shared | {
        "condition": row["condition"],
        "level": row["level"],
        "image": row["picture"],
        "correct": bool(row["right"]),
        "rt": row["rt_ms"],
        **answer,
    }


def jspsych_6(folder: Path) -> Path:
    """Codes of keys; instructions and fixations are rows, too."""
    out = [{"trial_type": "instructions", "trial_index": 0, "time_elapsed": 10, "subject": "P00", "rt": 3000}]
    out += [jspsych_entry(row, at + 1, key_press=KEY_CODES[row["pressed"]]) for at, row in enumerate(ROWS)]
    (folder / "six.csv").write_text(text_of(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n"))
    return folder / "six.csv"


def jspsych_8(folder: Path) -> Path:
    """Letters as they were typed, a null for no answer, a right answer for each trial."""
    out = []
    for at, row in enumerate(ROWS):
        out.append(
            {"trial_type": "html-keyboard-response", "trial_index": 2 * at, "time_elapsed": at, "response": "null"}
        )
        typed = row["pressed"].upper() if at % 5 == 0 else row["pressed"]
        out.append(
            jspsych_entry(row, 2 * at + 1, response=typed, correct_response=right_key(row), plugin_version="2.0")
        )
    (folder / "eight.csv").write_text(text_of(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n"))
    return folder / "eight.csv"


def jatos_lines(folder: Path) -> Path:
    """An array per participant, one after another."""
    arrays = [
        json.dumps([jspsych_entry(row, at, response=row["pressed"]) for at, row in enumerate(rows)])
        for rows in by_participant().values()
    ]
    (folder / "jatos_results.txt").write_text("\n".join(arrays) + "\n")
    return folder / "jatos_results.txt"


def jatos_archive(folder: Path) -> Path:
    """A zip file with the data of each participant's component."""
    with zipfile.ZipFile(folder / "results.jrzip", "w") as archive:
        archive.writestr("metadata.json", json.dumps({"data": []}))
        for at, rows in enumerate(by_participant().values(), 1):
            entries = {"trials": [jspsych_entry(row, n, response=row["pressed"]) for n, row in enumerate(rows)]}
            archive.writestr(f"study_result_{at}/comp-result_{at}/data.txt", json.dumps(entries))
    return folder / "results.jrzip"


def trialdata_entry(row):
    return {
        "trial_type": "animals",
        "group": row["condition"],
        "level": row["level"],
        "stimulus": row["picture"],
        "response": "animal" if row["pressed"] == "s" else "other",
        "true_response": "animal" if row["is_animal"] else "other",
        "rt": row["rt_ms"],
    }


def psiturk(folder: Path) -> Path:
    """A database whose table has a name of its own; one participant did not finish."""
    with sqlite3.connect(folder / "participants.db") as connection:
        connection.execute('CREATE TABLE "placecat" (uniqueid TEXT, status INT, datastring TEXT)')
        for who, rows in by_participant().items():
            data = json.dumps({"data": [{"trialdata": trialdata_entry(row)} for row in rows]})
            connection.execute('INSERT INTO "placecat" VALUES (?, ?, ?)', (who, 4, data))
        connection.execute('INSERT INTO "placecat" VALUES (?, ?, ?)', ("gone", 2, None))
    connection.close()
    return folder / "participants.db"


def psiturk_export(folder: Path) -> Path:
    """``trialdata.csv`` without a header."""
    with (folder / "trialdata.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        for who, rows in by_participant().items():
            writer.writerows(
                [who, at, 1500000000000 + at, json.dumps(trialdata_entry(row))] for at, row in enumerate(rows)
            )
    return folder / "trialdata.csv"


def bids(folder: Path) -> Path:
    """A folder per participant, a file per run, seconds, n/a."""
    for who, rows in by_participant().items():
        for run, part in enumerate((rows[:12], rows[12:]), 1):
            out = [
                {
                    "onset": 2.5 * at,
                    "duration": 0.1,
                    "trial_type": row["kind"],
                    "response_time": row["rt_ms"] / 1000,
                    "stim_file": row["picture"],
                    "accuracy": row["right"],
                    "level": row["level"],
                }
                for at, row in enumerate(part)
            ]
            place = folder / f"sub-{who}" / "func"
            place.mkdir(parents=True, exist_ok=True)
            name = f"sub-{who}_task-{rows[0]['condition']}_run-{run}_events.tsv"
            (place / name).write_text(text_of(out, delimiter="\t"))
    (folder / "participants.tsv").write_text("participant_id\tage\nsub-P00\t30\n")
    (folder / "dataset_description.json").write_text('{"Name": "animals"}')
    return folder


PROGRAMS = {
    "psychopy": psychopy,
    "pavlovia": pavlovia,
    "opensesame": opensesame,
    "gorilla": gorilla,
    "labjs": labjs,
    "labvanced": labvanced,
    "qualtrics": qualtrics,
    "eprime": eprime,
    "jspsych 6": jspsych_6,
    "jspsych 8": jspsych_8,
    "jatos lines": jatos_lines,
    "jatos archive": jatos_archive,
    "psiturk": psiturk,
    "psiturk export": psiturk_export,
    "bids": bids,
}
