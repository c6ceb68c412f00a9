"""What the journal's tests let other processes do, to be killed or to meet a full disk."""

import os
import resource
from pathlib import Path

from rapidvision.errors import Aborted
from rapidvision.experiments.engine.participants import Observers
from rapidvision.experiments.interfaces import TrialData
from rapidvision.experiments.recording.headers import Header
from rapidvision.experiments.recording.journal import JournalFile, trials_and_events

HEADER = Header(
    session_id="p1-clickme-0000",
    participant_id="p1",
    study_id="rapidvision",
    group="clickme",
    slot=0,
    observer="simulated",
    observer_kind="simulated",
    plan_digest="plan",
    protocol_digest="protocol",
    stimulus_set_digest="set",
    utc="2026-01-01T00:00:00+00:00",
)


def write_until_full(path, trials, write):
    """Append trials to a journal that may not grow beyond 64 KiB; tell through a pipe which were acknowledged, and why it ended."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
    try:
        with JournalFile(path, HEADER) as journal:
            for entry in trials:
                journal.append(entry)
                os.write(write, b"%d\n" % entry.trial)
    except Aborted as error:
        os.write(write, f"{error}\n".encode())
    os._exit(0)


def session_child(plan_path, header_path, folder, number, write):
    """Begin a session on a fake clock, or resume it; tell through a pipe which trials were acknowledged."""
    import msgspec

    from rapidvision.experiments.engine.participants import Participant
    from rapidvision.experiments.engine.session import Session
    from rapidvision.experiments.engine.virtual import VirtualScreen
    from rapidvision.plan import read_plan

    header = msgspec.json.decode(Path(header_path).read_bytes(), type=Header)
    plan = read_plan(plan_path)
    with JournalFile(Path(folder) / f"{number}.jsonl", header) as journal:

        class Telling:
            def append(self, entry):
                journal.append(entry)
                if isinstance(entry, TrialData):
                    os.write(write, b"%d " % entry.trial)

        screen = VirtualScreen(60)
        person = Participant(plan, Observers(), seed=1, clock=lambda: screen.now_s)
        screen.see = person.see
        Session(plan, screen, person, Telling(), past=trials_and_events(journal.past)).run()
    os.write(write, b"end ")
    os._exit(0)
