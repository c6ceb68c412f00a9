"""What networks look at, for the report: the mosaic that `rapidvision models observe` writes beside its table."""

from pathlib import Path

from rapidvision.formats.networks.model_record import mosaic_bytes, read_record

from .html import bullets, picture

_KINDS = {"attention": "attention", "features": "activity of a network without attention"}


def attention(models: Path) -> str:
    """Return a figure of the networks' attention as HTML, or nothing where none was written.

    Parameters
    ----------
    models : Path
        The networks' table; the record beside it (``.json``) names the mosaic and what its rows are.

    Raises
    ------
    InputError
        When the record lacks a key, or names a mosaic that is not there.
    """
    record = read_record(models)
    if record is None:
        return ""
    left_out = bullets(f"{name} is not shown: {why}" for name, why in record.attention.left_out.items())
    found = record.attention.mosaic
    if found is None:
        return left_out
    rows = ", ".join(f"{name} ({_KINDS.get(kind, kind)})" for name, kind in found.maps.items())
    caption = (
        f"What the networks look at in {len(found.columns)} intact pictures ({', '.join(found.columns)}); opacity is the "
        f"{found.meaning.split(';')[0]}. Rows: the pictures, {rows}."
    )
    return picture(mosaic_bytes(models, found), caption) + left_out
