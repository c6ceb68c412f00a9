"""Answers and truths: words that mean yes or no, from two closed lists. A third word is refused, never taken for a no."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rapidvision.errors import InputError

from .source.folding import folded, refuse, rows, tally, text_of


class Cell(NamedTuple):
    """A value and where it stands."""

    text: str
    where: str


def decided(
    cells: Sequence[Cell],
    yes: Sequence[str],
    no: Sequence[str],
    *,
    what: str,
    remedy: str,
    meaning: tuple[str, str] = ("target", "distractor"),
) -> tuple[list[bool | None], list[str]]:
    """Decide each cell by two closed lists.

    Parameters
    ----------
    cells : sequence of Cell
        Empty text stays undecided.
    yes, no : sequence of str
        The two lists; case does not count unless they differ by it alone. ``*`` in one list stands for every word.
    what, remedy : str
        What the cells are, and what to do about a word in neither list.
    meaning : (str, str)
        What the two lists mean, for messages.

    Returns
    -------
    decided : list of bool or None
        None where the cell is empty.
    notes : list of str
        What was read as another spelling.

    Raises
    ------
    InputError
        When a word is in neither list, or in both; values, counts and rows are named.

    Examples
    --------
    >>> decided([Cell("S", "row 2"), Cell("l", "row 3")], ["s"], ["l"], what="response", remedy="")
    ([True, False], ['response: "S" is read as "s" (1 row)'])
    """
    exact_yes, exact_no = (dict.fromkeys(map(text_of, words)) for words in (yes, no))
    if both := [word for word in exact_yes if word in exact_no]:
        raise InputError(f'{what}: "{both[0]}" is named for target and for distractor; name it once')
    key = str if by_case(yes, no) else folded
    yes_words, no_words = ({key(word): word for word in words} for words in (exact_yes, exact_no))
    out: list[bool | None] = []
    odd: dict[str, list[str]] = {}
    other: dict[tuple[str, str], int] = {}
    for text, where in cells:
        word = key(text)
        if not text:
            out.append(None)
        elif word in yes_words or word in no_words:
            out.append(word in yes_words)
            kept = yes_words.get(word, no_words.get(word, text))
            if kept != text:
                other[text, kept] = other.get((text, kept), 0) + 1
        elif "*" in yes_words or "*" in no_words:
            out.append("*" in yes_words)
        else:
            out.append(None)
            odd.setdefault(text, []).append(where)
    allowed = f"{_listed(yes)} ({meaning[0]}), {_listed(no)} ({meaning[1]})"
    refuse(odd, what=what, allowed=allowed, remedy=remedy)
    notes = [f'{what}: "{text}" is read as "{kept}" ({rows(count)})' for (text, kept), count in other.items()]
    return out, notes


def by_case(yes: Sequence[str], no: Sequence[str]) -> bool:
    """Whether the two lists differ by case alone somewhere, so that case counts.

    Examples
    --------
    >>> by_case(["S"], ["s"]), by_case(["s"], ["l"])
    (True, False)
    """
    return bool({folded(text_of(word)) for word in yes} & {folded(text_of(word)) for word in no})


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words) or "none named"


def refuse_no_match(
    cells: Sequence[Cell], answers: Sequence[bool | None], targets: Sequence[str], *, what: str
) -> None:
    """Refuse answers of which none means target: the names are then probably not those of the file.

    Raises
    ------
    InputError
        Lists the distinct answers with their counts.
    """
    if any(answers) or not any(cell.text for cell in cells):
        return
    values: dict[str, list[str]] = {}
    for text, where in cells:
        if text:
            values.setdefault(text, []).append(where)
    raise InputError(
        f"{what}: no answer is one of the targets ({_listed(targets)}); got {tally(values)}. "
        "Name the answers that mean target (targets) and distractor (distractors)"
    )


def refuse_contradictions(contradictions: Mapping[str, Sequence[str]], *, what: str, remedy: str) -> None:
    """Refuse rows whose recorded correctness is not what answer and truth say.

    Raises
    ------
    InputError
        With the rows.
    """
    if contradictions:
        count = sum(map(len, contradictions.values()))
        raise InputError(f"{what} contradicts answer and truth in {rows(count)}: {tally(contradictions)}. {remedy}")
