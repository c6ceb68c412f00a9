"""Every rule that differs between operating systems: locks, writes to the disk, file names, processes, the home folder.

Modules ask here and never look at ``sys.platform`` themselves, so that a test can replay a study under the rules of
another system by changing :func:`system`.
"""

import errno
import importlib
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

#: Most processes that Windows can wait for.
_MOST_ON_WINDOWS = 61
#: What systems say of a lock that another program has; EDEADLK is Windows' word after it has waited.
_HELD = (errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK)
#: A byte far behind any content: Windows' locks forbid reading what they cover.
_BYTE = 1 << 30
#: Names that Windows keeps for devices, with any ending: no file can have them there.
_DEVICES = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    | {f"{port}{n}" for port in ("COM", "LPT") for n in "123456789¹²³"}
)
_NOT_ON_WINDOWS = frozenset('<>:"/\\|?*')
_LONGEST_NAME_BYTES = 200


class LockHeld(Exception):
    """Another program holds the file."""


class NoLocks(Exception):
    """The drive cannot lock files; the text is the system's reason."""


def system() -> str:
    """Return whose rules hold: ``linux``, ``win32``, ``darwin`` or another of Python's names.

    Examples
    --------
    >>> system() == sys.platform
    True
    """
    return sys.platform


def lock(descriptor: int, *, wait: bool) -> None:
    """Lock an open file for this program until it is closed.

    Parameters
    ----------
    descriptor : int
        The open file.
    wait : bool
        Wait for another program that holds it.

    Raises
    ------
    LockHeld
        When another program holds it (on Windows, with `wait`, for ten seconds).
    NoLocks
        When the drive has no locks, such as some network drives (``ENOLCK``, ``EOPNOTSUPP``).
    """
    try:
        if system() == "win32":
            windows = _module("msvcrt")
            os.lseek(descriptor, _BYTE, os.SEEK_SET)
            windows.locking(descriptor, windows.LK_LOCK if wait else windows.LK_NBLCK, 1)
        else:
            posix = _module("fcntl")
            posix.flock(descriptor, posix.LOCK_EX | (0 if wait else posix.LOCK_NB))
    except OSError as error:
        if error.errno in _HELD:
            raise LockHeld from error
        raise NoLocks(error.strerror or str(error)) from error


def sync(descriptor: int) -> None:
    """Return when an open file's content is on the disk.

    Parameters
    ----------
    descriptor : int
        The open file.

    Raises
    ------
    OSError
        When the disk is full or gone.
    """
    if system() == "darwin":
        posix = _module("fcntl")
        try:
            posix.fcntl(descriptor, posix.F_FULLFSYNC)  # fsync leaves the content in the drive's own memory there
        except OSError as error:
            if error.errno not in (errno.ENOTSUP, errno.EINVAL, errno.ENOTTY):
                raise
            os.fsync(descriptor)  # drives without this request, such as network drives, have fsync alone
    elif system() == "win32":
        os.fsync(descriptor)
    else:
        getattr(os, "fdatasync", os.fsync)(descriptor)


def sync_folder(folder: Path) -> None:
    """Return when the names in a folder are on the disk; Windows cannot open folders and stores names with the files."""
    if system() == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_flags() -> int:
    """Return the flag that keeps Windows from changing line ends in what is read and written; 0 elsewhere."""
    return int(getattr(os, "O_BINARY", 0))


def most_processes(n_workers: int) -> int:
    """Return `n_workers`, or as many as the system can wait for: Windows waits for 61 at most.

    Examples
    --------
    >>> most_processes(8)
    8
    """
    return min(n_workers, _MOST_ON_WINDOWS) if system() == "win32" else n_workers


def name_fault(name: str) -> str:
    """Return why some operating system cannot have a file of this name, or nothing when all can.

    A study or a stimulus set is copied from computer to computer, so a name that one of them refuses is refused
    everywhere.

    Parameters
    ----------
    name : str
        A file's name, or what it begins with before a dot; without folders.

    Examples
    --------
    >>> name_fault("cat-01.png")
    ''
    >>> name_fault("aux.png")
    'Windows keeps the name AUX for a device'
    >>> name_fault("cat.")
    'Windows drops a dot or blank at the end'
    """
    if name in ("", ".", ".."):
        return "it names no file"
    stem = name.partition(".")[0].rstrip(" ").upper()
    if stem in _DEVICES:
        return f"Windows keeps the name {stem} for a device"
    if name[-1] in ". ":
        return "Windows drops a dot or blank at the end"
    wrong = next((letter for letter in name if letter in _NOT_ON_WINDOWS or ord(letter) < 32), None)
    if wrong is not None:
        return f"Windows allows no {wrong!r} in a name"
    n_bytes = len(name.encode())
    if n_bytes > _LONGEST_NAME_BYTES:
        return f"it has {n_bytes} bytes; some file systems keep {_LONGEST_NAME_BYTES} and an ending"
    return ""


def lacks_display() -> bool:
    """Whether no window can open because nothing names a display (Linux and its kin)."""
    return system() not in ("win32", "darwin") and not os.environ.get("DISPLAY")


def keys_by_position() -> bool:
    """Whether key names come by the place of a key, and what is printed on it must be asked for (X11)."""
    return system() not in ("win32", "darwin")


def ports_by_number() -> bool:
    """Whether a parallel port is a number (Windows) and no device file."""
    return system() == "win32"


def home_variable() -> str:
    """Return the environment variable that programs look up for the folder of a user's settings."""
    return "APPDATA" if system() == "win32" else "HOME"


def settings_home() -> Path | None:
    """Give this process another folder for settings where the user's cannot be written.

    Returns
    -------
    path or None
        A new temporary folder, to which ``HOME`` (on Windows ``APPDATA``) now points, for this process and those that it
        starts; None where the user's own folder can be written, and nothing changed.

    Notes
    -----
    PsychoPy makes a folder for its settings when it is imported and cannot run without one. Nothing of a study is kept
    there.
    """
    variable = home_variable()
    home = os.environ.get(variable)
    if home and _can_write(Path(home)):
        return None
    folder = Path(tempfile.mkdtemp(prefix="rapidvision-home-"))
    os.environ[variable] = str(folder)
    return folder


def _can_write(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _module(name: str) -> Any:
    """A module that one system has and the others lack."""
    return importlib.import_module(name)
