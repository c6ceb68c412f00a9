"""``python -m benchmarks.page OUT.md [FILE ...]``: the figures as a page, from printed results or from ``results/*.json``.

A printed result is what ``make bench`` writes to the screen; lines that are no figures are left out. ``--note`` says what
else was going on. Run it on the machine and the day of the measurement: both are written into the page's head.
"""

import argparse
import json
import os
import platform
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.harness import RESULTS, Result

LINE = re.compile(
    r"^ *(?P<name>\S.*\S) {2,}(?P<value>-?[\d.]+(?:e[+-]?\d+)?|-) (?P<unit>(?:[^\d\s]\S*(?: \S+)*?)?) +"
    r"(?P<bar>[<>]= \S+|stated|-?[\d.e+]+ to \S+) +(?P<verdict>holds|falls short|not measured \(.*\))$"
)


def printed(text: str) -> dict[str, list[Result]]:
    r"""Suite → figures, from what the benchmarks print.

    Examples
    --------
    >>> text = "# core\n" + Result("fill: against heapq", "x", ">= 20", 23.9, True).line()
    >>> printed(text)["core"][0].value
    23.9
    """
    parts: dict[str, list[Result]] = {}
    part = ""
    for line in text.splitlines():
        if line.startswith("# "):
            part = line[2:].strip()
        elif found := LINE.match(line):
            value = None if found["value"] == "-" else float(found["value"])
            verdict = found["verdict"]
            why = verdict[len("not measured (") : -1] if verdict.startswith("not measured") else ""
            holds = None if why else verdict == "holds"
            parts.setdefault(part, []).append(
                Result(found["name"].strip(), found["unit"].strip(), found["bar"], value, holds, why)
            )
    return parts


def stored() -> dict[str, list[Result]]:
    """Suite → figures, from ``results/*.json``."""
    parts = {}
    for path in sorted(RESULTS.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        parts[content["suite"]] = [Result(**figure) for figure in content["figures"]]
    return parts


def table(results: list[Result]) -> str:
    """One part as a table, what falls short in bold."""
    lines = ["| figure | measured | unit | bar | |", "|---|---|---|---|---|"]
    for one in results:
        value = "" if one.value is None else f"{one.value:.4g}"
        verdict = f"not measured: {one.why}" if one.holds is None else "" if one.holds else "**falls short**"
        cells = (one.name.removeprefix("… "), value, one.unit, "" if one.bar == "stated" else one.bar, verdict)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def page(parts: dict[str, list[Result]], *, head: str) -> str:
    """The whole page."""
    everything = [one for results in parts.values() for one in results]
    short = sum(one.holds is False for one in everything)
    absent = sum(one.holds is None for one in everything)
    lead = f"{len(everything)} figures: {short} fall short of their bar, {absent} were not measured."
    sections = [f"## {name}\n\n{table(results)}" for name, results in parts.items()]
    return "\n\n".join(["# Measured figures", head, lead, *sections]) + "\n"


def machine() -> str:
    """Return this machine in words: processor, cores, system, Python.

    Examples
    --------
    >>> machine().startswith(f"{os.cpu_count()} cores")
    True
    """
    info = Path("/proc/cpuinfo")
    models = re.findall(r"^model name\s*: (.*)$", info.read_text(encoding="utf-8"), re.M) if info.is_file() else []
    processor = models[0] if models else platform.processor() or platform.machine()
    system = f"{platform.system()} {platform.machine()}"
    return f"{os.cpu_count()} cores of an {processor} processor, {system}, Python {platform.python_version()}"


def main(words: list[str]) -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page")
    parser.add_argument("out", metavar="OUT.md", type=Path)
    parser.add_argument(
        "files", metavar="FILE", type=Path, nargs="*", help="what make bench printed; default: results/*.json"
    )
    parser.add_argument("--note", default="", help="a sentence about the circumstances")
    arguments = parser.parse_args(words)
    parts: dict[str, list[Result]] = {}
    for name in arguments.files:
        parts.update(printed(name.read_text(encoding="utf-8")))
    day = f"{datetime.now(UTC):%d %B %Y}".lstrip("0")
    head = (
        f"What `make bench` printed on {day}, on {machine()}. Ratios compare with the named peer in the same process."
    )
    arguments.out.write_text(page(parts or stored(), head=" ".join([head, arguments.note]).strip()), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
