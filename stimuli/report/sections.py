"""What stands at the top of a contact sheet: sections about the set as a whole, in the order of :data:`SECTIONS`.

Another part of the package adds a section by a function that makes one of a set, and by its line there.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from rapidvision.formats.manifest import StimulusSet
from rapidvision.system.templates import macro

from ..builder.findings import set_flags
from ..pipeline.flags import Flag, flags_of, read_quality
from .set_sections import set_sections

#: Flags in the table; the images' own places show all.
MOST_FLAGS = 200
_TEMPLATE = Path(__file__).with_name("sections.html")


class Section(NamedTuple):
    """A section of the page: its anchor, its title (empty where the HTML has its own), and its HTML, values escaped."""

    anchor: str
    title: str
    html: str


def sheet_flags(found: StimulusSet, quality: list[dict[str, str]] | None = None) -> list[Flag]:
    """Return the flags of a set, what participants will see most of first."""
    counts = {row.revealed_px for row in found.stimuli if row.reveal_fraction == 1}
    rows = read_quality(found.folder) if quality is None else quality
    return [*set_flags(found.description), *flags_of(rows, counts.pop() if len(counts) == 1 else 0)]


def flags_section(found: StimulusSet) -> Section:
    """Return the table of flags; each names its image by a link."""
    flags = sheet_flags(found)
    shown = {image.image_id for image in found.description.images}
    html = macro(_TEMPLATE, "flags", flags[:MOST_FLAGS], len(flags), shown)
    return Section("flags", f"Flags ({len(flags)})", html)


def findings_section(found: StimulusSet) -> Section:
    """Return the canvas certificate and the ledger of differences, with their own titles."""
    return Section("findings", "", set_sections(found))


#: What makes the sections, the first one at the top; one that returns None has nothing to say about a set.
SECTIONS: tuple[Callable[[StimulusSet], Section | None], ...] = (findings_section, flags_section)


def top_sections(found: StimulusSet) -> list[Section]:
    """Return the sections of a set.

    Parameters
    ----------
    found : StimulusSet
        The set.
    """
    return [section for make in SECTIONS if (section := make(found)) is not None]
