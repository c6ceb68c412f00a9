"""The online sub-verbs of ``rapidvision session``."""

import argparse
from pathlib import Path

from rapidvision.cli import Verbs, add_common_options, add_verb

_SERVE_EXAMPLES = """\
  rapidvision session serve study/ --rehearsal --simulate       on this computer only, to try it out
  rapidvision session serve study/ --behind-proxy --public-url https://lab.example/animals
  RAPIDVISION_PASSWORD=… rapidvision session serve study/ --database-url postgresql://…  --workers 4

The dashboard has a port of its own and is reachable from this computer only; reach it through an ssh tunnel, or give
--dashboard-host. Its password comes from RAPIDVISION_PASSWORD, else one is made and printed. The key that signs the
participants' tokens comes from RAPIDVISION_SECRET, else from online/secret.key in the study folder."""


def add_arguments(subparsers: Verbs) -> None:
    """Add the sub-verbs that need the web framework when they are called, not before."""
    _add_serve(subparsers)
    _add_bundle(subparsers)
    _add_plugin(subparsers)
    _add_payments(subparsers)


def _add_serve(subparsers: Verbs) -> None:
    parser = add_verb(
        subparsers, "serve", "serve a study to browsers, with a dashboard for the experimenter", _SERVE_EXAMPLES
    )
    parser.add_argument("study", metavar="STUDY", help="study folder, or online.toml in it")
    parser.add_argument("--set", type=Path, metavar="SET", help="the stimulus set, when it is not where the study says")
    parser.add_argument("--host", default="127.0.0.1", metavar="HOST", help="default: this computer only")
    parser.add_argument(
        "--port", type=int, default=8000, metavar="PORT", help="participants' port; 0: any free one; default: 8000"
    )
    parser.add_argument("--dashboard-host", default="127.0.0.1", metavar="HOST", help="default: this computer only")
    parser.add_argument("--dashboard-port", type=int, default=8001, metavar="PORT", help="default: 8001")
    parser.add_argument(
        "--public-url", default="", metavar="URL", help="the address that participants use, with its path"
    )
    parser.add_argument(
        "--behind-proxy", action="store_true", help="trust the X-Forwarded-For of a proxy on this computer"
    )
    parser.add_argument(
        "--insecure", action="store_true", help="allow a public address without https (closed networks)"
    )
    parser.add_argument(
        "--database-url",
        default="",
        metavar="URL",
        help="postgresql://… or sqlite:///FILE; default: SQLite in the study",
    )
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes; more than one needs PostgreSQL")
    parser.add_argument(
        "--simulate",
        action="store_true",
        help="let simulated participants in (?simulate, ?simulate=fast), on a public address in a --rehearsal only",
    )
    parser.add_argument(
        "--observers-file", type=Path, metavar="FILE", help="what the simulated participants are like, as TOML"
    )
    parser.add_argument(
        "--rehearsal",
        action="store_true",
        help="people who come are pilots: no slot, no quota, no completion code, no place in the default exports",
    )
    parser.add_argument(
        "--rehearsal-name",
        default="rehearsal",
        metavar="NAME",
        help="what a --rehearsal is called (default: %(default)s)",
    )
    parser.add_argument(
        "--discard-rehearsal", default="", metavar="NAME", help="delete a rehearsal's sessions before serving"
    )
    add_common_options(parser)
    parser.set_defaults(run=_serve)


def _serve(arguments: argparse.Namespace) -> int:
    from rapidvision.system.extras import need

    for package in ("starlette", "uvicorn", "sqlalchemy"):
        need(package, extra="online", purpose="serving a study")
    from .service import server

    return server.serve(arguments)


