"""Options: tables in which each answer is an option of its own, of two or of sixteen, and a column names the right one."""

from collections.abc import Sequence

from rapidvision.errors import InputError

from .reading import Reading
from .source.folding import folded, refuse, text_of

#: More different answers than these are free words.
_FEW = 2


def options_of(
    reading: Reading, words: Sequence[str | None], correct: Sequence[bool | None], notes: list[str]
) -> tuple[list[str | None], list[str | None]]:
    """Return each row's option and the right one; None where there is none.

    Without a column of right answers two answers tell the right one by their correctness, more do not.

    Raises
    ------
    InputError
        When a trial has no right answer, or an answer is right in no trial and no option that was named.
    """
    if "truth" not in reading.columns:
        return _by_correctness(reading, words, correct, notes)
    name = reading.columns["truth"].name
    spelling: dict[str, str] = {}
    for option in map(text_of, reading.layout.options):
        spelling.setdefault(folded(option), option)
    right: list[str | None] = []
    for text, where in reading.cells("truth", never_missing=reading.layout.options):
        if not text:
            raise InputError(f"{where}: {name} is empty; every trial needs its right answer")
        right.append(spelling.setdefault(folded(text), text))
    odd: dict[str, list[str]] = {}
    for word, row in zip(words, reading.rows, strict=True):
        if word is not None and folded(word) not in spelling:
            odd.setdefault(word, []).append(row.where)
    response = reading.columns.get("response")
    refuse(
        odd,
        what=response.name if response else "response",
        allowed=", ".join(sorted(spelling.values())),
        remedy=f"{name} names them as right in no trial. Name words that are no answer (missing), or all options (options)",
    )
    return [None if word is None else spelling[folded(word)] for word in words], right


def _by_correctness(
    reading: Reading, words: Sequence[str | None], correct: Sequence[bool | None], notes: list[str]
) -> tuple[list[str | None], list[str | None]]:
    used = sorted({word for word in words if word})
    name = reading.columns["response"].name
    if len(used) > _FEW:
        notes.append(
            f"{name}: {len(used)} different answers and no column of truth, so a wrong answer does not tell what was right; "
            "only correctness is kept (name the column: truth=COLUMN, or target=COLUMN)"
        )
        return list(words), [None] * len(words)
    if len(used) < _FEW:
        return list(words), [None] * len(words)
    notes.append("the right answer follows from answer and correctness, as there are two answers")
    other = dict(zip(used, reversed(used), strict=True))
    right = [
        None if word is None or known is None else word if known else other[word]
        for word, known in zip(words, correct, strict=True)
    ]
    return list(words), right
