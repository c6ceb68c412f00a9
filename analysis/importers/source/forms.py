"""Forms of text that are no plain tables: E-Prime's log frames, psiTurk's export, and surveys with loops."""

import csv
import io
import json
import re
from typing import Any

from rapidvision.errors import InputError
from rapidvision.system import json_text
from rapidvision.text.text_tables import TextTable

_LOOP = re.compile(r"(\d+)_(.+)")
_GUARDED = re.compile(r"'[=+\-@].*")
Rows = list[tuple[dict[str, Any], str]]


def eprime_frames(text: str, *, name: str) -> Rows:
    r"""Return the innermost frames of E-Prime's text, with what their outer frames and the header say.

    Raises
    ------
    InputError
        When a line is no ``Key: Value``, or a frame is not closed.

    Examples
    --------
    >>> text = "*** Header Start ***\nSubject: 1\n*** Header End ***\n\t\tLevel: 3\n\t\t*** LogFrame Start ***\n"
    >>> eprime_frames(text + "\t\tStim.ACC: 1\n\t\t*** LogFrame End ***\n", name="a.txt")
    [({'LogFrame.Level': '3', 'Subject': '1', 'Stim.ACC': '1'}, 'a.txt: row 6')]
    """
    header: dict[str, str] = {}
    frames: list[tuple[int, dict[str, str], int]] = []
    inside, level, opened = "", 1, 0
    current: dict[str, str] = {}
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        line = line.strip()
        if mark := re.fullmatch(r"\*\*\* (Header|LogFrame) (Start|End) \*\*\*", line):
            if mark[2] == "Start":
                inside, current, opened = mark[1], {}, number
            elif mark[1] == "Header":
                inside, header = "", current
            else:
                inside = ""
                frames.append((level, current, opened + 1))
        elif line:
            key, colon, value = line.partition(":")
            if not colon:
                raise InputError(
                    f'{name}: row {number} is "{line[:40]}"; E-Prime writes "Key: Value". Is the file damaged?'
                )
            if inside:
                current.setdefault(key.strip(), value.strip())
            elif key.strip() == "Level" and value.strip().isdigit():
                level = int(value)
    if inside == "Header" or not frames:
        raise InputError(f"{name}: no complete log frame; was the session stopped, or the file cut off?")
    deepest = max(one for one, _, _ in frames)
    header = {key: value for key, value in header.items() if key != "LevelName"}
    found: Rows = []
    for at, (one, cells, row) in enumerate(frames):
        if one != deepest:
            continue
        outer: dict[str, str] = {}
        wanted = one - 1
        for level, more, _ in frames[at + 1 :]:  # an outer frame is written after its inner ones
            if level == wanted:
                outer = more | outer
                wanted -= 1
        found.append(({"LogFrame.Level": str(one)} | header | outer | cells, f"{name}: row {row}"))
    return found


def is_trialdata(text: str) -> bool:
    """Whether text is psiTurk's ``trialdata.csv``: no header; participant, number, time, and an entry as JSON."""
    return re.match(r'"?[^",\n]+"?,\d+,\d{10,}(\.\d+)?,"?\{', text) is not None


def trialdata_rows(text: str, *, name: str) -> Rows:
    """Return the entries of psiTurk's ``trialdata.csv``.

    Raises
    ------
    InputError
        When a row has not four cells, or its entry is no JSON.
    """
    found: Rows = []
    for number, cells in enumerate(csv.reader(io.StringIO(text.lstrip("\ufeff"), newline="")), 1):
        if not cells:
            continue
        where = f"{name}: row {number}"
        if len(cells) != 4:
            raise InputError(f"{where} has {len(cells)} cells; psiTurk writes 4. Is the file cut off?")
        try:
            entry = json.loads(cells[3], object_pairs_hook=json_text.keys_once(where))
        except json.JSONDecodeError as error:
            raise InputError(f"{where}: the entry is not JSON (column {error.colno}: {error.msg})") from error
        if isinstance(entry, dict):
            found.append(({"@who": cells[0]} | entry, where))
    return found


def survey_rows(table: TextTable) -> tuple[list[tuple[int, dict[str, Any]]], list[str]]:
    """Return a text table's rows with their numbers; of a survey, without the rows that repeat its questions.

    Loops of a survey (columns ``1_answer``, ``2_answer`` …) become a row each.
    """
    rows = [(number, _unguarded(cells)) for number, cells in zip(table.numbers, table.rows, strict=True)]
    if not rows or not any(str(cell).startswith('{"ImportId"') for _, cells in rows[:2] for cell in cells.values()):
        return rows, []
    heads = sum(any(str(cell).startswith('{"ImportId"') for cell in cells.values()) for _, cells in rows[:2])
    first = next(
        at for at, (_, cells) in enumerate(rows[:2]) if str(next(iter(cells.values()))).startswith('{"ImportId"')
    )
    notes = [f"{first + 1} rows below the header repeat the questions and were left out"]
    rows = rows[max(first + 1, heads) :]
    loops: dict[str, dict[str, str]] = {}
    for column in table.header:
        if part := _LOOP.fullmatch(column):
            loops.setdefault(part[1], {})[part[2]] = column
    if len(loops) < 2:
        return rows, notes
    looped = {column for names in loops.values() for column in names.values()}
    out = []
    for number, cells in rows:
        own = {column: cell for column, cell in cells.items() if column not in looped}
        for loop, names in sorted(loops.items(), key=lambda item: int(item[0])):
            one = {name: cells.get(column, "") for name, column in names.items()}
            if any(str(cell).strip() for cell in one.values()):
                out.append((number, own | one | {"loop": loop}))
    return out, [*notes, f"{len(loops)} loops of the survey became rows"]


def _unguarded(cells: dict[str, str]) -> dict[str, Any]:
    """Cells without the quotation mark that some programs set before = + - @ against spreadsheets."""
    for column, cell in cells.items():
        if cell[:1] == "'" and _GUARDED.fullmatch(cell):
            cells[column] = cell[1:]
    return cells
