"""What one server process stands: ``python -m benchmarks.online_load N_PEOPLE N_WRITES PER_SECOND SECONDS``.

A server process of its own; here are the clients, on 64 connections that are kept. First `N_PEOPLE` arrive, each
connection waiting for its answer before the next one. Then `N_WRITES` trials of some of them are written in the same
way. Then trials come at random times, `PER_SECOND` on average, whether or not the earlier ones were answered: a wait is
counted from the time at which a trial should have left. Each answer means that the trial is on the disk.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections import deque
from pathlib import Path

import msgspec
import numpy as np

N_CONNECTIONS = 64
N_TRIALS = 80


class Phase(msgspec.Struct):
    name: str
    ms: int
    file: str | None


class Run(msgspec.Struct):
    step: str
    trial: int = -1
    phases: list[Phase] = []


class Plan(msgspec.Struct):
    inputs: dict[str, str]
    steps: list[Run]


class Seat(msgspec.Struct):
    token: str
    plan: Plan


class Connection(asyncio.Protocol):
    """Sends requests one after the other; `ask` returns the answer's body when it is here."""

    def connection_made(self, transport):
        self.transport, self.buffer, self.waiting = transport, b"", deque()

    def data_received(self, data):
        self.buffer += data
        while True:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self.buffer[:end]
            place = head.index(b"content-length: ") + 16
            last = head.find(b"\r", place)
            whole = end + 4 + int(head[place : last if last > 0 else end])
            if len(self.buffer) < whole:
                return
            body, self.buffer = self.buffer[end + 4 : whole], self.buffer[whole:]
            answer = self.waiting.popleft()
            if not answer.done():
                answer.set_result((int(head[9:12]), body))

    def connection_lost(self, _error):
        for answer in self.waiting:
            if not answer.done():
                answer.set_exception(ConnectionError("the server closed the connection"))

    def ask(self, request):
        answer = asyncio.get_running_loop().create_future()
        self.waiting.append(answer)
        self.transport.write(request)
        return answer


def request(method, path, body, token=""):
    content = msgspec.json.encode(body)
    head = f"{method} {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
    head += f"authorization: Bearer {token}\r\n" if token else ""
    return f"{head}content-length: {len(content)}\r\n\r\n".encode() + content


def write(seat, run):
    """A trial as the runner sends it, with two presses: about 900 bytes."""
    press = {"code": "KeyS", "input": "s", "at_ms": 401.2, "handled_ms": 402.1, "trusted": True, "repeat": False}
    quality = {
        "presenter": "compositor",
        "seen": "observed",
        "zero_ms": 123456.789,
        "calibration_ms": 3.1,
        "clock_ms": 0.005,
        "input_lag_ms": 0.9,
        "presses": [press, {**press, "down": False, "at_ms": 480.7, "handled_ms": 481.5}],
    }
    phases, onset_ms = [], -run.phases[0].ms
    for phase in run.phases:
        phases.append({"name": phase.name, "onset_ms": onset_ms, "shown_ms": phase.ms, "late_refreshes": 0})
        onset_ms += phase.ms
    body = {
        "files": [phase.file for phase in run.phases if phase.file],
        "input": next(iter(seat.plan.inputs)),
        "response_ms": 401.2,
        "phases": phases,
        "refresh_hz": 60.0,
        "utc": "2026-01-01T00:00:00.000Z",
        "quality": quality,
    }
    return request("PUT", f"/api/trials/{run.trial}", body, seat.token)


