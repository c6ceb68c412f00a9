"""Words of a column: whether its cells can be a field's values, and which component of a session holds the answers."""

import re
from collections.abc import Mapping

from rapidvision.errors import InputError
from rapidvision.trials import COLUMNS

from .folding import folded, rows, text_of
from .layouts import Layout
from .rows import Source
from .vocabulary import PERSONAL, plain

#: Words for yes and no, as programs and spreadsheets of several languages write them.
YES = ("true", "1", "yes", "target", "animal", "wahr", "vrai", "verdadero", "vero")
NO = ("false", "0", "no", "distractor", "non-animal", "nonanimal", "falsch", "faux", "falso")
RIGHT = ("true", "1", "yes", "correct", "right", "wahr", "vrai", "verdadero", "vero")
WRONG = ("false", "0", "no", "incorrect", "wrong", "falsch", "faux", "falso")
#: A column of more values, or of longer ones, is no condition.
_MOST_KEPT, _LONGEST = 30, 60
_NAMES = frozenset(column.name for column in COLUMNS)
_NUMBER = re.compile(r"[-+]?[\d.,]+([eE][-+]?\d+)?")


def values_of(name: str, source: Source, layout: Layout) -> set[str]:
    """The distinct words of a column, folded; words for missing values are left out."""
    missing = set(map(folded, map(text_of, layout.missing)))
    raw = [row.cells.get(name) for row in source.rows]
    distinct = set(filter(lambda cell: isinstance(cell, str), raw))
    others = [cell for cell in raw if not isinstance(cell, str)]
    return {folded(text_of(cell)) for cell in (*distinct, *others)} - missing - {""}


def values_fit(field: str, name: str, source: Source, layout: Layout) -> bool:
    """Whether a column of a field's name holds what the field holds.

    A share or -1 among accuracies still fits, so that the import names its row.
    """
    values = values_of(name, source, layout)
    if not values:
        return False
    if field == "correct":
        return bool(values & {*RIGHT, *WRONG} - {"right"}) or all(map(_NUMBER.fullmatch, values))
    if field == "target":
        return not plain(name).startswith("is") or values <= {*YES, *NO}
    if field == "phase":
        marked = {folded(text_of(word)) for word in layout.practice}
        return bool(values & marked) or (is_practice(name) and values <= {*YES, *NO} and bool(values & {*YES}))
    if field == "response_ms":
        return all(map(_NUMBER.fullmatch, list(values)[:50])) or not plain(name).startswith("re")
    if field in ("trial", "block"):
        return all(re.fullmatch(r"\d+", value) for value in values)
    return True


def kept_columns(source: Source, used: set[str], layout: Layout) -> list[str]:
    """Other columns that become columns of the table: of two or more values, but few, and none that tell who somebody is."""
    if layout.keep == "none":
        return []
    out = []
    for name in source.columns:
        if name in used or name.startswith("@") or plain(name) in PERSONAL or name in _NAMES or not name.strip():
            continue
        values: set[str] = set()
        for row in source.rows:
            values.add(text_of(row.cells.get(name)))
            if len(values) > _MOST_KEPT + 1:
                break
        if 2 <= len(values - {""}) <= _MOST_KEPT and max(map(len, values)) <= _LONGEST:
            out.append(name)
    return out


def is_practice(name: str) -> bool:
    """Whether a column says by yes and no which rows are practice."""
    return plain(name) in ("practice", "ispractice")


def component_of(source: Source, layout: Layout, found: Mapping[str, str]) -> dict[str, str]:
    """Columns of the one component of a session that holds the answers, as ``key_resp`` does in ``key_resp.keys``.

    Raises
    ------
    InputError
        When several components were answered about equally often.
    """
    endings = {
        field: name.removeprefix("*") for field, names in layout.columns.items() for name in names if name[:1] == "*"
    }
    if not endings:
        return {}
    stems: dict[str, set[str]] = {}
    for column in source.columns:
        for field, ending in endings.items():
            if column.casefold().endswith(ending.casefold()) and len(column) > len(ending):
                stems.setdefault(column[: -len(ending)], set()).add(field)
    stems = {stem: fields for stem, fields in stems.items() if fields & {"response", "correct"}}
    for field, name in found.items():
        if field in endings and name[: -len(endings[field])] in stems:
            stems = {name[: -len(endings[field])]: stems[name[: -len(endings[field])]]}
            break
    if not stems:
        return {}
    answered = {}
    for stem, fields in stems.items():
        known = [
            column
            for column in source.columns
            for field in fields
            if column.casefold() == (stem + endings[field]).casefold()
        ]
        answered[stem] = sum(any(text_of(row.cells.get(column)) for column in known) for row in source.rows)
    ranked = sorted(stems, key=lambda stem: (-answered[stem], -len(stems[stem]), stem))
    best = ranked[0]
    close = [
        stem for stem in ranked[1:] if answered[stem] > answered[best] / 2 and len(stems[stem]) >= len(stems[best])
    ]
    if close:
        listed = ", ".join(f"{stem}{endings['response']} ({rows(answered[stem])})" for stem in (best, *close))
        raise InputError(
            f"import: {len(close) + 1} components have answers: {listed}; name the one of the trials: "
            f"response={best}{endings['response']}"
        )
    by_name = {column.casefold(): column for column in source.columns}
    return {
        field: by_name[(best + ending).casefold()]
        for field, ending in endings.items()
        if (best + ending).casefold() in by_name
    }
