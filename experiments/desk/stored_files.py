"""Files of a project on their way to and from the page: what may be shown, what may be kept, and where."""

import shutil
from pathlib import Path, PurePosixPath

from rapidvision.system import files
from rapidvision.system.platforms import name_fault

from ..web.app import MEDIA_TYPES, Problem

#: Largest file that can be dropped on the page.
MAX_UPLOAD_BYTES = 512 * 1024 * 1024
UPLOAD_SECONDS = 600.0
SHOWN = {
    **MEDIA_TYPES,
    ".html": "text/html",
    ".csv": "text/csv",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".md": "text/plain",
    ".pdf": "application/pdf",
    ".toml": "text/plain",
    ".txt": "text/plain",
    ".tsv": "text/plain",
    ".zip": "application/zip",
}
#: For pages that a command wrote: they show their own files, and can neither ask this server for more nor send a form.
POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


def inside(folder: Path, path: str) -> Path:
    """Return a path below a folder, or refuse one that leads out of it."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or any(part in ("..", ".") or "\\" in part or "\0" in part for part in parts):
        raise Problem(404, "no_such_file", "there is no such file")
    target = folder.joinpath(*parts)
    if not target.resolve().is_relative_to(folder.resolve()):
        raise Problem(404, "no_such_file", "there is no such file")
    return target


def keep(target: Path, data: bytes, *, name: str) -> None:
    """Write a file that was dropped on the page.

    Raises
    ------
    Problem
        409 where there is one, 400 for a name that not every computer can hold, 507 where the disk is nearly full.
    """
    for part in PurePosixPath(name).parts:
        if fault := name_fault(part):
            raise Problem(400, "name", f"{name}: {fault}")
    if target.exists():
        raise Problem(409, "exists", f"{name}: was uploaded already; rename one of the two")
    target.parent.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(target.parent).free < 2 * len(data):
        raise Problem(507, "full", "the disk has too little space left")
    files.write_bytes(target, data, durable=False)
