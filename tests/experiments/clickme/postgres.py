"""A PostgreSQL server of our own, on a socket in a folder of its own; no port."""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path


class Unavailable(Exception):
    """PostgreSQL is not installed, or does not start; the text says which."""


def find(program):
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    path = shutil.which(program) or (str(found[-1]) if found else None)
    if path is None:
        raise Unavailable(f"{program} is not installed")
    return path


def run(*words):
    """Run as the user postgres where we are root, which PostgreSQL refuses."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    done = subprocess.run([*prefix, *words], capture_output=True, text=True, cwd="/tmp", check=False)
    if done.returncode:
        raise Unavailable(f"{Path(words[0]).name}: {done.stderr.strip() or done.stdout.strip()}")


@contextmanager
def postgres():
    """Yield the URL of an empty database on a server that is durable, as a real one is."""
    initdb, control = find("initdb"), find("pg_ctl")
    folder = Path(tempfile.mkdtemp(prefix="clickme-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        data = folder / "data"
        run(initdb, "-D", str(data), "-U", "game", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}'"
        run(control, "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://game@/postgres?host={folder}"
        finally:
            run(control, "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
