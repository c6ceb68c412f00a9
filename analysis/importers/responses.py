"""Responses: what each row's participant answered, whether that was right, and when."""

import re
from collections.abc import Sequence

from rapidvision.errors import InputError

from .answers import Cell, by_case, decided, refuse_contradictions, refuse_no_match
from .options import options_of
from .outcomes import Answer
from .reading import Reading
from .source.folding import folded, one_spelling, places, refuse, rows, text_of
from .source.words import NO, RIGHT, WRONG, YES
from .times import Time, limit_notes, milliseconds, refuse_untimed


def answers_of(reading: Reading, people: Sequence[str]) -> tuple[list[Answer | None], list[str]]:
    """What each row's participant answered, whether that was right, and when; None for rows that are left out."""
    layout, columns = reading.layout, reading.columns
    notes: list[str] = []
    truth = _truths(reading, notes)
    as_words = layout.answers == "words"
    said = [None] * len(reading.rows) if as_words else _said(reading, notes)
    correct = _correct(reading, notes)
    words = _words(reading)
    option, right = options_of(reading, words, correct, notes) if as_words else (words, [None] * len(words))
    if "target" not in columns and not as_words:
        truth = _truths_of_two(reading, said, correct, words, notes)
    raw_times = reading.cells("response_ms")
    answered = option if as_words else said
    pressed = [_pressed(reading, place, answered, correct, raw_times) for place in range(len(reading.rows))]
    timed = "response_ms" in columns
    untimed = [place for place, press in enumerate(pressed) if press and timed and _without_time(raw_times[place].text)]
    if layout.untimed == "refuse":
        refuse_untimed(
            [reading.rows[place].where for place in untimed], column=columns["response_ms"].name if timed else ""
        )
    elif untimed:
        word = "read as no answer" if layout.untimed == "missing" else "left out"
        notes.append(f"{rows(len(untimed))} with an answer but no time above 0: {word}")
    gone = set(untimed)
    with_time = [place for place, press in enumerate(pressed) if press and timed and place not in gone]
    ms, told = milliseconds(
        [Time(raw_times[place].text, people[place], raw_times[place].where) for place in with_time],
        unit=layout.time_unit,
        decimal=reading.decimal,
    )
    notes += told
    notes += limit_notes(ms, limit_ms=layout.limit_ms, anticipation_ms=layout.anticipation_ms)
    time_of = dict(zip(with_time, ms, strict=True))
    withheld = None if layout.no_answer == "missing" else layout.no_answer == "target"
    out: list[Answer | None] = []
    for place, press in enumerate(pressed):
        if place in gone and layout.untimed == "leave out":
            out.append(None)
        elif as_words:
            chosen = option[place] if press and place not in gone else None
            known = correct[place] if press and place not in gone else None
            out.append(
                Answer(
                    truth[place],
                    None,
                    known,
                    time_of.get(place),
                    words[place] if chosen else None,
                    chosen,
                    right[place],
                )
            )
        elif press and place not in gone:
            answer = said[place] if "response" in columns else (None if withheld is None else not withheld)
            out.append(Answer(truth[place], answer, correct[place], time_of.get(place), words[place]))
        elif withheld is not None:
            out.append(Answer(truth[place], withheld, correct[place], None))
        else:
            out.append(Answer(truth[place], None, None, None))
    none = sum(answer is not None and not answer.given for answer in out)
    if none:
        notes.append(f"{none:,} of {len(out):,} trials {'has' if none == 1 else 'have'} no answer")
    if withheld is not None:
        count = sum(not press for press in pressed)
        notes.append(
            f"a trial without a press means {layout.no_answer}, as asked or as the layout says ({rows(count)})"
        )
    _check_contradictions(reading, out, withheld=withheld)
    if "target" not in columns and "truth" not in columns:
        _refuse_unscored(reading, out)
    return out, notes


def _words(reading: Reading) -> list[str | None]:
    """Each row's answer as the file writes it, in its most frequent spelling; None without one."""
    layout = reading.layout
    if "response" not in reading.columns:
        return [None] * len(reading.rows)
    texts = [cell.text for cell in reading.cells("response", never_missing=(*layout.targets, *layout.distractors))]
    if not by_case(layout.targets, layout.distractors):
        spelling, _ = one_spelling([text for text in texts if text], what="response")
        texts = [spelling.get(text, "") for text in texts]
    return [text or None for text in texts]


def _truths_of_two(
    reading: Reading,
    said: Sequence[bool | None],
    correct: Sequence[bool | None],
    words: Sequence[str | None],
    notes: list[str],
) -> list[bool | None]:
    """What the images were, from answers and their correctness, where there were two answers; else unknown.

    Of two answers the wrong one tells the other; of more it does not.
    """
    used = {word for word in words if word}
    if not used or "correct" not in reading.columns:
        return [None] * len(said)
    if len(used) > 2:
        notes.append(
            f"{reading.columns['response'].name}: {len(used)} different answers and no column of truth, so a wrong answer "
            "does not tell what the image was; only correctness is kept (name the column: target=COLUMN)"
        )
        return [None] * len(said)
    notes.append("whether an image is a target follows from answer and correctness, as there are two answers")
    pairs = zip(said, correct, strict=True)
    return [None if answer is None or right is None else answer == right for answer, right in pairs]


