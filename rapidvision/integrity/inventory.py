"""What a folder holds, by hash: so that a changed, a missing and an added file are found."""

from collections.abc import Collection, Mapping
from pathlib import Path

from rapidvision.errors import CheckFailed, InputError
from rapidvision.images.listing import is_hidden
from rapidvision.system import files

_MOST_NAMED = 10


def paths_of(folder: Path | str) -> list[str]:
    """Return the files of a folder and its subfolders, hidden ones left out, relative and with forward slashes, sorted."""
    folder = Path(folder)
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(one.as_posix() for one in found if not any(is_hidden(Path(part)) for part in one.parts))


def check(folder: Path | str, expected: Mapping[str, str], *, but: Collection[str]) -> None:
    """Hash every file of a folder and compare.

    Parameters
    ----------
    folder : path-like
        The folder.
    expected : mapping
        Path → SHA-256.
    but : collection of str
        Files that may be there and are not hashed.

    Raises
    ------
    CheckFailed
        Names every changed, missing and added file (the first ten of them).
    """
    wrong = []
    for path, sha256 in sorted(expected.items()):
        try:
            if files.sha256_file(Path(folder) / path) != sha256:
                wrong.append(f"{path} (changed)")
        except InputError:
            wrong.append(f"{path} (missing)")
    wrong += [f"{path} (added)" for path in paths_of(folder) if path not in expected and path not in but]
    if wrong:
        more = f" and {len(wrong) - _MOST_NAMED} more" if len(wrong) > _MOST_NAMED else ""
        raise CheckFailed(
            f"{folder}: {', '.join(wrong[:_MOST_NAMED])}{more}; remove what was added, and build the set again to "
            "repair the rest"
        )
