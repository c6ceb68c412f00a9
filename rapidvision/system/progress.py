"""One way to show the progress of long work: a bar on a terminal, a line now and then elsewhere, nothing when quiet."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

#: Long work calls this with the number of units just done.
Advance = Callable[[int], None]

_LINE_EVERY_S = 10.0


def silent(_n: int) -> None:
    """Advance without a trace; the default of functions that take an :data:`Advance`."""


@contextmanager
def progress(what: str, total: int, *, quiet: bool = False, stream: TextIO | None = None) -> Iterator[Advance]:
    """Show the progress of `total` units of work.

    Parameters
    ----------
    what : str
        What is being done, as a short noun phrase.
    total : int
        Number of units.
    quiet : bool, default False
        Show nothing.
    stream : text file, optional
        Where to write; standard error by default, so that output can be piped.

    Yields
    ------
    callable
        ``advance(n)``, to be called when `n` more units are done.

    Examples
    --------
    >>> with progress("images", 3, quiet=True) as advance:
    ...     for _ in range(3):
    ...         advance(1)
    """
    out = sys.stderr if stream is None else stream
    if quiet or total <= 0:
        yield silent
        return
    if out.isatty():
        from tqdm import tqdm

        with tqdm(total=total, desc=what, file=out, dynamic_ncols=True) as bar:
            yield lambda n: bar.update(n) and None
        return
    done, said = 0, time.perf_counter()

    def advance(n: int) -> None:
        nonlocal done, said
        done += n
        now = time.perf_counter()
        if now - said >= _LINE_EVERY_S:
            said = now
            print(f"{what}: {done} of {total}", file=out, flush=True)

    yield advance


@contextmanager
def steps(what: str, *, quiet: bool = False, stream: TextIO | None = None) -> Iterator[Callable[[int, float], None]]:
    """Show the steps of a search whose number is not known before: each has a number and the value that is minimised.

    Parameters
    ----------
    what : str
        What is being searched for, as a short noun phrase.
    quiet : bool, default False
        Show nothing.
    stream : text file, optional
        Where to write; standard error by default.

    Yields
    ------
    callable
        ``step(number, value)``.

    Examples
    --------
    >>> with steps("mixed model", quiet=True) as step:
    ...     step(1, 512.5)
    """
    out = sys.stderr if stream is None else stream
    terminal, said, shown = out.isatty(), time.perf_counter(), False

    def step(number: int, value: float) -> None:
        nonlocal said, shown
        now = time.perf_counter()
        if quiet or now - said < (_LINE_EVERY_S / 20 if terminal else _LINE_EVERY_S):
            return
        said, shown = now, True
        text = f"{what}: step {number}, deviance {value:.3f}"
        print(f"\r{text}" if terminal else text, end="" if terminal else "\n", file=out, flush=True)

    try:
        yield step
    finally:
        if shown and terminal:
            print(file=out, flush=True)
