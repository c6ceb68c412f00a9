"""The trials table of online sessions: from the server's database, or from the files that a bundle's sessions left."""

import argparse
import os
from collections import Counter
from pathlib import Path

from rapidvision.errors import InputError, did_you_mean
from rapidvision.formats.trials_columns import write_description
from rapidvision.formats.trials_table import write_table
from rapidvision.study import Study
from rapidvision.trials import TrialRecord

from ...recording.answers import AnswerRecord, answers_path, write_answers
from ..database.schema import KINDS
from ..storage.open_database import DATABASE_VARIABLE, default_database, open_online_store
from ..study.plans import ServedStudy, open_study
from .export import answer_table, session_counts, trial_records
from .result_files import from_files


def write_trials_table(arguments: argparse.Namespace) -> str:
    """Write the table that the command asks for and return what to say about it."""
    folder = Path(arguments.study)
    served = open_study(folder, stimulus_set=arguments.set, verify=False)
    out = arguments.out or Study(served.folder).trials_path
    observers = tuple(arguments.observers)
    if arguments.results:
        found, given = from_files(served, arguments.results, observers=KINDS)
        sessions: dict[str, str] = {record.session_id: record.observer_kind for record in found}
        counts = dict(Counter(sessions.values()))
        records = [record for record in found if record.observer_kind in observers]
        answers = [answer for answer in given if answer.observer_kind in observers]
    else:
        records, answers, counts = _from_database(served, observers, arguments)
    write_table(out, records)
    write_description(out, served.protocol)
    write_answers(answers_path(Path(out)), answers)
    return "\n".join([f"{_summary(records)} in {out}", *_left_out(counts, observers), *_flagged(records)])


def observers_of(words: str) -> tuple[str, ...]:
    """Return the kinds of observers that a list with commas names.

    Raises
    ------
    InputError
        For a word that is no kind.

    Examples
    --------
    >>> observers_of("human,pilot")
    ('human', 'pilot')
    """
    named = tuple(word.strip() for word in words.split(","))
    for word in named:
        if word not in KINDS:
            raise InputError(f'observers: got "{word}". {did_you_mean(word, KINDS)}')
    return named


def _summary(records: list[TrialRecord]) -> str:
    return f"{len(records)} trials of {len({record.session_id for record in records})} sessions"


def _left_out(counts: dict[str, int], observers: tuple[str, ...]) -> list[str]:
    """What is not in the table, by kind of observer, and how to get it."""
    others = {kind: n for kind, n in counts.items() if kind not in observers}
    if not others:
        return []
    words = ", ".join(f"{n} {kind}" for kind, n in sorted(others.items()))
    return [f"left out   {words} (sessions); --observers {' '.join([*observers, *sorted(others)])} takes them in"]


def _flagged(records: list[TrialRecord]) -> list[str]:
    """How many trials carry each flag, and how many have bad timing."""
    flags = Counter(flag for record in records for flag in (record.flags or "").split())
    bad = sum(record.timing_ok is False for record in records)
    unwatched = sum(record.timing_ok is None for record in records)
    lines = [f"timing     {bad} trials not as planned, {unwatched} not watched, of {len(records)}"] if records else []
    if flags:
        lines.append("flags      " + ", ".join(f"{name} {n}" for name, n in sorted(flags.items())))
    return lines


def _from_database(
    served: ServedStudy, observers: tuple[str, ...], arguments: argparse.Namespace
) -> tuple[list[TrialRecord], list[AnswerRecord], dict[str, int]]:
    """The rows, the answers that belong to no trial, and how many sessions of each kind the database holds."""
    url = arguments.database_url or os.environ.get(DATABASE_VARIABLE, "") or default_database(served.folder)
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
        raise InputError(f"{url}: no database here; serve the study first, or give the files of a bundle")
    store = open_online_store(url, served, reading=True)
    try:
        chosen = {"finished_only": arguments.finished_only, "observers": observers}
        records = store.read(lambda connection: trial_records(connection, served, **chosen))
        answers = store.read(lambda connection: answer_table(connection, served, **chosen))
        counts = store.read(lambda connection: session_counts(connection, served))
        return records, answers, {kind: sum(states.values()) for kind, states in counts.items()}
    finally:
        store.close()
