"""Commands in the documentation, found and run as a reader would run them."""

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"(?P<note><!-- not run: [^>]+ -->\n)?```console\n(?P<body>.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Command:
    """One `$` line of a console block, continued lines joined, and the block's prose reason for not running it."""

    text: str
    not_run: str | None


def commands(page):
    """Every `$` command of a page's console blocks, in order."""
    found = []
    for block in FENCE.finditer(page.read_text()):
        note = block["note"].strip()[len("<!-- not run: ") : -len(" -->")] if block["note"] else None
        for line in block["body"].replace("\\\n", " ").splitlines():
            if line.startswith("$ "):
                found.append(Command(line[2:].partition("  #")[0].strip(), note))
    return found


def run(text, folder, **options):
    """Run a `rapidvision ...` command with this interpreter in `folder`."""
    words = shlex.split(text)
    assert words[0] == "rapidvision", text
    root = Path(__file__).parents[2]
    environment = {**__import__("os").environ, "PYTHONPATH": str(root)}
    return subprocess.run(
        [sys.executable, "-m", "rapidvision", *words[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        **options,
    )
