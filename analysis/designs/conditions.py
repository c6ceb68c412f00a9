"""The column that holds the conditions of a table, its values as text, and which of them are compared."""

from typing import Any

import pandas as pd

from rapidvision.errors import InputError, did_you_mean

#: Columns that may hold conditions where none is named, beside those of the protocol's factors.
_USUAL = ("group", "map_source")
_FACTOR = "factor_"


def as_words(frame: pd.DataFrame, column: str, name: str) -> "pd.Series[str]":
    """The values of a column as text, empty where a row has none.

    Raises
    ------
    InputError
        When there is no such column.
    """
    if column not in frame:
        known = [one for one in frame.columns if 1 < frame[one].nunique() <= 50]
        raise InputError(f'by: {name} has no column "{column}". {did_you_mean(column, [str(one) for one in known])}')
    values = frame[column]
    if values.dtype == object and pd.api.types.infer_dtype(values) != "string":
        return values.map(_word).astype(str)  # of several types: 1 and True are equal, but not as text
    codes, distinct = pd.factorize(values, use_na_sentinel=False)
    words = pd.Series([_word(one) for one in distinct.tolist()], dtype=str)
    return pd.Series(words.array.take(codes), index=values.index, name=values.name)


def _word(one: Any) -> str:
    return "" if one is None or one != one else f"{one:g}" if isinstance(one, float) else str(one)


def factors_of(frame: pd.DataFrame) -> list[str]:
    """Columns that may hold conditions, in the order in which they are looked at."""
    known = [str(name) for name in frame.columns]
    return [name for name in (*_USUAL, *(one for one in known if one.startswith(_FACTOR))) if name in known]


def condition_column(frame: pd.DataFrame) -> str:
    """The first column whose values differ: `group`, `map_source`, or a factor of the protocol."""
    return next((name for name in factors_of(frame) if len(frame[name].unique()) > 1), "group")


def varies_within(frame: pd.DataFrame, column: str) -> bool:
    """Whether some participants have several values of a column."""
    pairs = frame[["participant_id", column]].drop_duplicates()
    return bool(pairs["participant_id"].duplicated().any())


def conditions_of(words: "pd.Series[str]", column: str, conditions: tuple[str, ...] | None) -> tuple[str, ...]:
    """Which values are compared, in the order of the test.

    Parameters
    ----------
    words : Series of str
        Values of the column, from :func:`as_words`.
    column : str
        Its name, for messages.
    conditions : tuple of str, optional
        The user's; all, in alphabetical order, when absent.

    Raises
    ------
    InputError
        When one is unknown or named twice, or there is only one.
    """
    known = sorted(set(words.unique()) - {""})
    if conditions is None:
        if len(known) < 2:
            raise InputError(
                f"{_plural(column)}: the table has one {column} ({', '.join(known)}); a comparison needs two. Against chance "
                "one group can be tested: rapidvision analyse chance"
            )
        return tuple(known)
    for one in conditions:
        if one not in known:
            raise InputError(f'{_plural(column)}: no {column} "{one}". {did_you_mean(one, known)}')
    if len(set(conditions)) < len(conditions):
        twice = next(one for one in conditions if conditions.count(one) > 1)
        raise InputError(f'{_plural(column)}: "{twice}" is named twice; name two different {_plural(column)}')
    if len(conditions) < 2:
        raise InputError(f"{_plural(column)}: got {conditions[0]} alone; a comparison needs two, or design one-sample")
    return conditions


def _plural(column: str) -> str:
    return "groups" if column == "group" else f"{column} values"
