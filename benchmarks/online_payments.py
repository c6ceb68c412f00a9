"""Whom to pay after a study of sixty participants whose ends are known: the table of decisions against the truth."""

import asyncio
import csv
import functools
import random
import shutil
import statistics
import tempfile
from argparse import Namespace
from pathlib import Path

from benchmarks.harness import at_least
from benchmarks.online_timing import suite

#: What somebody does, what the service says of it, and what is to be recommended.
LIVES = (
    ("finishes", "AWAITING REVIEW", "approve"),
    ("finishes", "TIMED-OUT", "bonus"),
    ("finishes", "RETURNED", "bonus"),
    ("finishes", "APPROVED", "settled"),
    ("finishes late", "AWAITING REVIEW", "approve"),
    ("finishes late", "TIMED-OUT", "bonus"),
    ("leaves", "RETURNED", "none"),
    ("leaves", "AWAITING REVIEW", "return"),
    ("fails", "ACTIVE", "partial"),
    ("withdraws after the end", "AWAITING REVIEW", "approve"),
    ("withdraws", "AWAITING REVIEW", "return"),
    ("never came", "AWAITING REVIEW", "ask"),
    ("is a script", "AWAITING REVIEW", "look"),
)
N = 60


async def _live(folder, lives):
    """Let everybody take part: those who lapse come first, people take their time, scripts do not."""
    from tests.experiments.online.client import Later, Person, world

    up = Later()
    async with world(folder, up=up) as here, here.client() as client:
        people = [Person(client, here.served, PROLIFIC_PID=f"p{i}", SESSION_ID=f"s{i}") for i in range(len(lives))]

        def those(*kinds):
            return [person for person, (kind, _, _) in zip(people, lives, strict=True) if kind in kinds]

        await asyncio.gather(*(person.begin() for person in those("finishes late", "leaves")))
        for person in those("leaves"):
            await person.send(0)
        up.wait(91 * 60)
        slow = those("finishes", "fails", "withdraws after the end", "withdraws")
        await asyncio.gather(*(person.begin() for person in slow))
        up.wait(600)
        for person in those("fails", "withdraws"):
            for trial in range(3):
                await person.send(trial)
        for person in those("fails"):
            await client.post("/api/events", json={"kind": "error", "detail": "lost"}, headers=person.headers)
        scripts = those("is a script")
        for person in [*those("finishes", "finishes late", "withdraws after the end"), *scripts]:
            if person in scripts:
                await person.begin()
            await person.send_all()
            assert (await person.finish()).status_code == 200
        for person in those("withdraws", "withdraws after the end"):
            await client.post("/api/withdraw", headers=person.headers)


@functools.cache
def decisions():
    """Return (recommended, true) decision of every participant."""
    from rapidvision.experiments.design.planning import make_study
    from rapidvision.experiments.online.payments.payment_files import write_payments
    from tests.experiments.online.conftest import QUICK, make_set

    rng = random.Random(21)
    lives = [LIVES[i % len(LIVES)] if i < len(LIVES) else rng.choice(LIVES) for i in range(N)]
    folder = Path(tempfile.mkdtemp(prefix="rapidvision-payments-"))
    try:
        make_study(make_set(folder / "set"), QUICK, folder / "study", n_slots=4)
        asyncio.run(_live(folder / "study", lives))
        taken = [2.0 if kind == "is a script" else rng.gauss(600, 60) for kind, _, _ in lives]
        rows = [f"s{i},p{i},{status},{taken[i]}" for i, (_, status, _) in enumerate(lives)]
        header = "Submission id,Participant id,Status,Time taken"
        (folder / "export.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")
        asked = {"set": None, "out": None, "database_url": "", "reward": "1.50"}
        write_payments(Namespace(study=folder / "study", submissions=folder / "export.csv", **asked))
        with (folder / "study" / "online" / "payments" / "payments.csv").open(encoding="utf-8") as file:
            found = {row["external_id"]: row["decision"] for row in csv.DictReader(file)}
    finally:
        shutil.rmtree(folder)
    complete = [
        seconds
        for seconds, (kind, status, _) in zip(taken, lives, strict=True)
        if kind in ("finishes", "finishes late", "is a script") and status in ("AWAITING REVIEW", "APPROVED")
    ]
    limit = statistics.mean(complete) - 3 * statistics.stdev(complete)
    truth = ["reject" if word == "look" and taken[i] < limit else word for i, (_, _, word) in enumerate(lives)]
    return [(found.get(f"p{i}", "missing"), word) for i, word in enumerate(truth)]


@suite.figure("payments of 60 participants over the API: right decisions", unit="people", bar=at_least(N))
def right_decisions():
    return sum(found == word for found, word in decisions())