def _add_bundle(subparsers: Verbs) -> None:
    parser = add_verb(
        subparsers,
        "bundle",
        "write a study as files for hosts that only serve files",
        "  rapidvision session bundle study/ --out site/\n"
        "  rapidvision session bundle study/ --out site/ --results-to datapipe --datapipe-id Ab12Cd34Ef56\n"
        "  rapidvision session bundle study/ --out animals.jzip --results-to jatos     a study archive for JATOS\n\n"
        "Each participant gets a plan at random, or the one that the link names (?plan=3); the result is one JSON file\n"
        "per session, which `rapidvision session export --results` turns into the trials table.",
    )
    parser.add_argument("study", metavar="STUDY", help="study folder")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", required=True, help="new folder for the files, or NAME.jzip for JATOS"
    )
    parser.add_argument("--set", type=Path, metavar="SET", help="the stimulus set, when it is not where the study says")
    parser.add_argument(
        "--results-to",
        choices=("files", "jatos", "datapipe"),
        default="files",
        help="who takes the result: the participant saves it (files), JATOS, or DataPipe; default: files",
    )
    parser.add_argument("--datapipe-id", default="", metavar="ID", help="the experiment's id at DataPipe")
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_bundle)


def _bundle(arguments: argparse.Namespace) -> int:
    from rapidvision.cli import say
    from rapidvision.system.extras import need

    need("starlette", extra="online", purpose="writing a bundle")
    need("sqlalchemy", extra="online", purpose="writing a bundle")
    from .output.bundle import write_bundle

    n_plans, n_stimuli = write_bundle(
        arguments.study,
        arguments.out,
        stimulus_set=arguments.set,
        target=arguments.results_to,
        datapipe_id=arguments.datapipe_id,
    )
    archive = arguments.out.suffix == ".jzip"
    next_step = "import it in JATOS" if archive else f"try: python -m http.server -d {arguments.out}"
    say(arguments, f"{n_plans} plans and {n_stimuli} images in {arguments.out}; {next_step}")
    return 0


def _add_plugin(subparsers: Verbs) -> None:
    parser = add_verb(
        subparsers,
        "jspsych-plugin",
        "write the presenter as a plugin for jsPsych 8, one file",
        "  rapidvision session jspsych-plugin --out plugin-rapidvision.js",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", default="plugin-rapidvision.js", help="default: plugin-rapidvision.js"
    )
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_plugin)


def _plugin(arguments: argparse.Namespace) -> int:
    from rapidvision.cli import say
    from rapidvision.system import files

    from .output.jspsych import plugin

    files.write_text(arguments.out, plugin())
    say(arguments, f"{arguments.out}: load it after jsPsych 8 and use {{type: jsPsychRapidVision, stimulus: ...}}")
    return 0


def _add_payments(subparsers: Verbs) -> None:
    parser = add_verb(
        subparsers,
        "payments",
        "list who took part online, with a recommendation whom to pay, and write files for Prolific",
        "  rapidvision session payments study/\n"
        "  rapidvision session payments study/ --submissions prolific_export.csv --reward 1.50\n\n"
        "Nothing is paid: the files are recommendations, to be read and uploaded by a person. They hold recruitment ids;\n"
        "they lie in online/payments in the study folder, readable by you only.",
    )
    parser.add_argument("study", metavar="STUDY", help="study folder")
    parser.add_argument("--submissions", type=Path, metavar="FILE", help="Prolific's export of the study's submissions")
    parser.add_argument(
        "--reward", default="", metavar="AMOUNT", help="reward in units of its currency; writes the file of bonuses too"
    )
    parser.add_argument(
        "--database-url", default="", metavar="URL", help="of the online sessions, as for `session serve`"
    )
    parser.add_argument("--set", type=Path, metavar="SET", help="the stimulus set, when it is not where the study says")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the files; default: STUDY/online/payments")
    add_common_options(parser, seed=False, json=True)
    parser.set_defaults(run=_payments)


def _payments(arguments: argparse.Namespace) -> int:
    from rapidvision.cli import give, say
    from rapidvision.system.extras import need

    need("sqlalchemy", extra="online", purpose="listing who took part online")
    need("starlette", extra="online", purpose="listing who took part online")
    from .payments.payment_files import write_payments

    result, words = write_payments(arguments)
    give(arguments, result)
    say(arguments, words)
    return 0
