"""Commands in the documentation, found and run as a reader would run them.

A page is executed from top to bottom: fenced `console` blocks (their `$` lines) and `sh` blocks (every line). What stands
in the line before a block decides about it::

    <!-- not run: REASON -->    the block is checked for commands and options that do not exist, and not run
    <!-- file: NAME -->         the block is the content of a file, which is written
"""

import contextlib
import io
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from rapidvision import cli

ROOT = Path(__file__).parents[2]
FENCE = re.compile(
    r"^(?:<!-- (?P<what>not run|file): (?P<note>[^>]+) -->\n)?```(?P<language>\w+)\n(?P<body>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
LIMIT_S = 900


@dataclass(frozen=True)
class Command:
    """One command of a page, continued lines joined, and the reason why it is not run, if there is one."""

    text: str
    not_run: str | None = None


@dataclass(frozen=True)
class File:
    """A file that a page tells its reader to write."""

    name: str
    content: str


def steps(page):
    """What a page tells its reader to do, in order: commands and files."""
    for block in FENCE.finditer(page.read_text(encoding="utf-8")):
        if block["what"] == "file":
            yield File(block["note"].strip(), block["body"])
        elif block["language"] in ("console", "sh"):
            note = block["note"].strip() if block["what"] == "not run" else None
            for line in block["body"].replace("\\\n", " ").splitlines():
                if block["language"] == "sh" or line.startswith("$ "):
                    text = line.removeprefix("$ ").partition("  #")[0].strip()
                    if text and not text.startswith("#"):
                        yield Command(text, note)


def commands(page):
    """Every command of a page, in order."""
    return [step for step in steps(page) if isinstance(step, Command)]


def environment():
    """The environment of a reader whose installation is this working tree."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def run(text, folder, **options):
    """Run a command in `folder`, `rapidvision` and `python` being those of this installation; servers are stopped again."""
    words = ["bash", "-c", f"set -euo pipefail; {text}"]
    shared = {"cwd": folder, "env": environment(), "text": True, **options}
    if " serve " not in text:
        return subprocess.run(words, capture_output=True, check=False, timeout=LIMIT_S, **shared)
    words[-1] += " --port 0" + (" --dashboard-port 0" if " session serve " in f" {text} " else "")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(words, start_new_session=True, **pipes, **shared) as server:
        limit = threading.Timer(LIMIT_S, os.killpg, (server.pid, signal.SIGKILL))
        limit.start()
        said = []
        for line in server.stdout:
            said.append(line)
            if re.search(r"https?://", line):
                break
        limit.cancel()
        code = 0 if said and re.search(r"https?://", said[-1]) else server.wait()
        if code == 0:
            os.killpg(server.pid, signal.SIGTERM)
            said += server.stdout
            server.wait()
        return subprocess.CompletedProcess(words, code, "".join(said), "")


def run_here(text, folder):
    """Run a plain command of the program within this process, where everything is imported already; others as :func:`run`."""
    words = shlex.split(text)
    if words[:1] != ["rapidvision"] or " serve " in text or set(text) & set("|<>$&;`*?"):
        return run(text, folder)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main(words[1:])
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def follow(page, folder):
    """Do what a page says, in `folder`; stops with words at the first command that fails. Returns how many ran."""
    ran = 0
    for step in steps(page):
        if isinstance(step, File):
            (folder / step.name).parent.mkdir(parents=True, exist_ok=True)
            (folder / step.name).write_text(step.content, encoding="utf-8")
        elif step.not_run is None:
            done = run_here(step.text, folder)
            assert done.returncode == 0, f"{page.name}: {step.text}\n{done.stdout}{done.stderr}"
            ran += 1
    return ran


def rapidvision_words(text):
    """The words after `rapidvision` in a command line, or None where another program is meant."""
    plain = re.sub(r'"?\$\w+"?', "1", text.partition(" > ")[0]).replace("…", "X")
    words = shlex.split(plain, comments=True)
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words.pop(0)
    if "-m" in words[:-1] and words[words.index("-m") + 1] == "rapidvision":
        return words[words.index("-m") + 2 :]
    return words[1:] if words[:1] == ["rapidvision"] else None
