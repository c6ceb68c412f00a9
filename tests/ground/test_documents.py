"""The documents say what the code says."""

import re
from pathlib import Path

from rapidvision import __version__, trials

ROOT = Path(__file__).parents[2]


def test_the_trials_table_page_is_the_schema():
    page = (ROOT / "docs/reference/trials-table.md").read_text()
    listed = re.findall(r"^\| `(\w+)` \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", page, flags=re.M)
    assert [row[0] for row in listed] == [column.name for column in trials.COLUMNS]
    for (_, dtype, unit, meaning), column in zip(listed, trials.COLUMNS, strict=True):
        assert dtype == column.dtype + (" or empty" if column.nullable else "")
        assert unit.strip() == column.unit
        assert meaning.startswith(column.meaning)


def test_one_version_everywhere():
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text()
    assert f"version: {__version__}" in (ROOT / "CITATION.cff").read_text()


def test_links_between_documents_lead_somewhere():
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
