"""The one family of errors: each says what is wrong, what was got, what is allowed, and what to do next.

The command line turns the class into an exit code, so scripts can tell bad input (2) from a failed check (1)
and from a session that can be resumed (3).
"""

import difflib
from collections.abc import Iterable


class RapidVisionError(Exception):
    """Base class of every error that RapidVision raises on purpose. Its text is one line for the reader.

    Examples
    --------
    >>> import rapidvision as rv
    >>> try:
    ...     rv.preset("papre")
    ... except rv.RapidVisionError as error:
    ...     print(type(error).__name__)
    InputError
    """

    exit_code = 2


class InputError(RapidVisionError):
    """A file, value or argument that cannot be used. Nothing was written."""


class RecipeError(InputError):
    """A TOML or JSON file whose keys or values do not fit what it should describe."""


class MissingExtra(InputError):
    """An optional package that this task needs is not installed."""


class CheckFailed(RapidVisionError):
    """The work ran, and what it checks for is wrong (a hash, a timing, a count)."""

    exit_code = 1


class Aborted(RapidVisionError):
    """Stopped before the end; the same command resumes it."""

    exit_code = 3


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """Return a hint that names the closest allowed word, or all of them when none is close.

    Parameters
    ----------
    word : str
        What was written.
    allowed : iterable of str
        What may be written.

    Returns
    -------
    str
        A sentence to append to an error message.

    Examples
    --------
    >>> did_you_mean("n_leves", ["n_levels", "gamma"])
    'Did you mean "n_levels"?'
    >>> did_you_mean("x", ["left", "right"])
    'Allowed: left, right.'
    """
    allowed = list(allowed)
    close = difflib.get_close_matches(word, allowed, n=1)
    if close:
        return f'Did you mean "{close[0]}"?'
    return f"Allowed: {', '.join(allowed)}."
