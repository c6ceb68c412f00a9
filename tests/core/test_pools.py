"""Worker processes: they do what they are given, and end with the process that started them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rapidvision.system.pools import pool_of

PARENT = """
import os, sys, time
from rapidvision.system.pools import pool_of
if __name__ == "__main__":
    with pool_of(2) as pool:
        working = [pool.submit(time.sleep, 600) for _ in range(4)]
        while not any(future.running() for future in working) or len(pool._processes) < 2:
            time.sleep(0.02)
        print(*pool._processes, flush=True)
        working[0].result()
"""


def alive(pid):
    """Whether a process is there and not an ended one that its parent has not collected yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_a_parent_that_is_ended_by_a_signal(tmp_path, how):
    script = tmp_path / "parent.py"
    script.write_text(PARENT, encoding="utf-8")
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, encoding="utf-8")
    workers = [int(word) for word in parent.stdout.readline().split()]
    assert len(workers) == 2
    time.sleep(1.0)  # they have begun to sleep
    assert all(alive(pid) for pid in workers)
    parent.send_signal(how)
    parent.wait(timeout=10)
    parent.stdout.close()
    end = time.monotonic() + 10
    while any(alive(pid) for pid in workers) and time.monotonic() < end:
        time.sleep(0.05)
    left = [pid for pid in workers if alive(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left == []


def test_each_process_begins_with_what_it_is_told(tmp_path):
    with pool_of(1, os.chdir, tmp_path) as pool:
        assert pool.submit(os.getcwd).result() == str(tmp_path)


def test_an_error_of_the_start_reaches_the_caller():
    with pool_of(2, int, "no number") as pool:
        for future in [pool.submit(pow, 2, 3) for _ in range(3)]:
            with pytest.raises(ValueError, match="no number"):
                future.result()
        with pytest.raises(ValueError, match="no number"):
            list(pool.map(pow, [1, 2], [3, 4]))