def study(folder):
    from rapidvision.experiments.design.planning import make_study
    from rapidvision.experiments.online.study.settings import Limits, OnlineSettings
    from rapidvision.formats.protocol_file import preset
    from rapidvision.task.session import Display, Practice
    from tests.experiments.online.conftest import make_set, write_settings

    paper = preset("paper")
    protocol = msgspec.structs.replace(
        paper,
        name="load",
        design=msgspec.structs.replace(paper.design, blocks=N_TRIALS // 16, block_size=16),
        practice=Practice(n_trials=0),
        display=Display(image_px=8),
    )
    made = make_set(folder / "set", n_images=N_TRIALS, n_practice=0, image_px=8)
    make_study(made, protocol, folder / "study", n_slots=60)
    limits = Limits(arrival_burst=1e9, request_burst=1e9, requests_per_second=1e9)
    write_settings(folder / "study", OnlineSettings(limits=limits))
    return folder / "study"


async def closed_loop(connections, requests, status):
    """Send requests, each connection waiting for its answer before the next; return answers, waits and the rate."""
    queue, answers, waits = deque(enumerate(requests)), [None] * len(requests), []

    async def client(connection):
        while queue:
            number, wanted = queue.popleft()
            start = time.perf_counter()
            found, answers[number] = await connection.ask(wanted)
            assert found == status, answers[number]
            waits.append(time.perf_counter() - start)

    start = time.perf_counter()
    await asyncio.gather(*map(client, connections))
    return answers, waits, len(requests) / (time.perf_counter() - start)


async def open_loop(connections, requests, per_second, seed=1):
    """Send requests at random times whatever becomes of the earlier ones; return the waits."""
    due = np.cumsum(np.random.default_rng(seed).exponential(1 / per_second, len(requests)))
    waits, pending = [], []
    start = time.perf_counter()

    def note(answer, since):
        assert answer.result()[0] == 200, answer.result()
        waits.append(time.perf_counter() - since)

    for number, (wanted, at) in enumerate(zip(requests, start + due, strict=True)):
        if (left := at - time.perf_counter()) > 0:
            await asyncio.sleep(left)
        answer = connections[number % len(connections)].ask(wanted)
        answer.add_done_callback(lambda answer, at=at: note(answer, at))
        pending.append(answer)
    await asyncio.gather(*pending)
    return waits


def processor_seconds(pid):
    """Seconds of processor that a process has used: what a busy machine cannot hide."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def milliseconds(waits, percentile):
    return float(np.percentile(waits, percentile)) * 1000


async def measure(n_people, n_writes, per_second, seconds):
    from rapidvision.experiments.online.study.plans import open_study
    from tests.experiments.online.conftest import Served

    folder = study(Path(tempfile.mkdtemp(prefix="rapidvision-load-")))
    consent = open_study(folder, verify=False).settings.consent_sha256
    served = Served(folder)
    try:
        loop = asyncio.get_running_loop()
        connections = [
            (await loop.create_connection(Connection, "127.0.0.1", served.port))[1] for _ in range(N_CONNECTIONS)
        ]
        arrivals = [
            request("POST", "/api/sessions", {"ids": {}, "consent_sha256": consent, "resume_key": f"{number:024d}"})
            for number in range(n_people)
        ]
        answers, arrival_waits, arrivals_per_second = await closed_loop(connections, arrivals, 201)
        decoder = msgspec.json.Decoder(Seat)
        seats = [decoder.decode(answer) for answer in answers]
        del answers
        runs = [[step for step in seat.plan.steps if step.step == "run"] for seat in seats]
        n_writers = -(-n_writes // N_TRIALS)
        writes = [write(seats[i], runs[i][trial]) for trial in range(N_TRIALS) for i in range(n_writers)]
        used = processor_seconds(served.process.pid)
        _, waits, writes_per_second = await closed_loop(connections, writes, 200)
        used = processor_seconds(served.process.pid) - used
        n_more = int(per_second * seconds)
        others = range(n_writers, n_people)
        more = [write(seats[i], runs[i][trial]) for trial in range(N_TRIALS) for i in others][:n_more]
        assert len(more) == n_more, f"{len(more)} trials are left, {n_more} are needed"
        open_waits = await open_loop(connections, more, per_second) if more else [0.0]
        for connection in connections:
            connection.transport.close()
    finally:
        served.stop()
    return {
        "arrivals_per_second": arrivals_per_second,
        "arrival_p99_ms": milliseconds(arrival_waits, 99),
        "writes_per_second": writes_per_second,
        "write_cpu_us": 1e6 * used / len(writes),
        "write_p50_ms": milliseconds(waits, 50),
        "write_p99_ms": milliseconds(waits, 99),
        "open_p50_ms": milliseconds(open_waits, 50),
        "open_p99_ms": milliseconds(open_waits, 99),
    }


if __name__ == "__main__":
    import uvloop

    n_people, n_writes, per_second, seconds = map(float, sys.argv[1:])
    print(json.dumps(uvloop.run(measure(int(n_people), int(n_writes), per_second, seconds))))
