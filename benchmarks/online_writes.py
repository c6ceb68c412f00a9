"""How many trials the store takes: ``python -m benchmarks.online_writes group|single URL N CLIENTS``.

``group`` writes through the store's one writer; ``single`` commits each write by itself, as most servers do.
"""

import asyncio
import json
import sys
import threading
import time

import numpy as np
import sqlalchemy as sa

from rapidvision.experiments.online.database import schema
from rapidvision.experiments.online.storage.trial_rows import TrialRow, store_trials
from rapidvision.experiments.web.store import Store

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
        "observer_kind": "human",
        "rehearsal": "",
        "plan_digest": "0" * 64,
        "service": "link",
        "consent_sha256": "0" * 64,
        "began": 0.0,
        "began_s": 0.0,
        "active_s": 0.0,
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


def main(how, url, n, clients):
    store = Store(url, schema.metadata, form=schema.FORM, version=schema.VERSION)
    rows = [session_row(number) for number in range(clients)]
    store.submit(lambda connection: connection.execute(sa.insert(schema.session), rows) and None).result()
    print(json.dumps(asyncio.run(through_the_writer(store, n, clients, how == "single"))))
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
