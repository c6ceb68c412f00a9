"""Compiled functions whose machine code is kept on disk, for the next process.

Numba forgets such code when the function's own file or what its closure holds changes; what it calls in other files may
change unseen. So the closure here holds a digest of every file of this folder.
"""

import hashlib
from pathlib import Path
from typing import Any

from rapidvision.numerics.compiled import compiled

from . import counts, groups, spreads

_count_sums, _count_joint = counts.count_sums, counts.count_joint
_count_pooled = spreads.count_pooled
_count_groups = groups.count_groups


def sources_digest(folder: Path) -> str:
    """Digest of the Python files of a folder.

    Examples
    --------
    >>> sources_digest(Path(__file__).parent) == SOURCES
    True
    """
    content = [
        path.name.encode() + b"\0" + path.read_bytes() for path in sorted(folder.glob("*.py"), key=Path.as_posix)
    ]
    return hashlib.sha256(b"\0".join(content)).hexdigest()


SOURCES = sources_digest(Path(__file__).parent)


def _kept(sources: str) -> tuple[Any, Any, Any, Any]:
    @compiled
    def sums(*arguments: Any) -> Any:
        _ = sources
        return _count_sums(*arguments)

    @compiled
    def joint(*arguments: Any) -> Any:
        _ = sources
        return _count_joint(*arguments)

    @compiled
    def pooled(*arguments: Any) -> Any:
        _ = sources
        return _count_pooled(*arguments)

    @compiled
    def several(*arguments: Any) -> Any:
        _ = sources
        return _count_groups(*arguments)

    return sums, joint, pooled, several


count_sums, count_joint, count_pooled, count_groups = _kept(SOURCES)
