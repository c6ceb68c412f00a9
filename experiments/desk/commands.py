"""``rapidvision desk``: make, run and read studies on a page in the browser, on this computer only."""

import argparse
import os
from pathlib import Path

from rapidvision import cli
from rapidvision.errors import InputError
from rapidvision.system.extras import need

_EPILOG = """\
examples:
  rapidvision desk                      over the folder in which you are
  rapidvision desk experiments          over another folder, which is made if it does not exist

The page shows every command before and after it ran; a study that it makes is the folder that these commands make.
It answers on this computer only, to the address with the token that is printed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the desk's options."""
    parser.epilog = _EPILOG
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        default=Path(),
        metavar="FOLDER",
        help="the folder of your studies (default: this one)",
    )
    parser.add_argument("--port", type=int, default=0, metavar="PORT", help="port; 0: any free one; default: 0")
    parser.add_argument("--no-browser", action="store_true", help="print the address; do not open it")
    cli.add_common_options(parser, seed=False)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve the desk until it is stopped; then stop what it started."""
    for package in ("starlette", "uvicorn"):
        need(package, extra="desk", purpose="the desk")
    from ..web import serve
    from .access import Access
    from .app import Desk

    if arguments.folder.exists() and not arguments.folder.is_dir():
        raise InputError(f"{arguments.folder}: is a file; give a folder")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    os.chdir(arguments.folder)
    socket = serve.listen(serve.Address(port=arguments.port))
    port = socket.getsockname()[1]
    access = Access(port)
    desk = Desk(access)
    address = f"http://127.0.0.1:{port}/?token={access.token}"

    def ready() -> None:
        cli.say(arguments, f"desk of {Path.cwd()}: {address}\nCtrl-C stops it, and what it has started")
        if not arguments.no_browser:
            import webbrowser

            webbrowser.open(address)

    try:
        serve.run(serve.serve_apps([(desk.app(), socket, serve.Address(port=port))], ready=ready))
    finally:
        desk.jobs.close()
    return 0
