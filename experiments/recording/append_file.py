"""Lines that are on the disk before the next line of code, in a file that one program holds."""

import os
from pathlib import Path
from typing import NoReturn

from rapidvision.errors import Aborted, InputError
from rapidvision.system import platforms
from rapidvision.system.platforms import LockHeld, NoLocks


class AppendOnly:
    """An open file to which whole lines are appended durably.

    Parameters
    ----------
    path : path-like
        Made where it is missing.
    wait : bool
        Wait for another program that holds it; otherwise refuse.
    alone : bool
        Go without a lock where the drive has none: only one computer writes this file.

    Raises
    ------
    InputError
        When it cannot be opened for writing, another program holds it and `wait` is False, or the drive has no locks.
    """

    def __init__(self, path: Path | str, *, wait: bool, alone: bool = False) -> None:
        self.path = Path(path)
        new = not self.path.exists()
        try:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | platforms.open_flags(), 0o644)
        except OSError as error:
            raise InputError(
                f"{path}: cannot be written ({error.strerror}); check the folder and its rights"
            ) from error
        try:
            platforms.lock(self._descriptor, wait=wait)
        except LockHeld:
            os.close(self._descriptor)
            raise InputError(f"{path}: open in another session; close that one first") from None
        except NoLocks as error:
            if not alone:
                os.close(self._descriptor)
                raise InputError(
                    f"{path}: this drive cannot lock files ({error}), so two sessions could write at once; "
                    "put the study on a local disk, or plan it with `rapidvision session plan --n-stations`, so that "
                    "each computer writes files of its own"
                ) from error
        if new:
            platforms.sync_folder(self.path.parent)  # the file's name must survive too

    def read(self) -> bytes:
        """Return the whole content."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        parts = []
        while part := os.read(self._descriptor, 1 << 20):
            parts.append(part)
        return b"".join(parts)

    def cut(self, size: int) -> None:
        """Cut the file to `size` bytes."""
        os.ftruncate(self._descriptor, size)

    def append(self, line: bytes) -> None:
        """Append a line and return when it is on the disk, all of it.

        Raises
        ------
        Aborted
            When the disk is full or gone. A part that was written is taken back: a full disk writes short without an
            error.
        """
        before = os.fstat(self._descriptor).st_size
        try:
            written = os.write(self._descriptor, line)
            if written == len(line):
                platforms.sync(self._descriptor)
                return
            reason = f"only {written} of {len(line)} bytes could be written"
        except OSError as error:
            reason = error.strerror or str(error)
        self._give_up(before, reason)

    def _give_up(self, size: int, reason: str) -> NoReturn:
        try:
            os.ftruncate(self._descriptor, size)
        except OSError as error:
            reason += f", nor taken back: {error.strerror}"
        raise Aborted(
            f"{self.path}: {reason}; everything before is stored. Free space on the disk, then resume with `rapidvision session resume`"
        )

    def close(self) -> None:
        """Close the file and let others have it."""
        os.close(self._descriptor)
