"""Guess rate: the share of answers that guessing gets right, where the table shows it or the user states it.

The suite's own plans have two answers, target and distractor, and every answered row names the key that was pressed.
A table of another program shows a guess rate of one half only where it names answers and truths, and no participant used more
than two different answers. Elsewhere the rate is unknown: no chance line is drawn, no threshold is fitted and nothing is
tested against chance until the user states it.
"""

import pandas as pd

from rapidvision.errors import InputError

#: Two answers.
_TWO = 0.5


def shown_guess(frame: pd.DataFrame) -> float | None:
    """Return the guess rate that rows of the trials table show.

    Parameters
    ----------
    frame : DataFrame
        Rows of observers of one kind.

    Returns
    -------
    float or None
        0.5 where each answer is known to be one of two, else None.
    """
    answered = frame[frame["response"] != "none"]
    if frame["target"].isna().any() or answered["response"].isna().any() or answered["key_pressed"].isna().any():
        return None
    most = answered.groupby("participant_id")["key_pressed"].nunique().max()
    return None if most > 2 else _TWO


def checked_guess(guess: float | None) -> float | None:
    """Return a guess rate that the user states.

    Raises
    ------
    InputError
        When it is not a share from 0 to below 1.

    Examples
    --------
    >>> checked_guess(1 / 16)
    0.0625
    >>> checked_guess(50)
    Traceback (most recent call last):
        ...
    rapidvision.errors.InputError: guess: got 50, allowed is a share from 0 to below 1 (0.25 for four answers)
    """
    if guess is not None and not 0 <= guess < 1:
        raise InputError(f"guess: got {guess:g}, allowed is a share from 0 to below 1 (0.25 for four answers)")
    return guess


def stated_notes(stated: float | None, shown: float | None) -> tuple[str, ...]:
    """Say that a guess rate was stated, and warn where the answers show another.

    Examples
    --------
    >>> stated_notes(0.25, None)
    ('guess rate 0.25, as stated',)
    >>> stated_notes(None, 0.5)
    ()
    """
    if stated is None or stated == shown:
        return ()
    if shown is None:
        return (f"guess rate {stated:g}, as stated",)
    return (f"WARNING: guess rate {stated:g}, as stated, although every answer is one of two (rate {shown:g})",)


def known_guess(guess: float | None, *, what: str) -> float:
    """Return a guess rate, or refuse what needs one where it is unknown.

    Raises
    ------
    InputError
        Says what is missing and how to state it.
    """
    if guess is None:
        raise InputError(
            f"{what}: the guess rate is unknown, because the table holds only whether answers were correct, or answers of "
            "more than two kinds. State the share that guessing gets right (--guess 0.5 for two answers, --guess 0.25 for "
            "four), or import answers and truths"
        )
    return guess
