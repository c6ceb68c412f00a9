"""Lines of a TOML text: where a field stands, for messages."""

import re

Step = str | int

_HEADER = re.compile(r"\s*\[(?P<many>\[)?\s*(?P<name>[^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"""\s*(?P<name>[A-Za-z0-9_."'-]+(\s*\.\s*[A-Za-z0-9_"'-]+)*)\s*=""")
_STRING = re.compile(r'"(\\.|[^"\\])*"|\'[^\']*\'')


def steps_of(path: str) -> tuple[Step, ...]:
    """Split a path as msgspec writes it: ``phases[0].kind`` is ``("phases", 0, "kind")``.

    Examples
    --------
    >>> steps_of("phases[0].kind"), steps_of("design.fixed[...]")
    (('phases', 0, 'kind'), ('design', 'fixed'))
    """
    words = [word for word in re.split(r"[.\[\]]+", path.replace("[...]", "")) if word]
    return tuple(int(word) if word.isdigit() else word for word in words)


def line_of(text: str, path: str) -> int | None:
    r"""Return the line (from 1) of a field, or of the innermost table or field around it that has a line of its own.

    Examples
    --------
    >>> text = 'name = "a"\n[[phases]]\nkind = "blank"\n[[phases]]\nkind = "mask"'
    >>> line_of(text, "phases[1].kind"), line_of(text, "phases[1].mask"), line_of(text, "seed")
    (5, 4, None)
    """
    places, wanted = _places(text), steps_of(path)
    for n in range(len(wanted), 0, -1):
        if wanted[:n] in places:
            return places[wanted[:n]]
    return None


def _places(text: str) -> dict[tuple[Step, ...], int]:
    """Path of every table and key that begins a line -> its line."""
    places: dict[tuple[Step, ...], int] = {}
    counts: dict[tuple[Step, ...], int] = {}
    table: tuple[Step, ...] = ()
    depth = 0
    for number, line in enumerate(text.splitlines(), 1):
        bare = _STRING.sub('""', line).split("#")[0]
        if depth == 0 and (header := _HEADER.match(line)):
            table = _indexed(_names(header["name"]), counts, new=bool(header["many"]))
            places.setdefault(table, number)
            continue
        if depth == 0 and (key := _KEY.match(line)):
            places.setdefault((*table, *_names(key["name"])), number)
        depth = max(0, depth + sum(bare.count(c) for c in "[{") - sum(bare.count(c) for c in "]}"))
    return places


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _indexed(names: tuple[str, ...], counts: dict[tuple[Step, ...], int], *, new: bool) -> tuple[Step, ...]:
    """A header's path with the numbers of the tables that stand in lists."""
    path: tuple[Step, ...] = ()
    for place, name in enumerate(names):
        path = (*path, name)
        if new and place == len(names) - 1:
            counts[path] = counts.get(path, 0) + 1
        if path in counts:
            path = (*path, counts[path] - 1)
    return path
