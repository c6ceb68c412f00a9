"""Ctrl-C that waits for the end of a step: weights that are half updated are never seen, and never saved."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let the work inside come to its end before a Ctrl-C is heard.

    Raises
    ------
    KeyboardInterrupt
        After the work, when Ctrl-C was pressed during it.

    Notes
    -----
    Python tells the main thread of interrupts and no other; in other threads nothing has to be done.

    Examples
    --------
    >>> done = []
    >>> try:
    ...     with uninterrupted():
    ...         signal.raise_signal(signal.SIGINT)
    ...         done.append("the step")
    ... except KeyboardInterrupt:
    ...     done.append("stopped")
    >>> done
    ['the step', 'stopped']
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed = False

    def note(_number: int, _frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt
