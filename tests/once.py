"""Work that a whole run of the tests needs once, however many processes the run has."""

import os
import shutil

from rapidvision.system.platforms import lock


def made_once(tmp_path_factory, name, make):
    """Return the folder `name` of this run, filled by ``make(folder)`` in the first process that needs it.

    The other processes wait for it. Tests only read the folder; one that changes files takes a copy.
    """
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, finished = base / name, base / f"{name}.finished"
    with (base / f"{name}.lock").open("a") as file:
        lock(file.fileno(), wait=True)
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            finished.touch()
    return folder
