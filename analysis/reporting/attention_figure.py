"""What networks look at, for the report: the mosaic that `rapidvision models observe` writes beside its table."""

import base64
import html
import json
from pathlib import Path

from rapidvision.errors import InputError
from rapidvision.system import files

from .html import bullets


def attention(models: Path) -> str:
    """Return a figure of the networks' attention as HTML, or nothing where none was written.

    Parameters
    ----------
    models : Path
        The networks' table; the record beside it (``.json``) names the mosaic and what its rows are.

    Raises
    ------
    InputError
        When the record names a mosaic that is not there.
    """
    record = models.with_suffix(".json")
    if not record.is_file():
        return ""
    try:
        content = json.loads(files.read_bytes(record))
    except ValueError as error:
        raise InputError(f"{record}: not JSON ({error}); run `rapidvision models observe` again") from error
    found = content.get("attention", {}) if isinstance(content, dict) else {}
    if "file" not in found:
        return ""
    picture = files.read_bytes(models.with_name(Path(found["file"]).name))
    kinds = {"attention": "attention", "features": "activity of a network without attention"}
    rows = ", ".join(f"{name} ({kinds.get(kind, kind)})" for name, kind in found["maps"].items())
    caption = (
        f"What the networks look at in {len(found['columns'])} intact pictures ({', '.join(found['columns'])}); opacity is the "
        f"{found['meaning'].split(';')[0]}. Rows: the pictures, {rows}."
    )
    data = base64.b64encode(picture).decode()
    image = f'<img src="data:image/png;base64,{data}" alt="{html.escape(caption)}" style="max-width: 100%">'
    left_out = bullets(f"{name} is not shown: {why}" for name, why in found.get("left_out", {}).items())
    return f"<figure>{image}<figcaption>{html.escape(caption)}</figcaption></figure>\n{left_out}"
