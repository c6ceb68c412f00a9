"""Files that are either whole or not there, known by their content."""

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import msgspec

from rapidvision.errors import InputError
from rapidvision.plugins.source import PluginSource


@contextmanager
def atomic(path: Path | str, *, durable: bool = True) -> Iterator[IO[bytes]]:
    """Open `path` for writing so that it appears complete or not at all.

    The bytes go to a temporary file in the same folder, are flushed to the disk, and take their name in one step.
    Missing folders are made. On any error the temporary file is removed and an older `path` stays as it was.

    Parameters
    ----------
    path : path-like
        The file to write.
    durable : bool, default True
        Whether the bytes are on the disk when this returns. Without it the file is still whole or absent after a
        kill, but not after a power failure: for many files that are checked by their hash anyway.

    Yields
    ------
    binary file
        Open for writing.

    Raises
    ------
    InputError
        When the folder cannot be written or the disk is full. Other errors of the ``with`` block are passed on.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic(Path(folder) / "a.txt") as file:
    ...         _ = file.write(b"whole")
    ...     (Path(folder) / "a.txt").read_bytes()
    b'whole'
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if not _is_about(error, path, temporary):
            raise
        remedy = _REMEDIES.get(error.errno or 0, "choose another folder or free some space")
        raise InputError(f"{path}: cannot be written ({error.strerror}); {remedy}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


_REMEDIES = {
    errno.EDQUOT: "your quota is used up: free some space or choose another folder",
    errno.EACCES: "close it where another program has it open, or choose a folder that you may write to",
    errno.EPERM: "close it where another program has it open, or choose a folder that you may write to",
    errno.EROFS: "the drive is read-only; choose another folder",
}


def _is_about(error: OSError, path: Path, temporary: Path) -> bool:
    """Whether an error comes from writing this file, and not from what the ``with`` block does besides.

    Errors of an open file name none; those without a number are other libraries', which count their own as OSError.
    """
    if error.errno is None:
        return False
    return error.filename is None or Path(os.fsdecode(error.filename)) in (path, temporary, *path.parents)


def write_bytes(path: Path | str, data: bytes, *, durable: bool = True) -> None:
    """Write `data` to `path` as :func:`atomic` does."""
    with atomic(path, durable=durable) as file:
        file.write(data)


def write_text(path: Path | str, text: str) -> None:
    """Write `text` as UTF-8 with line feeds at line ends, as :func:`atomic` does.

    Raises
    ------
    InputError
        As :func:`atomic`, and when the text holds a file's name that is not UTF-8.
    """
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise not_a_name(path, error) from error
    write_bytes(path, data)


def write_json(path: Path | str, value: Any) -> None:
    """Write a value (struct, dict, list, number …) as indented JSON that ends with a line break; errors as :func:`write_text`."""
    try:
        data = msgspec.json.encode(value)
    except UnicodeEncodeError as error:
        raise not_a_name(path, error) from error
    write_bytes(path, msgspec.json.format(data, indent=2) + b"\n")


def not_a_name(path: Path | str, error: UnicodeEncodeError) -> InputError:
    """Python stands in for bytes of a file's name that are not UTF-8 by letters that no text can hold."""
    around = error.object[max(0, error.start - 20) : error.end + 20]
    return InputError(f"{path}: cannot hold {around!r}, a file's name that is not UTF-8; rename that file or folder")


def read_bytes(path: Path | str) -> bytes:
    """Read a whole file.

    Raises
    ------
    InputError
        When it is missing, a folder, or unreadable.
    """
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def read_text(path: Path | str) -> str:
    r"""Read a whole text file: UTF-8, a byte order mark removed, as some editors for Windows put it there.

    Raises
    ------
    InputError
        When it is missing, a folder, unreadable or not UTF-8.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_bytes(Path(folder) / "a.txt", b"\xef\xbb\xbfJos\xc3\xa9")
    ...     read_text(Path(folder) / "a.txt")
    'José'
    """
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from error


def sha256(data: bytes | memoryview) -> str:
    """Return the SHA-256 of `data` as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path | str) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits.

    Raises
    ------
    InputError
        When the file is missing or cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def canonical_digest(value: Any) -> str:
    """Return the SHA-256 of a value's JSON with sorted keys: the same for equal values, whatever made them."""
    return sha256(msgspec.json.encode(value, order="sorted"))


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """What made an output: enough to make it again, and nothing that changes when it is made again.

    Attributes
    ----------
    command : str
        The verb and its arguments.
    version : str
        Version of RapidVision.
    seed : int or None
        The seed, if any random decision was taken.
    inputs : dict
        Name of each input → SHA-256 of its content.
    packages : dict
        Name → version of the packages that the numbers depend on.
    plugins : tuple of PluginSource
        Those that took part; absent where none did.
    """

    command: str
    version: str
    seed: int | None = None
    inputs: dict[str, str] = {}
    packages: dict[str, str] = {}
    plugins: tuple[PluginSource, ...] | msgspec.UnsetType = msgspec.UNSET


def provenance(
    command: str,
    *,
    seed: int | None = None,
    inputs: dict[str, str] | None = None,
    packages: tuple[str, ...] = ("numpy",),
    plugins: tuple[PluginSource, ...] = (),
) -> Provenance:
    """Make the :class:`Provenance` of an output.

    Parameters
    ----------
    command : str
        The verb and its arguments.
    seed : int, optional
        The seed that was used.
    inputs : dict, optional
        Name → SHA-256.
    packages : tuple of str
        Distributions whose versions are recorded; those that are not installed are left out.
    plugins : tuple of PluginSource
        Those that took part.

    Returns
    -------
    Provenance
        Ready to be written beside the output.
    """
    from importlib import metadata

    from rapidvision import __version__

    versions = {}
    for name in packages:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    made = Provenance(command=command, version=__version__, seed=seed, inputs=inputs or {}, packages=versions)
    return msgspec.structs.replace(made, plugins=plugins) if plugins else made
