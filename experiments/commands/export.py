"""``rapidvision session export`` and ``report``: what is made from the journals."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rapidvision.cli import Verbs, add_common_options, add_plugin_option, add_verb, say

from ..exports.exporters import EXPORTERS

if TYPE_CHECKING:
    from rapidvision.study import Study

    from ..exports.sessions import Sessions

_EXPORT = """\
  rapidvision session export study/
  rapidvision session export study/ --out trials.parquet
  rapidvision session export study/ --format bids --out bids/
  rapidvision session export study/ --observers pilot --out pilots.csv
  rapidvision session export study/ --source online              from the server's database
  rapidvision session export study/ --results results/*.json     from the files of a bundle

A journal that is empty, damaged or contradicts another one is named and left out; the others are exported,
and the exit code is 1."""


def add_arguments(verbs: Verbs) -> None:
    """Add the sub-verbs."""
    parser = add_verb(
        verbs,
        "export",
        "write the recorded trials as a table (CSV, Parquet), as BIDS or as Psych-DS",
        _EXPORT,
    )
    parser.add_argument("study", metavar="STUDY", help="the study folder")
    parser.add_argument(
        "--format", choices=EXPORTERS, default="table", metavar="NAME", help="%(choices)s (default: table)"
    )
    parser.add_argument(
        "--source",
        choices=("lab", "online"),
        default="lab",
        help="the journals of the lab, or the online sessions; default: lab",
    )
    parser.add_argument(
        "--results",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="result files of a bundle, instead of the server's database",
    )
    parser.add_argument(
        "--database-url", default="", metavar="URL", help="of the online sessions, as for `session serve`"
    )
    parser.add_argument("--finished-only", action="store_true", help="leave unfinished online sessions out (database)")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="PATH",
        help="file or folder; default: STUDY/trials.csv, or STUDY/NAME for another format",
    )
    parser.add_argument(
        "--observers",
        nargs="+",
        default=["human"],
        choices=("human", "pilot", "simulated"),
        metavar="KIND",
        help="human, pilot or simulated, one or several; default: human",
    )
    parser.add_argument("--set", type=Path, metavar="SET", help="the stimulus set, where it was moved")
    add_plugin_option(parser)
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_export)
    parser = add_verb(
        verbs,
        "report",
        "report a session's timing: durations, late refreshes, resolution of response times, photodiode",
        "  rapidvision session report study/ p01\n"
        "  rapidvision session report study/ --all\n"
        "  rapidvision session report study/ p01 --photodiode-trace trace.csv --out timing.json",
    )
    parser.add_argument("study", metavar="STUDY", help="the study folder")
    parser.add_argument("name", nargs="?", metavar="ID", help="participant or session; left out with --all")
    parser.add_argument(
        "--all",
        action="store_true",
        help="a line per opening of every session: state, refreshes, void trials, step of response times, who ran it where",
    )
    parser.add_argument(
        "--photodiode-trace", type=Path, metavar="FILE", help="trace with the columns time_s, light and perhaps trigger"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the figures as JSON too")
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_report)


def _export(arguments: argparse.Namespace) -> int:
    if arguments.source == "online" or arguments.results:
        return _export_online(arguments)
    return _export_lab(arguments)


def _export_online(arguments: argparse.Namespace) -> int:
    from rapidvision.errors import InputError
    from rapidvision.system.extras import need

    if arguments.format != "table":
        raise InputError(f"--format {arguments.format}: online sessions are exported as a table; leave --format out")
    need("sqlalchemy", extra="online", purpose="exporting online sessions")
    need("starlette", extra="online", purpose="exporting online sessions")
    from ..online.output.trials_table import write_trials_table

    say(arguments, write_trials_table(arguments))
    return 0


def _export_lab(arguments: argparse.Namespace) -> int:
    from rapidvision.study import Study

    from ..design.rehearsals import part_of
    from ..exports.exporters import Export, write_export
    from ..exports.sessions import recorded_sessions

    study = Study(arguments.study)
    found = recorded_sessions(study, observers=arguments.observers)
    sessions = found.recorded
    name = study.description().study_id
    home = part_of(study, "human" if "human" in arguments.observers else arguments.observers[0])
    default = home.trials_path if arguments.format == "table" else home.trials_path.with_name(arguments.format)
    out = arguments.out or default
    write_export(arguments.format, Export(study, tuple(sessions), name, arguments.set), out)
    _tell(arguments, found, out)
    return 1 if found.faults else 0


def _tell(arguments: argparse.Namespace, found: "Sessions", out: Path) -> None:
    """Say what was written, and on the error stream, whatever was asked to be quiet, what was left out and why."""
    sessions = found.recorded
    rows = [row for session in sessions for row in session.rows()]
    aborted = sum(row.status == "aborted" for row in rows)
    late = sum(row.timing_ok is False for row in rows)
    say(
        arguments,
        f"{len(rows)} trials of {len(sessions)} sessions ({', '.join(arguments.observers)}) in {out}; "
        f"{aborted} of them aborted, {late} not shown as planned",
    )
    for state in ("unfinished", "given up"):
        names = [session.header.session_id for session in sessions if session.state == state]
        if names:
            say(arguments, f"{state} sessions are included with the trials they have: {', '.join(names)}")
    for session in sessions:
        if session.quality.warns:
            say(arguments, f"ATTENTION: {session.header.session_id}: {session.quality.sentence()}")
    for path in found.copies:
        say(arguments, f"{path}: a copy, not counted again")
    if found.faults:
        lines = [f"left out {len(found.faults)} of the journals:", *(f"  {fault.what}" for fault in found.faults)]
        print("\n".join(lines), file=sys.stderr)  # noqa: T201


def _report_all(arguments: argparse.Namespace, study: "Study") -> int:
    from rapidvision.errors import InputError
    from rapidvision.system import files

    from ..exports.openings import openings_of, overview
    from ..exports.sessions import recorded_sessions

    if arguments.name is not None or arguments.photodiode_trace is not None:
        raise InputError(
            "report: got --all with a session or a trace; --all reports every session: leave the others out"
        )
    found = recorded_sessions(study)
    say(arguments, overview(found.recorded))
    if arguments.out is not None:
        files.write_json(arguments.out, [row for session in found.recorded for row in openings_of(session)])
    if found.faults:
        lines = [f"left out {len(found.faults)} of the journals:", *(f"  {fault.what}" for fault in found.faults)]
        print("\n".join(lines), file=sys.stderr)  # noqa: T201
    return 1 if found.faults else 0


def _report(arguments: argparse.Namespace) -> int:
    from rapidvision.errors import InputError
    from rapidvision.study import Study
    from rapidvision.system import files

    from ..interfaces import TrialData
    from ..lab import file_checks, photodiode, timing
    from ..recording.journal import read_journal

    study = Study(arguments.study)
    if arguments.all:
        return _report_all(arguments, study)
    if arguments.name is None:
        raise InputError("report: name a participant or a session, or give --all for every session")
    part, entry = file_checks.find_session(study, arguments.name)
    path = file_checks.journal_path(part, entry.session_id)
    _, entries = read_journal(path)
    trials = [e for e in entries if isinstance(e, TrialData)]
    if not trials:
        raise InputError(f"{path}: no completed trials to report")
    seen = photodiode.Compared([], [], 0, strobes=False)
    plan = file_checks.plan_of(part, entry)
    if arguments.photodiode_trace:
        trace = photodiode.read_trace(arguments.photodiode_trace)
        seen = photodiode.compare(trace, photodiode.images_of(plan, entries))
    found = timing.timing_of(plan, entries, diode=seen.trials)
    say(arguments, f"{entry.session_id}\n{timing.report(found)}")
    if arguments.photodiode_trace:
        say(arguments, seen.report())
    if arguments.out is not None:
        diode = [trial._asdict() for trial in seen.trials]
        content = {
            "timing": found,
            "diode_trials": diode,
            "diode_unseen": seen.unseen,
            "diode_strangers": seen.strangers,
        }
        files.write_json(arguments.out, content)
    return 0
