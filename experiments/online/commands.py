"""The online sub-verbs of ``rapidvision session``."""

import argparse
from typing import TypeAlias

from rapidvision.cli import add_common_options

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  no public name exists

_SERVE_EXAMPLES = """\
examples:
  rapidvision session serve study/                              on this computer only, to try it out
  rapidvision session serve study/ --behind-proxy --public-url https://lab.example/animals
  RAPIDVISION_PASSWORD=… rapidvision session serve study/ --database-url postgresql://…  --workers 4

The dashboard has a port of its own and is reachable from this computer only; reach it through an ssh tunnel, or give
--dashboard-host. Its password comes from RAPIDVISION_PASSWORD, else one is made and printed. The key that signs the
participants' tokens comes from RAPIDVISION_SECRET, else from online/secret.key in the study folder."""


def add_arguments(subparsers: Verbs) -> None:
    """Add the sub-verbs that need the web framework when they are called, not before."""
    _add_serve(subparsers)


def _verb(subparsers: Verbs, name: str, summary: str, examples: str) -> argparse.ArgumentParser:
    return subparsers.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_serve(subparsers: Verbs) -> None:
    parser = _verb(
        subparsers, "serve", "serve a study to browsers, with a dashboard for the experimenter", _SERVE_EXAMPLES
    )
    parser.add_argument("study", metavar="STUDY", help="study folder, or online.toml in it")
    parser.add_argument("--set", metavar="SET", help="the stimulus set, when it is not where the study says")
    parser.add_argument("--host", default="127.0.0.1", help="default: this computer only")
    parser.add_argument("--port", type=int, default=8000, help="participants' port; 0: any free one; default: 8000")
    parser.add_argument("--dashboard-host", default="127.0.0.1", metavar="HOST", help="default: this computer only")
    parser.add_argument("--dashboard-port", type=int, default=8001, metavar="PORT", help="default: 8001")
    parser.add_argument(
        "--public-url", default="", metavar="URL", help="the address that participants use, with its path"
    )
    parser.add_argument("--behind-proxy", action="store_true", help="believe a proxy on this computer about who asks")
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
        nargs="?",
        const="default",
        metavar="FILE",
        help="let simulated participants in (?simulate, ?simulate=fast); FILE: their observers.toml",
    )
    add_common_options(parser)
    parser.set_defaults(run=_serve)


def _serve(arguments: argparse.Namespace) -> int:
    from rapidvision.extras import need

    for package in ("starlette", "uvicorn", "sqlalchemy"):
        need(package, extra="online", purpose="serving a study")
    from . import server

    return server.serve(arguments)
