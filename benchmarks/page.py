"""``python -m benchmarks.page OUT.md [FILE ...]``: the figures as a page, from printed results or from ``results/*.json``.

A printed result is what ``make bench`` writes to the screen; lines that are no figures are left out.
"""

import json
import re
import sys
from datetime import date
from pathlib import Path

from benchmarks.harness import RESULTS, Result

LINE = re.compile(
    r"^ *(?P<name>\S.*\S) +(?P<value>-?[\d.]+(?:e[+-]?\d+)?|-) (?P<unit>(?:[^\d\s]\S*(?: \S+)*?)?) +"
    r"(?P<bar>[<>]= \S+|stated|-?[\d.e+]+ to \S+) +(?P<verdict>holds|falls short|not measured \(.*\))$"
)


def printed(text: str) -> dict[str, list[Result]]:
    r"""Room → figures, from what the benchmarks print.

    Examples
    --------
    >>> text = "# ground\n" + Result("fill: against heapq", "x", ">= 20", 23.9, True).line()
    >>> printed(text)["ground"][0].value
    23.9
    """
    rooms: dict[str, list[Result]] = {}
    room = ""
    for line in text.splitlines():
        if line.startswith("# "):
            room = line[2:].strip()
        elif found := LINE.match(line):
            value = None if found["value"] == "-" else float(found["value"])
            verdict = found["verdict"]
            why = verdict[len("not measured (") : -1] if verdict.startswith("not measured") else ""
            holds = None if why else verdict == "holds"
            rooms.setdefault(room, []).append(
                Result(found["name"].strip(), found["unit"].strip(), found["bar"], value, holds, why)
            )
    return rooms


def stored() -> dict[str, list[Result]]:
    """Room → figures, from ``results/*.json``."""
    rooms = {}
    for path in sorted(RESULTS.glob("*.json")):
        content = json.loads(path.read_text())
        rooms[content["room"]] = [Result(**figure) for figure in content["figures"]]
    return rooms


def table(results: list[Result]) -> str:
    """One room as a table, what falls short in bold."""
    lines = ["| figure | measured | unit | bar | |", "|---|---|---|---|---|"]
    for one in results:
        value = "" if one.value is None else f"{one.value:.4g}"
        verdict = f"not measured: {one.why}" if one.holds is None else "" if one.holds else "**falls short**"
        cells = (one.name.removeprefix("… "), value, one.unit, "" if one.bar == "stated" else one.bar, verdict)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def page(rooms: dict[str, list[Result]], *, head: str) -> str:
    """The whole page."""
    everything = [one for results in rooms.values() for one in results]
    short = sum(one.holds is False for one in everything)
    absent = sum(one.holds is None for one in everything)
    lead = f"{len(everything)} figures: {short} fall short of their bar, {absent} were not measured."
    sections = [f"## {name}\n\n{table(results)}" for name, results in rooms.items()]
    return "\n\n".join(["# Measured figures", head, lead, *sections]) + "\n"


def main(out: str, *files: str) -> None:
    """Write the page."""
    rooms: dict[str, list[Result]] = {}
    for name in files:
        rooms.update(printed(Path(name).read_text()))
    head = (
        f"What `make bench` printed, {date.today():%d %B %Y}. Ratios compare with the named peer in the same process."  # noqa: DTZ011  a page's date
    )
    Path(out).write_text(page(rooms or stored(), head=head))


if __name__ == "__main__":
    main(*sys.argv[1:])
