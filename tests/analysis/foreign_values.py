"""Forms that differ in the values: correctness, answers, times, levels, groups, participants."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from tests.analysis.foreign_tables import (
    COLUMNS,
    FRAME,
    KEYS,
    ONLY,
    TRUTH,
    Form,
    each,
    put,
    table,
)


def seconds(frame: pd.DataFrame) -> None:
    frame["rt_ms"] = frame["rt_ms"] / 1000


def some_seconds(frame: pd.DataFrame) -> None:
    frame["rt_ms"] = [
        time / 1000 if who == "P01" else time for who, time in zip(frame["subject"], frame["rt_ms"], strict=True)
    ]


def half_seconds(frame: pd.DataFrame) -> None:
    frame["rt_ms"] = [time / 1000 if at % 3 == 0 else time for at, time in enumerate(frame["rt_ms"])]


def levels(names: dict[float, Any]) -> Callable[[pd.DataFrame], None]:
    """Return a change of the levels' names."""

    def change(frame: pd.DataFrame) -> None:
        frame["level"] = [names[level] for level in frame["level"]]

    return change


def with_levels(names: dict[float, float]) -> dict[tuple[str, float], float]:
    """The truth with other levels."""
    return {(group, names[level]): share for (group, level), share in TRUTH.items()}


