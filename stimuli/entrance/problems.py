"""What is wrong with the inputs of a recipe, one line each, and in groups of one kind."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rapidvision.text import csv_text

#: Problems of one kind that are printed one by one; of more, these first ones.
MOST_OF_A_KIND = 5


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that a build would refuse.

    Attributes
    ----------
    where : {"recipe", "table", "source", "image", "set"}
        What it is about.
    image_id, map_source : str
        The image and the map source; empty where it is about none.
    text : str
        What is wrong, in which file, and what to do.
    """

    where: str
    image_id: str
    map_source: str
    text: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What :func:`.check.check_recipe` found.

    Attributes
    ----------
    n_images : int
        Images of the recipe's table.
    n_usable : int
        Images with which nothing is wrong.
    problems : tuple of Problem
        In the order recipe, table, sources, images, set.
    notes : tuple of str
        What is left out without being wrong.

    Examples
    --------
    >>> import rapidvision as rv
    >>> checked = rv.stimuli.check_recipe("bundled")
    >>> checked.n_usable, len(checked.to_frame())
    (96, 0)
    """

    n_images: int
    n_usable: int
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()

    def to_frame(self) -> Any:
        """Return the problems as a table (pandas.DataFrame) of the columns where, image_id, map_source, problem."""
        import pandas as pd

        return pd.DataFrame(table_rows(self.problems), columns=list(COLUMNS))


#: Columns of the table of problems.
COLUMNS = ("where", "image_id", "map_source", "problem")


def table_rows(problems: Iterable[Problem]) -> list[tuple[str, str, str, str]]:
    """Return the rows of the table of problems."""
    return [(one.where, one.image_id, one.map_source, one.text) for one in problems]


def write_problems(path: Path | str, problems: Sequence[Problem]) -> None:
    """Write the table of problems."""
    csv_text.write(path, COLUMNS, table_rows(problems))


def lines_of(problems: Sequence[Problem]) -> list[str]:
    """Return the problems as lines; of many of one kind the first, and their number.

    Examples
    --------
    >>> many = [Problem("image", f"cat-{n}", "", f"a/cat-{n}.png: no such file") for n in range(9)]
    >>> lines_of(many)[-1]
    '… and 4 more like that'
    """
    kinds: dict[tuple[str, str, str], list[Problem]] = {}
    for one in problems:
        kinds.setdefault((one.where, one.map_source, _kind(one)), []).append(one)
    out = []
    for some in kinds.values():
        out += [one.text for one in some[:MOST_OF_A_KIND]]
        if len(some) > MOST_OF_A_KIND:
            out.append(f"… and {len(some) - MOST_OF_A_KIND} more like that")
    return out


def _kind(one: Problem) -> str:
    """The text without what differs from file to file: names before the colons, and numbers."""
    said = one.text.replace(one.image_id, "") if one.image_id else one.text
    return re.sub(r"[0-9.]+", "0", said.rpartition(": ")[2])
