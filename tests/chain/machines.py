"""Several processes as a cluster or a busy server has them: a Dask cluster, nginx in front, many participants at once."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120


def wait_until(true, what, *, seconds=PATIENCE_S):
    """Ask again and again until something holds."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.05)
    return found


def stop(process):
    """End a process of ours."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Cluster:
    """A Dask scheduler and workers, each a process of its own."""

    def __init__(self, folder, n_workers):
        self.folder, self.workers = folder, []
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "scheduler.json"
        self.log = (folder / "log.txt").open("w", encoding="utf-8")
        self.scheduler = self._start("scheduler", "--port", "0", "--scheduler-file", self.file, "--no-dashboard")
        try:
            self.address = wait_until(self._address, "the scheduler")
            for number in range(n_workers):
                options = ("--nworkers", "1", "--nthreads", "1", "--no-dashboard", "--no-nanny")
                scratch = ("--local-directory", folder / f"worker-{number}")
                self.workers.append(self._start("worker", self.address, *options, *scratch))
            wait_until(lambda: self._registered() == n_workers, "the workers")
        except BaseException:
            self.stop()
            raise

    def _start(self, kind, *arguments):
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--host", "127.0.0.1"]
        if kind == "worker":
            command = [sys.executable, "-m", "distributed.cli.dask_worker", arguments[0], "--host", "127.0.0.1"]
            arguments = arguments[1:]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            [*command, *map(str, arguments)], cwd=self.folder, env=environment, stdout=self.log, stderr=self.log
        )

    def _address(self):
        with suppress(OSError, json.JSONDecodeError, KeyError):
            return json.loads(self.file.read_text(encoding="utf-8"))["address"]
        return None

    def _registered(self):
        self.log.flush()
        return (self.folder / "log.txt").read_text(encoding="utf-8").count("Register worker")

    def stop(self):
        """End every process."""
        for process in (*self.workers, self.scheduler):
            stop(process)
        self.log.close()


@contextmanager
def dask_cluster(folder, n_workers=2):
    """Run a cluster until the block ends."""
    cluster = Cluster(folder, n_workers)
    try:
        yield cluster
    finally:
        cluster.stop()


NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  upstream study {{ server 127.0.0.1:{port}; keepalive 64; }}
  server {{
    listen unix:{folder}/front.sock;
    keepalive_requests 100000;
    location {path} {{
      proxy_pass http://study;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For 203.0.113.9;
    }}
  }}
}}
"""


def nginx_program():
    """Where nginx is, or None."""
    return shutil.which("nginx") or shutil.which("/usr/sbin/nginx")


@contextmanager
def nginx(folder, port, path):
    """Run nginx in front of a port and yield its socket."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, path=path), encoding="utf-8")
    front = subprocess.Popen([nginx_program(), "-c", folder / "nginx.conf"], stderr=subprocess.DEVNULL)
    try:
        wait_until((folder / "front.sock").exists, "nginx")
        yield folder / "front.sock"
    finally:
        stop(front)


class Person:
    """A participant who sends HTTP over a connection of their own, and sends again what got no answer."""

    def __init__(self, socket, path, consent, number):
        self.socket, self.path, self.consent, self.number = socket, path.rstrip("/"), consent, number
        self.reader = self.writer = None
        self.waits = []

    async def ask(self, method, where, body, token=""):
        """Send a request until a worker answers it; connections break when a worker dies."""
        content = json.dumps(body).encode()
        head = f"{method} {self.path}{where} HTTP/1.1\r\nhost: lab.example\r\ncontent-type: application/json\r\n"
        head += f"authorization: Bearer {token}\r\n" if token else ""
        message = f"{head}content-length: {len(content)}\r\n\r\n".encode() + content
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                if self.writer is None:
                    self.reader, self.writer = await asyncio.open_unix_connection(self.socket)
                start = time.perf_counter()
                self.writer.write(message)
                answer = await self.reader.readuntil(b"\r\n\r\n")
                length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                content = await self.reader.readexactly(length)
                status = int(answer.split(b" ", 2)[1])
                if status < 500:
                    self.waits.append(time.perf_counter() - start)
                    return status, json.loads(content)
            except (OSError, asyncio.IncompleteReadError, IndexError):
                self.close()
            assert time.monotonic() < end, "no answer came"
            await asyncio.sleep(0.1)

    async def begin(self):
        """Arrive and get a plan."""
        body = {"ids": {}, "consent_sha256": self.consent, "resume_key": f"{self.number:024d}"}
        status, self.seat = await self.ask("POST", "/api/sessions", body)
        assert status in (200, 201), self.seat

    async def take_part(self):
        """Answer every trial and finish."""
        runs = [step for step in self.seat["plan"]["steps"] if step["step"] == "run"]
        for run in runs:
            phases, onset_ms = [], -run["phases"][0]["ms"]
            for phase in run["phases"]:
                shown = {"onset_ms": onset_ms, "shown_ms": phase["ms"], "late_refreshes": 0}
                phases.append({"name": phase["name"], **shown})
                onset_ms += phase["ms"]
            body = {
                "files": [phase["file"] for phase in run["phases"] if phase["file"]],
                "input": next(iter(self.seat["plan"]["inputs"])),
                "response_ms": 301.5,
                "phases": phases,
                "refresh_hz": 60.0,
                "quality": {"presenter": "compositor", "seen": "observed"},
            }
            status, answer = await self.ask("PUT", f"/api/trials/{run['trial']}", body, self.seat["token"])
            assert status == 200, answer
        await self.ask("POST", "/api/finish", {}, self.seat["token"])
        return len(runs)

    def close(self):
        """Drop the connection."""
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


async def crowd(socket, path, consent, n, *, begun=lambda: None):
    """Let `n` people take part at once; return how many trials they sent, in how long, and what they waited for each.

    `begun` is called when every participant has a plan and none has answered yet.
    """
    people = [Person(socket, path, consent, number) for number in range(n)]
    for person in people:
        await person.begin()
        person.waits.clear()
    begun()
    start = time.perf_counter()
    sent = await asyncio.gather(*(person.take_part() for person in people))
    seconds = time.perf_counter() - start
    for person in people:
        person.close()
    return sum(sent), seconds, [wait for person in people for wait in person.waits]