def accuracy_only(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.rename(columns={"subject": "subj", "condition": "cond", "right": "acc", "rt_ms": "rt"})[
        ["subj", "cond", "level", "acc", "rt"]
    ]


def scored(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.groupby(["subject", "condition", "level"], as_index=False)["right"].mean()


def changing_keys(frame: pd.DataFrame) -> pd.DataFrame:
    """The key that means target differs between participants."""
    other = frame["subject"].isin(["P01", "P02"])
    return frame.assign(
        key=["l" if swap else "s" for swap in other],
        pressed=[{"s": "l", "l": "s"}[key] if swap else key for swap, key in zip(other, frame["pressed"], strict=True)],
    )


def third_key(frame: pd.DataFrame) -> pd.DataFrame:
    """A key that no row names."""
    frame = changing_keys(frame)
    return frame.assign(pressed=["x", *frame["pressed"][1:]])


DB = {2.5: -12.5, 10: 0, 40: 3}
CONTRAST = {2.5: 0.025, 10: 0.1, 40: 0.4}
CAPS = each(lambda row: row | {"pressed": row["pressed"].upper() if row["condition"] == "parts" else row["pressed"]})


VALUES: tuple[Form, ...] = (
    # accuracy only
    Form("accuracy only", table(change=accuracy_only), columns={}, options={}, notes=("correct from acc",)),
    Form(
        "accuracy only, yes and no",
        table(change=lambda f: f.assign(right=f["right"].map({1: "yes", 0: "no"}))),
        columns=ONLY,
        options={},
    ),
    Form("mean accuracies", table(change=scored), columns=ONLY, options={}, says=("right", "row", "One row per trial")),
    Form("accuracy -1", table(change=put("right", [4], -1)), columns=ONLY, options={}, says=('"-1" in 1 row', "row 6")),
    Form(
        "nothing to compare",
        table(change=lambda f: f[["subject", "right"]]),
        columns={"participant": "subject", "correct": "right"},
        options={},
        says=("level or group",),
    ),
    # answers
    Form("caps lock", table(change=CAPS), notes=('"S" is read as "s"', '"L" is read as "l"')),
    Form("answers with blanks", table(change=lambda f: f.assign(pressed=f["pressed"] + " "))),
    Form(
        "targets that differ in case", table(), options={"targets": ["S"], "distractors": ["L"]}, notes=('read as "S"',)
    ),
    Form(
        "third key",
        table(change=put("pressed", [3, 40], "space")),
        says=('"space" in 2 rows', "row 5, row 42", "missing"),
    ),
    Form(
        "third key named missing",
        table(change=put("pressed", range(0, 144, 7), "space")),
        options=KEYS | {"missing": ["space"]},
        notes=('"space" is no answer (21 rows)',),
        truth={
            (str(g), float(v)): float(rows["right"].mean())
            for (g, v), rows in FRAME[~FRAME.index.isin(range(0, 144, 7))].groupby(["condition", "level"])
        },
    ),
    Form("targets alone", table(), options={"targets": ["s"]}, says=('"l" in', "distractors")),
    Form(
        "no answer is a target",
        table(),
        options={"targets": ["x"], "distractors": ["s", "l"]},
        says=('"l" in', '"s" in', "targets"),
    ),
    Form(
        "an answer in both sets", table(), options={"targets": ["s"], "distractors": ["s", "l"]}, says=("name it once",)
    ),
    Form("lists of one", table(change=lambda f: f.assign(pressed=[f"['{key}']" for key in f["pressed"]]))),
    Form("lists of two", table(change=put("pressed", [7], "['s', 'l']")), says=("row 9", "several first")),
    Form(
        "a contradiction",
        table(change=put("right", [5, 6], [1 - FRAME["right"][5], 1 - FRAME["right"][6]])),
        says=("contradicts", "row 7", "row 8"),
    ),
    Form("a missing truth", table(change=put("is_animal", [5], "")), says=("row 7", "is_animal is empty")),
    Form("an odd truth", table(change=put("is_animal", [5], 2)), says=('"2" in 1 row', "row 7", "target_truths")),
    Form(
        "truth in words",
        table(),
        columns=COLUMNS | {"target": "kind"},
        options=KEYS | {"target_truths": ["animal"], "distractor_truths": ["other"]},
    ),
    Form("truth in German", table(change=lambda f: f.assign(is_animal=f["is_animal"].map({1: "WAHR", 0: "FALSCH"})))),
    Form("truth as decimals", table(change=lambda f: f.assign(is_animal=f["is_animal"].astype(float)))),
    # times
    Form("seconds", table(change=seconds), notes=("are seconds",)),
    Form("seconds of one participant", table(change=some_seconds), says=("P01", "time_unit", "row")),
    Form("seconds here and there", table(change=half_seconds), says=("two units", "row 2")),
    Form(
        "seconds said to be milliseconds",
        table(change=seconds),
        options=KEYS | {"time_unit": "ms"},
        says=("no human response time",),
    ),
    Form("microseconds", table(change=lambda f: f.assign(rt_ms=f["rt_ms"] * 1000)), says=("time_unit", "us")),
    Form(
        "microseconds said",
        table(change=lambda f: f.assign(rt_ms=f["rt_ms"] * 1000)),
        options=KEYS | {"time_unit": "us"},
    ),
    Form("a word as time", table(change=put("rt_ms", [9], "fast")), says=("row 11", "fast", "a number")),
    Form("a time of 0", table(change=put("rt_ms", [9], 0)), says=("row 11", "untimed missing")),
    Form("one very slow answer", table(change=put("rt_ms", [9], 14_000))),
    # levels
    Form("decibels", table(change=levels(DB)), truth=with_levels(DB), notes=("kept as they are written",)),
    Form("contrast", table(change=levels(CONTRAST)), truth=with_levels(CONTRAST)),
    Form("shares", table(change=levels(CONTRAST)), options=KEYS | {"level_unit": "share"}),
    Form(
        "shares said to be per cent",
        table(change=levels(CONTRAST)),
        options=KEYS | {"level_unit": "percent"},
        says=("level_unit share",),
    ),
    Form(
        "per cent above 100",
        table(change=levels({2.5: 2.5, 10: 10, 40: 140})),
        options=KEYS | {"level_unit": "percent"},
        says=("row 4", "140", "level_unit"),
    ),
    Form("per cent signs", table(change=levels({2.5: "2.5%", 10: "10 %", 40: "40%"})), notes=("the file says so",)),
    Form("an empty level", table(change=put("level", [11], "")), says=("row 13", "level is empty")),
    Form(
        "continuous levels",
        table(change=lambda f: f.assign(level=[n / 7 for n in range(len(f))])),
        says=("144 distinct levels", "max_levels"),
    ),
    # groups and participants
    Form(
        "groups with blanks",
        table(change=put("condition", FRAME.index[FRAME["subject"] == "P00"], " parts")),
        notes=("blanks around names",),
    ),
    Form(
        "groups in capitals",
        table(change=put("condition", FRAME.index[FRAME["subject"] == "P00"], "PARTS")),
        notes=('"PARTS" is read as "parts"',),
    ),
    Form("an empty group", table(change=put("condition", [3], "")), says=("row 5", "condition is empty")),
    Form(
        "both groups in everybody",
        table(change=lambda f: f.assign(condition=["ab"[n % 2] for n in range(len(f))])),
        notes=("6 of 6 participants have more than one of a, b",),
        truth={
            (condition, level): float(rows["right"].mean())
            for (condition, level), rows in FRAME.assign(own=["ab"[n % 2] for n in range(len(FRAME))]).groupby(
                ["own", "level"]
            )
        },
    ),
    Form(
        "two groups of one participant",
        table(change=put("condition", [2], "saliency")),
        says=('"P00" is in 2 groups', "row 2", "row 4", "while 5 are in one"),
    ),
    Form("an empty participant", table(change=put("subject", [3], "")), says=("row 5", "subject is empty")),
    Form("one picture again", table(change=put("picture", [1], "pic00.png")), says=("row 3", "repeats keep")),
    Form("one picture again, kept", table(change=put("picture", [1], "pic00.png")), options=KEYS | {"repeats": "keep"}),
    # what the file says twice, or not at all
    Form(
        "levels as dates",
        table(change=levels({2.5: "02. Mai", 10: 10, 40: 40})),
        says=("02. Mai", "row 2", "level_words keep"),
    ),
    Form(
        "per cent signs on some",
        table(change=levels({2.5: "2.5%", 10: 10, 40: 40})),
        says=("row 2", "row 3", "one unit"),
    ),
    Form(
        "keys that change their meaning",
        table(change=changing_keys),
        columns=COLUMNS | {"target_key": "key"},
        options={},
        notes=("says which key meant target",),
    ),
    Form(
        "a third key among changing ones",
        table(change=third_key),
        columns=COLUMNS | {"target_key": "key"},
        options={},
        says=('"x" in', "row 2"),
    ),
    Form(
        "answers and correctness without truth",
        table(),
        columns=COLUMNS | {"target": ""},
    ),
    Form(
        "an answer that nothing scores",
        table(change=put("right", [8], "")),
        columns=COLUMNS | {"target": ""},
        says=("row 10", "target=COLUMN"),
    ),
)
