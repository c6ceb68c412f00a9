"""HTML pages from Jinja templates: every value that a template shows is escaped."""

from functools import lru_cache
from pathlib import Path
from typing import Any


def rendered(path: Path, **values: Any) -> str:
    """Fill a template in.

    Parameters
    ----------
    path : Path
        The template, a file beside the module that fills it in.
    **values
        What it shows. Text is escaped; a name that the template wants and does not get is an error.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "line.html"
    >>> _ = path.write_text("<p>{{ text }}</p>")
    >>> rendered(path, text="a < b")
    '<p>a &lt; b</p>'
    """
    return str(_environment(path.parent).get_template(path.name).render(values))


def macro(path: Path, name: str, *values: Any) -> str:
    """Fill in one macro of a template; see :func:`rendered`."""
    return str(getattr(_environment(path.parent).get_template(path.name).module, name)(*values))


@lru_cache
def _environment(folder: Path) -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
