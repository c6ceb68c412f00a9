"""Gallery figures: show the value of a block's last line as a figure, as a notebook does."""

from pathlib import Path
from typing import Any

from sphinx_gallery.scrapers import figure_rst


def scraped(_block: Any, variables: dict[str, Any], config: dict[str, Any]) -> str:
    """Save the value of a block's last line as a figure, if it has ``_repr_png_``, and return the page's markup."""
    value = variables["example_globals"].get("___")
    if not hasattr(value, "_repr_png_") or value is variables.get("last_drawing"):
        return ""
    variables["last_drawing"] = value
    path = Path(next(variables["image_path_iterator"]))
    path.write_bytes(value._repr_png_())
    return str(figure_rst([str(path)], config["src_dir"]))
