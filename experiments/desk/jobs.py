"""Jobs: command lines that run one after another as child processes, with a log and a record that outlive the desk."""

import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from rapidvision.errors import InputError
from rapidvision.system import files

State = Literal["running", "done", "failed", "stopped"]
_TAIL_BYTES = 20_000


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What a button started.

    Attributes
    ----------
    number : int
        Jobs count from 1.
    project, action, label : str
        Whose it is, and what it does.
    steps : tuple of tuple of str
        The command lines, without the program's name.
    python : tuple of str
        The same in Python.
    state : {"running", "done", "failed", "stopped"}
        Where it stands.
    n_done : int
        Steps that ended well.
    exit_code : int or None
        Of the step that ended the job.
    process : int
        Id of the desk's process that runs it.
    long : bool
        Whether it runs until it is stopped.
    """

    number: int
    project: str
    action: str
    label: str
    steps: tuple[tuple[str, ...], ...]
    python: tuple[str, ...]
    state: State = "running"
    n_done: int = 0
    exit_code: int | None = None
    process: int = 0
    long: bool = False

    @property
    def commands(self) -> list[str]:
        """The command lines as they are typed."""
        return [shlex.join(["rapidvision", *step]) for step in self.steps]


class Jobs:
    """The jobs of a desk.

    Parameters
    ----------
    folder : Path
        Where records and logs are kept.
    base : Path
        The folder in which the commands run.
    """

    def __init__(self, folder: Path, base: Path) -> None:
        self._folder, self._base = folder, base
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._told: set[int] = set()
        self._threads: list[threading.Thread] = []
        for job in self.all():
            if job.state == "running":  # by a desk that is gone
                self._write(msgspec.structs.replace(job, state="stopped"))

    def all(self) -> list[Job]:
        """Every job, the newest first."""
        found = [msgspec.json.decode(files.read_bytes(path), type=Job) for path in self._folder.glob("*.json")]
        return sorted(found, key=lambda job: -job.number)

    def one(self, number: int) -> Job | None:
        """Return a job, or None."""
        path = self._folder / f"{number:05d}.json"
        return msgspec.json.decode(files.read_bytes(path), type=Job) if path.is_file() else None

    def log(self, number: int) -> str:
        """Return the end of a job's log."""
        path = self._folder / f"{number:05d}.log"
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            return file.read().decode("utf-8", errors="replace").replace("\r\n", "\n").replace("\r", "\n")

    def start(
        self,
        project: str,
        action: str,
        label: str,
        steps: Sequence[Sequence[str]],
        python: Sequence[str],
        *,
        long: bool,
    ) -> Job:
        """Start a job.

        Raises
        ------
        InputError
            When the project runs the same action already.
        """
        with self._lock:
            others = self.all()
            for other in others:
                if (other.project, other.action, other.state) == (project, action, "running"):
                    raise InputError(f"{label}: is running already, as job {other.number}; wait for it or stop it")
            job = Job(
                number=others[0].number + 1 if others else 1,
                project=project,
                action=action,
                label=label,
                steps=tuple(map(tuple, steps)),
                python=tuple(python),
                process=os.getpid(),
                long=long,
            )
            self._write(job)
            thread = threading.Thread(target=self._work, args=(job,), daemon=True, name=f"job-{job.number}")
            self._threads.append(thread)
        thread.start()
        return job

    def stop(self, number: int) -> None:
        """Ask a job to stop, as Ctrl-C does: what it has done is kept and can be resumed."""
        with self._lock:
            child = self._children.get(number)
            if child is not None and number not in self._told:
                self._told.add(number)
                child.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)

    def close(self) -> None:
        """Stop every job and wait for it."""
        for number, child in list(self._children.items()):
            self.stop(number)
            try:
                child.wait(timeout=20)
            except subprocess.TimeoutExpired:
                child.kill()
        for thread in self._threads:
            thread.join(timeout=5)

    def _work(self, job: Job) -> None:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
        with (self._folder / f"{job.number:05d}.log").open("wb") as log:
            for step in job.steps:
                log.write(f"$ {shlex.join(['rapidvision', *step])}\n".encode())
                log.flush()
                command = [sys.executable, "-m", "rapidvision", *step]
                with self._lock:
                    child = subprocess.Popen(
                        command,
                        cwd=self._base,
                        env=environment,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                    )
                    self._children[job.number] = child
                code = child.wait()
                with self._lock:
                    del self._children[job.number]
                    stopped = job.number in self._told
                if code or stopped:
                    state: State = "stopped" if stopped or code == 3 else "failed"
                    self._write(msgspec.structs.replace(job, state=state, exit_code=code))
                    return
                job = msgspec.structs.replace(job, n_done=job.n_done + 1)
                self._write(job)
        self._write(msgspec.structs.replace(job, state="done", exit_code=0))

    def _write(self, job: Job) -> None:
        files.write_bytes(self._folder / f"{job.number:05d}.json", msgspec.json.encode(job), durable=False)
