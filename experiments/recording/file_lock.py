"""The lock on an open file, of journals, ledgers and games: held by another program is told from not to be had at all."""

import errno
import os
import sys

#: What systems say of a lock that another program has; EDEADLK is Windows' word after it has waited.
_HELD = (errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK)
#: A byte far behind any content: Windows' locks forbid reading what they cover.
_BYTE = 1 << 30


class LockHeld(Exception):
    """Another program holds the file."""


class NoLocks(Exception):
    """The drive cannot lock files; the text is the system's reason."""


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
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, _BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        if error.errno in _HELD:
            raise LockHeld from error
        raise NoLocks(error.strerror or str(error)) from error
