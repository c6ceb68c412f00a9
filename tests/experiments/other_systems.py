"""Stand-ins for the rules of other systems, as far as they can be imitated on Linux; nothing here was compared with them.

Under :func:`as_windows` there are no ``fcntl``, ``fdatasync`` and descriptors of folders; locks are ``msvcrt``'s; a file
that is open can be neither replaced nor removed; names of devices and forbidden letters fail; text without an encoding is
cp1252; ``time.monotonic`` ticks in 15.6 ms.
"""

import errno
import io
import math
import os
import sys
import time
import types
from pathlib import Path

from rapidvision.system import platforms


class Msvcrt(types.ModuleType):
    """Windows' locks as far as they are used: one open file may hold a byte until it is closed."""

    LK_LOCK, LK_NBLCK = 1, 2

    def __init__(self):
        super().__init__("msvcrt")
        self.places, self.held = [], {}

    def locking(self, descriptor, mode, n_bytes):
        self.places.append(os.lseek(descriptor, 0, os.SEEK_CUR))
        mine = os.fstat(descriptor)
        for other, inode in list(self.held.items()):
            try:
                still = other != descriptor and os.fstat(other).st_ino == inode
            except OSError:
                still = False
            if not still:
                del self.held[other]
            elif inode == mine.st_ino:
                raise PermissionError(13, "Permission denied")
        self.held[descriptor] = mine.st_ino


def as_windows(monkeypatch, folder):
    """Let Windows' rules hold, for files below `folder`; return the stand-in of ``msvcrt``."""
    windows, fine = Msvcrt(), time.monotonic
    monkeypatch.setattr(platforms, "system", lambda: "win32")
    monkeypatch.setitem(sys.modules, "msvcrt", windows)
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.delattr(os, "fdatasync")
    monkeypatch.setattr(time, "monotonic", lambda: math.floor(fine() / 0.015625) * 0.015625)
    root = str(Path(folder))

    def name(path):
        path = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""
        if path.startswith(root):
            for part in path[len(root) :].strip("/").split("/"):
                if part not in ("", ".", "..") and platforms.name_fault(part):
                    raise OSError(errno.EINVAL, "The filename, directory name, or volume label syntax is incorrect")
        return path

    def not_open(path):
        path = os.path.realpath(name(path))
        for each in os.listdir("/proc/self/fd"):
            try:
                if os.readlink(f"/proc/self/fd/{each}") == path:
                    raise PermissionError(errno.EACCES, "Access is denied", path)
            except FileNotFoundError:
                continue

    real = {each: getattr(os, each) for each in ("open", "mkdir", "replace", "rename", "unlink", "remove")}
    real_open = io.open

    def os_open(path, flags, *more, **options):
        if os.path.isdir(name(path)):
            raise PermissionError(errno.EACCES, "Permission denied", os.fsdecode(path))
        return real["open"](path, flags, *more, **options)

    def text_open(file, mode="r", buffering=-1, encoding=None, *more, **options):
        name(file)
        if "b" not in mode and encoding in (None, "locale"):
            encoding = "cp1252"
        return real_open(file, mode, buffering, encoding, *more, **options)

    def mkdir(path, *more, **options):
        name(path)
        return real["mkdir"](path, *more, **options)

    def moved(which):
        def move(source, target, **options):
            not_open(source)
            not_open(target)
            return real[which](source, target, **options)

        return move

    def removed(path, **options):
        if not options.get("dir_fd"):
            not_open(path)
        return real["unlink"](path, **options)

    monkeypatch.setattr(os, "open", os_open)
    monkeypatch.setattr(io, "open", text_open)
    monkeypatch.setattr("builtins.open", text_open)
    monkeypatch.setattr(os, "mkdir", mkdir)
    for each in ("replace", "rename"):
        monkeypatch.setattr(os, each, moved(each))
    for each in ("unlink", "remove"):
        monkeypatch.setattr(os, each, removed)
    return windows


def as_macos(monkeypatch, folder):
    """Let macOS' rules hold: no ``fdatasync``, and a request of its own that empties the drive's memory."""
    import fcntl

    asked, real = [], fcntl.fcntl
    monkeypatch.setattr(platforms, "system", lambda: "darwin")
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.delattr(os, "fdatasync")

    def control(descriptor, what, *more):
        if what == 51:
            asked.append(descriptor)
            return os.fsync(descriptor)
        return real(descriptor, what, *more)

    monkeypatch.setattr(fcntl, "fcntl", control)
    return asked


def without_locks(monkeypatch, folder):
    """Let the drive have no locks, as some network drives."""
    import fcntl

    def flock(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)


def without_home(monkeypatch, folder):
    """Let the user's folder be one that nothing can be written to."""
    monkeypatch.setenv("HOME", "/proc")
    monkeypatch.setenv("APPDATA", "/proc")


def as_here(monkeypatch, folder):
    """Change nothing."""


SYSTEMS = {"here": as_here, "Windows": as_windows, "macOS": as_macos, "HOME read-only": without_home}


def console(monkeypatch):
    """Let the output be a console of Windows' western code page; return where it writes."""
    out = io.BytesIO()
    for each in ("stdout", "stderr"):
        monkeypatch.setattr(sys, each, io.TextIOWrapper(out, encoding="cp1252", write_through=True))
    return out
