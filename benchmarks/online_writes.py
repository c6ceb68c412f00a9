"""How many trials one process stores: ``python -m benchmarks.online_writes http|group|single URL N CLIENTS``.

``group`` writes through the store's one writer; ``single`` commits each write by itself, as most servers do; ``http``
is the whole server behind real sockets, asked by `CLIENTS` connections that each wait for their answer.
"""

import asyncio
import json
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from rapidvision.experiments.online import schema
from rapidvision.experiments.online.store import Store
from rapidvision.experiments.online.trialrows import TrialRow, store_trials

N_SESSIONS = 64
MEASUREMENT = json.dumps({"stimulus_sha256": "0" * 64, "response_ms": 401.2, "quality": {"presses": []}}).ljust(520)


def session_row(number):
    return {
        "session_id": f"s{number}",
        "study_id": "bench",
        "participant_id": f"p{number}",
        "group_name": "clickme",
        "slot": number,
        "state": "open",
        "tab": 1,
        "observer": "human",
        "service": "link",
        "consent_sha256": "0" * 64,
        "began": 0.0,
        "resume_hash": "",
        "withdrawal_hash": str(number),
        "last_step": "",
        "browser": "",
        "device": "{}",
    }


def trial_row(client, number):
    return TrialRow(f"s{client}", 1, number, f"{client}-{number}", 0.0, "main", 3, "ok", True, 401.2, True, MEASUREMENT)


def report(waits, seconds):
    return {"per_second": len(waits) / seconds, "p99_ms": float(np.percentile(waits, 99)) * 1000}


async def through_the_writer(store, n, clients, single):
    """Each client waits for its answer before it writes again."""
    waits, guard = [], threading.Lock()

    def commit_alone(row):
        with guard, store._writer_engine.begin() as connection:
            store_trials.run(connection, [row])

    async def client(number):
        for trial in range(n // clients):
            start = time.perf_counter()
            if single:
                await asyncio.to_thread(commit_alone, trial_row(number, trial))
            else:
                await store.add(store_trials, trial_row(number, trial))
            waits.append(time.perf_counter() - start)

    start = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(clients)))
    return report(waits, time.perf_counter() - start)


def bench_study(folder, n_images):
    from rapidvision.experiments.online.settings import Limits, OnlineSettings
    from rapidvision.experiments.planning import make_study
    from rapidvision.protocol import Practice, Protocol
    from tests.experiments.online.conftest import make_set, write_settings

    blocks = n_images // 16
    protocol = Protocol(name="bench", n_blocks=blocks, block_size=16, practice=Practice(n_trials=0), image_px=8)
    made = make_set(folder / "set", n_images=n_images, n_practice=0, image_px=8)
    make_study(made, protocol, folder / "study", n_slots=N_SESSIONS // 2)
    limits = Limits(arrival_burst=1e9, request_burst=1e9, requests_per_second=1e9)
    write_settings(folder / "study", OnlineSettings(limits=limits))
    return folder / "study"


async def ask(reader, writer, request):
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    body = await reader.readexactly(length)
    return int(head.split(b" ", 2)[1]), body


def request(method, path, body, token=""):
    content = json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
    head += f"authorization: Bearer {token}\r\n" if token else ""
    return f"{head}content-length: {len(content)}\r\n\r\n".encode() + content


async def over_http(n, clients):
    """A server process of its own, and clients here that keep one connection each."""
    from rapidvision.experiments.online.plans import open_study
    from tests.experiments.online.conftest import Served

    per_client = n // clients
    folder = bench_study(Path(tempfile.mkdtemp(prefix="rapidvision-http-")), -(-per_client // 16) * 16)
    consent = open_study(folder, verify=False).settings.consent_sha256
    served = Served(folder)
    try:
        people = []
        for number in range(clients):
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
            body = {"ids": {}, "consent_sha256": consent, "resume_key": f"{number:024d}"}
            status, answer = await ask(reader, writer, request("POST", "/api/sessions", body))
            assert status == 201, answer
            seat = json.loads(answer)
            runs = [step for step in seat["plan"]["steps"] if step["step"] == "run"][:per_client]
            wanted = [
                request(
                    "PUT",
                    f"/api/trials/{run['trial']}",
                    {
                        "stimulus_sha256": run["stimulus"],
                        "key_pressed": seat["plan"]["key_target"],
                        "response_ms": 401.2,
                        "stimulus_ms_shown": 400.0,
                        "refresh_hz": 60.0,
                        "quality": {"presenter": "compositor", "onset_ms": 1.5, "offset_ms": 401.5},
                    },
                    seat["token"],
                )
                for run in runs
            ]
            people.append((reader, writer, wanted))
        waits = []

        async def client(reader, writer, wanted):
            for each in wanted:
                start = time.perf_counter()
                status, answer = await ask(reader, writer, each)
                assert status == 200, answer
                waits.append(time.perf_counter() - start)

        start = time.perf_counter()
        await asyncio.gather(*(client(*person) for person in people))
        seconds = time.perf_counter() - start
        for _, writer, _ in people:
            writer.close()
        return report(waits, seconds)
    finally:
        served.stop()


def main(how, url, n, clients):
    if how == "http":
        import uvloop

        print(json.dumps(uvloop.run(over_http(n, clients))))
        return
    store = Store(url, schema.metadata, form=schema.FORM, version=schema.VERSION)
    rows = [session_row(number) for number in range(clients)]
    store.submit(lambda connection: connection.execute(sa.insert(schema.session), rows) and None).result()
    print(json.dumps(asyncio.run(through_the_writer(store, n, clients, how == "single"))))
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
