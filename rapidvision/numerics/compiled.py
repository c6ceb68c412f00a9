"""Machine code by Numba, kept on disk for the next process wherever the disk lets us.

Numba refuses to define a cached function when it can write neither beside the source nor in the user's cache folder: a
package that root installed, used in a container by a user without a home. Such a function is kept in a private
temporary folder instead, or compiled anew by each process if there is none; its results are the same.

Numba is an optional package; this module imports it when a function is compiled.
"""

import os
import stat
import tempfile
import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, overload

from rapidvision.errors import MissingExtra
from rapidvision.system.extras import need

#: Which loops count; the numbers are the same. ``auto`` compiles where Numba is installed and the work is worth its start.
Engine = Literal["auto", "numpy", "numba"]

_changing_numbas_settings = threading.Lock()


@overload
def compiled(function: Callable[..., Any], /, **options: Any) -> Any: ...


@overload
def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]: ...


def compiled(function: Any = None, /, **options: Any) -> Any:
    """Compile a function to machine code when it is first called, and keep the code on disk.

    Parameters
    ----------
    function : callable
        What to compile, in the part of Python and numpy that Numba knows.
    **options
        Further options of ``numba.njit``, such as ``parallel=True``.

    Returns
    -------
    callable
        The compiled function; or, when only options are given, a decorator.

    Raises
    ------
    MissingExtra
        When Numba is absent or cannot be imported.

    Examples
    --------
    >>> @compiled  # doctest: +SKIP
    ... def twice(x):
    ...     return 2 * x
    >>> twice(21)  # doctest: +SKIP
    42
    """
    if function is None:
        return lambda later: compiled(later, **options)
    numba: Any = need("numba", extra="fast", purpose="compiled code")
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
    folder = _private_folder()
    if folder is None:
        return numba.njit(cache=False, **options)(function)
    with _changing_numbas_settings:  # Numba looks for the place once, when it defines a function
        before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(folder)
        try:
            return numba.njit(cache=True, **options)(function)
        finally:
            numba.config.CACHE_DIR = before


@lru_cache(maxsize=1)
def can_compile() -> bool:
    """Return whether Numba is installed and can be imported with the packages beside it.

    Examples
    --------
    >>> can_compile() in (True, False)
    True
    """
    try:
        need("numba", extra="fast")
    except MissingExtra:
        return False
    return True


def _private_folder() -> Path | None:
    """Return a folder for machine code that no other user can write to, or None where there is none.

    Numba unpickles what it finds there, so another user who could write there could run code as this one.
    """
    try:
        if not hasattr(os, "getuid"):  # Windows: the temporary folder belongs to the user
            folder = Path(tempfile.gettempdir()) / "rapidvision-numba"
            folder.mkdir(exist_ok=True)
            return folder
        folder = Path(tempfile.gettempdir()) / f"rapidvision-numba-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        state = folder.lstat()
    except OSError:
        return None
    private = stat.S_ISDIR(state.st_mode) and state.st_uid == os.getuid() and not state.st_mode & 0o077
    return folder if private and os.access(folder, os.W_OK | os.X_OK) else None
