"""Pictures of the gallery: what a notebook would show is shown on the page too."""

from pathlib import Path
from typing import Any

from sphinx_gallery.scrapers import figure_rst


def scraped(_block: Any, variables: dict[str, Any], config: dict[str, Any]) -> str:
    """Keep the value of a block's last line as a picture, where it can draw itself; return the page's markup for it."""
    value = variables["example_globals"].get("___")
    if not hasattr(value, "_repr_png_") or value is variables.get("last_drawing"):
        return ""
    variables["last_drawing"] = value
    path = Path(next(variables["image_path_iterator"]))
    path.write_bytes(value._repr_png_())
    return str(figure_rst([str(path)], config["src_dir"]))
