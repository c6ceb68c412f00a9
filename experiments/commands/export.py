"""``rapidvision session export`` and ``report``: what is made from the journals."""

import argparse
from pathlib import Path

from rapidvision.cli import add_common_options, say

from .verbs import Verbs, verb


def add_arguments(verbs: Verbs) -> None:
    """Add the sub-verbs."""
    parser = verb(
        verbs,
        "export",
        "write the recorded trials as a table (CSV, Parquet), as BIDS or as Psych-DS",
        "  rapidvision session export study/\n"
        "  rapidvision session export study/ --out trials.parquet\n"
        "  rapidvision session export study/ --form bids --out bids/ --screen lab.toml",
    )
    parser.add_argument("study", metavar="STUDY", help="the study folder")
    parser.add_argument("--form", choices=("table", "bids", "psychds"), default="table", help="default: table")
    parser.add_argument(
        "--out", metavar="PATH", help="file or folder; default: STUDY/trials.csv, STUDY/bids, STUDY/psychds"
    )
    parser.add_argument("--screen", metavar="FILE", help="monitor profile, for the BIDS sidecars")
    parser.add_argument("--set", metavar="SET", help="the stimulus set, where it was moved")
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_export)
    parser = verb(
        verbs,
        "report",
        "report a session's timing: durations, late refreshes, resolution of response times, photodiode",
        "  rapidvision session report study/ p01\n"
        "  rapidvision session report study/ p01 --photodiode trace.csv --out timing.json",
    )
    parser.add_argument("study", metavar="STUDY", help="the study folder")
    parser.add_argument("name", metavar="ID", help="participant or session")
    parser.add_argument("--photodiode", metavar="CSV", help="trace with the columns time_s, light and perhaps trigger")
    parser.add_argument("--out", metavar="FILE", help="write the figures as JSON too")
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_report)


def _export(arguments: argparse.Namespace) -> int:
    from rapidvision import recipes
    from rapidvision.screen import Screen
    from rapidvision.study import Study

    from ..export.bids import write_bids
    from ..export.psychds import write_psychds
    from ..export.sessions import read_sessions
    from ..export.table import write_rows

    study = Study(arguments.study)
    sessions = read_sessions(study)
    screen = None if arguments.screen is None else recipes.read(arguments.screen, Screen)
    name = study.description().study_id
    defaults = {"table": study.trials_path, "bids": study.folder / "bids", "psychds": study.folder / "psychds"}
    out = defaults[arguments.form] if arguments.out is None else Path(arguments.out)
    if arguments.form == "table":
        write_rows(out, [row for session in sessions for row in session.rows()])
    elif arguments.form == "bids":
        write_bids(sessions, study.stimulus_set(arguments.set), out, name=name, screen=screen)
    else:
        write_psychds(sessions, out, name=name)
    rows = [session.rows() for session in sessions]
    unfinished = [s.header.session_id for s, r in zip(sessions, rows, strict=True) if len(r) < len(s.plan.trials())]
    aborted = sum(row.status == "aborted" for some in rows for row in some)
    say(arguments, f"{sum(map(len, rows))} trials of {len(sessions)} sessions in {out}; {aborted} of them aborted")
    if unfinished:
        say(arguments, f"unfinished sessions are included with the trials they have: {', '.join(unfinished)}")
    return 0


def _report(arguments: argparse.Namespace) -> int:
    from rapidvision.errors import InputError
    from rapidvision.study import Study
    from rapidvision.system import files

    from ..engine.interfaces import TrialData
    from ..engine.journal import read_journal
    from ..lab import file_checks, photodiode, timing

    study = Study(arguments.study)
    entry = file_checks.find_session(study, arguments.name)
    path = file_checks.journal_path(study, entry.session_id)
    _, entries = read_journal(path)
    trials = [e for e in entries if isinstance(e, TrialData)]
    if not trials:
        raise InputError(f"{path}: no completed trials to report")
    diode = photodiode.compare(photodiode.read_trace(arguments.photodiode), trials) if arguments.photodiode else []
    found = timing.timing_of(file_checks.plan_of(study, entry), trials, diode=diode)
    say(arguments, f"{entry.session_id}\n{timing.report(found)}")
    if arguments.out is not None:
        files.write_json(arguments.out, {"timing": found, "diode_trials": [d._asdict() for d in diode]})
    return 0
