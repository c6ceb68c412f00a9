"""A real PostgreSQL server on a socket of its own, for tests and benchmarks."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path


def binary(name):
    """Where a program of the newest PostgreSQL is, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return str(found[0]) if found else shutil.which(name)


@contextmanager
def postgresql():
    """Start a server with an empty cluster and yield its URL; root runs it as the user postgres."""
    folder = Path(tempfile.mkdtemp(prefix="rvpg-"))
    user = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}
    if user:
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "data"
    command = [binary("initdb"), "-D", data, "-U", "tester", "-A", "trust", "--no-sync", "-E", "UTF8"]
    subprocess.run(command, check=True, capture_output=True, cwd=folder, **user)
    options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "max_connections=60"]
    server = subprocess.Popen(
        [binary("postgres"), "-D", data, *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        **user,
    )
    try:
        for _ in range(400):
            if (folder / ".s.PGSQL.5432").exists():
                break
            time.sleep(0.05)
        time.sleep(0.2)
        yield f"postgresql://tester@/postgres?host={folder}"
    finally:
        server.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
        server.wait(60)
        shutil.rmtree(folder, ignore_errors=True)