def _refuse_unscored(reading: Reading, answers: Sequence[Answer | None]) -> None:
    """Refuse answers that nothing scores: no truth, and no word on correctness."""
    unscored = [
        row.where
        for row, answer in zip(reading.rows, answers, strict=True)
        if answer is not None and (answer.said is not None or answer.option is not None) and answer.recorded is None
    ]
    if unscored:
        raise InputError(
            f"{reading.columns['correct'].name}: empty in {rows(len(unscored))} with an answer ({places(unscored)}); fill "
            "it, or name the column that says whether an image is a target (target=COLUMN)"
        )


def _truths(reading: Reading, notes: list[str]) -> list[bool | None]:
    layout = reading.layout
    if "target" not in reading.columns:
        return [None] * len(reading.rows)
    if bool(layout.target_truths) != bool(layout.distractor_truths):
        raise InputError("target_truths and distractor_truths: name both, or neither")
    name = reading.columns["target"].name
    cells = reading.cells("target")
    for text, where in cells:
        if not text:
            raise InputError(f"{where}: {name} is empty; every trial needs to say whether its image is a target")
    found, told = decided(
        cells,
        layout.target_truths or YES,
        layout.distractor_truths or NO,
        what=name,
        remedy="Name the values that mean target (target_truths) and distractor (distractor_truths)",
    )
    notes += told
    if found and len(set(found)) == 1:
        notes.append(f"{name}: every image is a {'target' if found[0] else 'distractor'}")
    return found


def _said(reading: Reading, notes: list[str]) -> list[bool | None]:
    layout = reading.layout
    if "response" not in reading.columns:
        return [None] * len(reading.rows)
    column = reading.columns["response"]
    cells = reading.cells("response", never_missing=(*layout.targets, *layout.distractors))
    if "target_key" in reading.columns:
        found, told = _by_key(reading, cells)
    else:
        found, told = decided(
            cells,
            layout.targets,
            layout.distractors,
            what=column.name,
            remedy="Name the answers that mean target (targets) and distractor (distractors), or no answer (missing)",
        )
        refuse_no_match(cells, found, layout.targets, what=column.name)
    words: dict[str, int] = {}
    for row, cell in zip(reading.rows, cells, strict=True):
        raw = text_of(column.raw(row))
        if not cell.text and raw:
            words[raw] = words.get(raw, 0) + 1
    told += [f'{column.name}: "{word}" is no answer ({rows(count)})' for word, count in words.items()]
    notes += told
    return found


def _by_key(reading: Reading, cells: Sequence[Cell]) -> tuple[list[bool | None], list[str]]:
    """Answers where each row names the key that meant target; all keys are those that some row names."""
    keys = reading.cells("target_key")
    for text, where in keys:
        if not text:
            raise InputError(f"{where}: {reading.columns['target_key'].name} is empty; which key meant target?")
    known = {folded(key.text) for key in keys}
    if len(known) != 2:
        raise InputError(
            f"{reading.columns['target_key'].name}: {len(known)} different keys ({', '.join(sorted(known))}) mean target; "
            "with two keys that change their meaning there are two. Name one meaning with targets and distractors instead"
        )
    odd: dict[str, list[str]] = {}
    for cell in cells:
        if cell.text and folded(cell.text) not in known:
            odd.setdefault(cell.text, []).append(cell.where)
    refuse(
        odd, what=reading.columns["response"].name, allowed=", ".join(sorted(known)), remedy="Name no answer: missing"
    )
    said = [folded(cell.text) == folded(key.text) if cell.text else None for cell, key in zip(cells, keys, strict=True)]
    return said, [f"{reading.columns['target_key'].name} says which key meant target ({', '.join(sorted(known))})"]


def _correct(reading: Reading, notes: list[str]) -> list[bool | None]:
    if "correct" not in reading.columns:
        return [None] * len(reading.rows)
    found, told = decided(
        reading.cells("correct"),
        RIGHT,
        WRONG,
        what=reading.columns["correct"].name,
        remedy="One row per trial with 1 or 0 is needed; a share of several trials cannot be imported",
        meaning=("correct", "wrong"),
    )
    if "response" not in reading.columns:
        notes += told
    return found


def _pressed(
    reading: Reading, place: int, said: Sequence[object], correct: Sequence[bool | None], times: Sequence[Cell]
) -> bool:
    """Whether there was an answer: one is recorded, or only its correctness, or in go / no-go tasks a time."""
    if "response" in reading.columns:
        return said[place] is not None
    if reading.layout.no_answer != "missing":
        return bool(times[place].text)
    return correct[place] is not None


def _without_time(text: str) -> bool:
    """Whether a cell is empty or holds a number of 0 or less; a word is for :func:`.times.milliseconds` to refuse."""
    if not re.fullmatch(r"[-+]?[\d.,]+([eE][-+]?\d+)?", text):
        return not text
    return text.startswith("-") or not re.search(r"[1-9]", re.sub(r"[eE].*", "", text))


def _check_contradictions(reading: Reading, answers: Sequence[Answer | None], *, withheld: bool | None) -> None:
    if "correct" not in reading.columns or not {"target", "truth"} & set(reading.columns):
        return
    if "response" not in reading.columns and withheld is None:
        return
    found: dict[str, list[str]] = {}
    for row, answer in zip(reading.rows, answers, strict=True):
        if answer is None or answer.found is None or answer.recorded is None:
            continue
        if answer.found != answer.recorded:
            found.setdefault(reading.columns["correct"].text(row), []).append(row.where)
    refuse_contradictions(
        found,
        what=reading.columns["correct"].name,
        remedy="Check targets, distractors and the column of truth; or do not read the column (correct=)",
    )
