"""Guess rate: the share of answers that guessing gets right, where the table shows it or the user states it.

It is one over the number of options. The description beside a table of the suite names them; without it the rows show
them, where every trial names its right response and no answer occurs that is right in no trial. In a table of
another program answers and truths are two, but a participant who pressed more than two keys had more. Elsewhere the
rate is unknown: no chance line is drawn, no threshold is fitted and nothing is tested against chance until the user
states it.
"""

from collections.abc import Sequence

import pandas as pd

from rapidvision.errors import InputError
from rapidvision.trials import NO_RESPONSE

from ..importers.outcomes import TWO


def shown_guess(frame: pd.DataFrame, options: Sequence[str] | None = None) -> float | None:
    """Return the guess rate that rows of the trials table show.

    Parameters
    ----------
    frame : DataFrame
        Rows of observers of one kind.
    options : sequence of str, optional
        Options of the task, where a description names them; empty where answers are free words.

    Returns
    -------
    float or None
        One over the number of options; None where they are unknown.
    """
    if options is not None:
        return 1 / len(options) if len(options) > 1 else None
    answered = frame[frame["response"] != NO_RESPONSE]
    if answered["response"].isna().any() or frame["correct_response"].isna().any():
        return None
    right, given = set(frame["correct_response"].unique()), set(answered["response"].unique())
    shown = right | set(TWO) if right | given <= set(TWO) else right
    used = answered.drop_duplicates(["participant_id", "input"]).groupby("participant_id")["input"].nunique().max()
    if len(shown) < 2 or not given <= shown or used > len(shown):
        return None
    return 1 / len(shown)


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
    n = round(1 / shown)
    return (f"WARNING: guess rate {stated:g}, as stated, although every answer is one of {n} (rate {shown:g})",)


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
            "more kinds than it has right responses. State the share that guessing gets right (--guess 0.5 for two answers, --guess 0.25 for "
            "four), or import answers and truths"
        )
    return guess
