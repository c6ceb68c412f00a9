"""Go / no-go events as BIDS writes them, gathered into one table: a press means target; no press stays no answer."""

import csv
import gzip
import io
from collections.abc import Sequence
from pathlib import Path

from rapidvision.errors import InputError
from rapidvision.system import files

from ..table.trials import Trials
from .common import finished, make_row

_COLUMNS = ("subject", "session", "run", "stim_file", "condition", "response_time_ms", "response_event")


def read_bids_events(path: Path | str, *, conditions: Sequence[str] | None = None, study: str = "bids") -> Trials:
    """Read go / no-go events gathered from a BIDS data set (``*_events.tsv`` with subject, session and run added).

    Parameters
    ----------
    path : path-like
        CSV or TSV, gzipped or not, with ``subject, session, run, stim_file, condition, response_time_ms,
        response_event``; conditions end in ``_target`` or ``_distractor``.
    conditions : sequence of str, optional
        Only conditions that begin with one of these words.
    study : str
        Name of the study.

    Returns
    -------
    Trials
        The part of `condition` before the last underscore becomes level and map source. Pictures repeat in these
        experiments, so each presentation gets an id of its own. A press without a time above 0 is left out, with a note.

    Raises
    ------
    InputError
        When a column is missing or a condition says neither target nor distractor.
    """
    data = files.read_bytes(path)
    text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8-sig")
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in text.split("\n", 1)[0] else ",")
    missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise InputError(f"{path}: not a table of BIDS events; it lacks {', '.join(missing)}")
    rows, timeless = [], 0
    names: dict[str, int] = {}
    tasks: dict[str, int] = {}
    for line, row in enumerate(reader, 2):
        task, _, kind = row["condition"].rpartition("_")
        if kind not in ("target", "distractor"):
            raise InputError(
                f'{path}: row {line}: condition "{row["condition"]}" ends in neither _target nor _distractor'
            )
        if conditions is not None and task not in conditions:
            continue
        target = kind == "target"
        event, time = row["response_event"], row["response_time_ms"]
        # whatever the event is called, a press was made where there is one
        pressed = event not in ("n/a", "")
        if pressed and (time in ("n/a", "") or float(time) <= 0):
            timeless += 1
            continue
        session = f"{row['subject']}-{row['session']}"
        names[session] = names.get(session, -1) + 1
        rows.append(
            make_row(
                study=study,
                participant=row["subject"],
                session=session,
                trial=names[session],
                image_id=f"{row['stim_file']}#{row['session']}-{row['run']}-{names[session]}",
                category=task,
                target=target,
                said_target=True if pressed else None,
                response_ms=float(time) if pressed else None,
                group=study,
                level=task,
                level_index=tasks.setdefault(task, len(tasks)),
                limit_ms=float("inf"),
                anticipation_ms=0.0,
            )
        )
    return finished(rows, name=study, notes=[f"left out {timeless} presses without a time above 0"] if timeless else [])
