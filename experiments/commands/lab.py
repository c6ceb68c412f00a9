"""``rapidvision session run``, ``resume``, ``release``, ``list`` and ``status``: sessions with people in the lab."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rapidvision.cli import Verbs, add_common_options, add_verb, give, say

if TYPE_CHECKING:
    from ..lab.file_checks import Options


def add_arguments(verbs: Verbs) -> None:
    """Add the sub-verbs."""
    _add_run(verbs)
    _add_resume(verbs)
    _add_care(verbs)


def _add_display_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--screen",
        type=Path,
        metavar="FILE",
        help="monitor profile as TOML: width_px, height_px, width_cm, distance_cm, refresh_hz",
    )
    parser.add_argument("--screen-index", type=int, default=0, metavar="N", help="which monitor, from 0")
    parser.add_argument(
        "--window", type=_size, metavar="WIDTHxHEIGHT", help="a window instead of the full screen, for tests"
    )
    parser.add_argument(
        "--paced",
        type=float,
        metavar="HZ",
        help="paced test mode: imitate refreshes where a display has none; recorded",
    )
    parser.add_argument(
        "--trigger",
        default="none",
        metavar="PORT",
        help="parallel:ADDRESS, serial:DEVICE, serial-pulse:DEVICE (a zero after each code; @SPEED behind a device) or lsl:NAME",
    )
    parser.add_argument(
        "--trigger-ms", type=float, metavar="MS", help="width of pulses; default: 5, or half a refresh if shorter"
    )
    parser.add_argument(
        "--box",
        action="append",
        default=[],
        metavar="PORT",
        help="a response box: serial:DEVICE (a digit per press), serial-state:DEVICE (a byte with the state of all buttons) "
        "or cedrus:DEVICE; several with --box again",
    )
    parser.add_argument(
        "--photodiode-px", type=int, default=0, metavar="PX", help="side of a patch for a photodiode, lower left"
    )
    parser.add_argument(
        "--accept",
        default="",
        metavar="CHECKS",
        help="run although these checks are red, such as scale,disk; timing means all checks of time; recorded",
    )
    _add_station(parser)
    parser.add_argument("--set", type=Path, metavar="SET", help="the stimulus set, where it was moved")
    parser.add_argument(
        "--simulate", action="store_true", help="a simulated participant presses the keys; kept beside the study"
    )
    parser.add_argument("--pilot", action="store_true", help="a person tries it out; kept beside the study")
    parser.add_argument(
        "--observers-file", type=Path, metavar="FILE", help="what the simulated participant is like, as TOML"
    )
    add_common_options(parser)


def _add_station(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--station", type=int, metavar="NUMBER", help="which computer this is, in a study planned with --n-stations"
    )


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    try:
        return int(width), int(height)
    except ValueError:
        raise argparse.ArgumentTypeError(f'got "{text}", a size such as 800x600 is needed') from None


def _options(arguments: argparse.Namespace) -> "Options":
    from rapidvision import recipes
    from rapidvision.screen import read_profile

    from ..engine.participants import Observers
    from ..lab.display_checks import accepted_checks
    from ..lab.file_checks import Options

    simulate = None
    if arguments.simulate:
        simulate = (
            Observers() if arguments.observers_file is None else recipes.read(arguments.observers_file, Observers)
        )
    return Options(
        profile=None if arguments.screen is None else read_profile(arguments.screen),
        screen_index=arguments.screen_index,
        window_px=arguments.window,
        paced_hz=arguments.paced,
        trigger=arguments.trigger,
        trigger_ms=arguments.trigger_ms,
        boxes=tuple(arguments.box),
        photodiode_px=arguments.photodiode_px,
        accept=accepted_checks(arguments.accept),
        accept_age=getattr(arguments, "accept_age", False),
        max_age_h=getattr(arguments, "max_age", 24.0),
        simulate=simulate,
        pilot=arguments.pilot,
        reuse_slot=getattr(arguments, "reuse_slot", False),
        seed=1 if arguments.seed is None else arguments.seed,
        set_folder=arguments.set,
    )


def _add_run(verbs: Verbs) -> None:
    parser = add_verb(
        verbs,
        "run",
        "run one participant's session in PsychoPy, after a check of the display",
        "  rapidvision session run study/ --participant p01 --screen lab.toml\n"
        "  rapidvision session run study/ --participant p01 --screen lab.toml --trigger serial:/dev/ttyUSB0\n"
        "  rapidvision session run study/ --participant p01 --screen lab.toml --box cedrus:/dev/ttyUSB1\n"
        "  rapidvision session run study/ --simulate --paced 60 --window 800x600\n"
        "  rapidvision session run study/ --pilot --screen lab.toml\n\n"
        "Pilots and simulated participants take no slot of the study and are in none of its counts and exports.\n"
        "Escape pauses; Escape again stops, and `rapidvision session resume` continues it.",
    )
    parser.add_argument("study", metavar="STUDY", help="the study folder")
    parser.add_argument(
        "--participant",
        metavar="ID",
        help="a code that says nothing about the person; needed for people, numbered for pilots and simulations",
    )
    parser.add_argument("--group", metavar="NAME", help="a group; default: the one with the fewest participants")
    parser.add_argument(
        "--reuse-slot", action="store_true", help="give a plan to a second participant where every slot is taken"
    )
    _add_display_options(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from rapidvision.study import Study

    from ..lab import file_checks, run

    def tell(text: str) -> None:
        say(arguments, text)

    study, options = Study(arguments.study, station=arguments.station), _options(arguments)
    participant = arguments.participant or file_checks.next_rehearsal(study, options.kind)
    path = run.run_session(study, participant, options, group=arguments.group, say=tell)
    say(arguments, f"finished: {path}")
    return 0


def _add_resume(verbs: Verbs) -> None:
    parser = add_verb(
        verbs,
        "resume",
        "continue a session that was stopped, by participant or session",
        "  rapidvision session resume study/ p01 --screen lab.toml",
    )
    parser.add_argument("study", metavar="STUDY", help="the study folder")
    parser.add_argument("name", metavar="ID", help="participant or session")
    parser.add_argument(
        "--max-age", type=float, default=24.0, metavar="HOURS", help="older sessions are refused; default: 24"
    )
    parser.add_argument("--accept-age", action="store_true", help="continue an older session; recorded")
    _add_display_options(parser)
    parser.set_defaults(run=_resume)


def _resume(arguments: argparse.Namespace) -> int:
    from rapidvision.study import Study

    from ..lab import run

    path = run.resume_session(
        Study(arguments.study, station=arguments.station),
        arguments.name,
        _options(arguments),
        say=lambda text: say(arguments, text),
    )
    say(arguments, f"finished: {path}")
    return 0


def _add_care(verbs: Verbs) -> None:
    for name, summary, function in (
        ("list", "list the sessions of a study: how far each came", _list),
        ("status", "show how the slots are filled, and what is unfinished", _status),
    ):
        parser = add_verb(verbs, name, summary, f"  rapidvision session {name} study/")
        parser.add_argument("study", metavar="STUDY", help="the study folder")
        add_common_options(parser, seed=False, json=name == "status")
        parser.set_defaults(run=function)
    parser = add_verb(
        verbs,
        "release",
        "give an unfinished session up, so that its slot is free again; its data stay",
        "  rapidvision session release study/ p01",
    )
    parser.add_argument("study", metavar="STUDY", help="the study folder")
    parser.add_argument("name", metavar="ID", help="participant or session")
    _add_station(parser)
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_release)


def _list(arguments: argparse.Namespace) -> int:
    from rapidvision.study import Study

    from ..lab import overview

    say(arguments, overview.sessions_table(Study(arguments.study)))
    return 0


def _status(arguments: argparse.Namespace) -> int:
    from rapidvision.study import Study

    from ..lab import overview

    study = Study(arguments.study)
    say(arguments, overview.status(study))
    give(arguments, {"study_id": study.description().study_id, "groups": overview.counts(study)})
    return 0


def _release(arguments: argparse.Namespace) -> int:
    from rapidvision.study import Study

    from ..lab import run

    entry = run.release(Study(arguments.study, station=arguments.station), arguments.name)
    say(arguments, f"{entry.session_id}: given up; {entry.group} slot {entry.slot} is free again, its trials stay")
    return 0
