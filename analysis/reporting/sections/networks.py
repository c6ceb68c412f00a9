"""The report's section on networks: their curves beside the people's, every comparison, and what they look at."""

from pathlib import Path

from rapidvision.formats.networks.model_record import mosaic_bytes, read_record

from ...comparison import Comparison
from ...table.accuracy import curve
from ..fig2b_panel import Fig2b
from ..parts import Parts, bullets, figure, image, notices, paragraph, table

_KINDS = {"attention": "attention", "features": "activity of a network without attention"}


def networks(main: Fig2b, compared: Comparison | None) -> Parts:
    """Networks beside people."""
    from ...figures.plots import draw_networks

    text = paragraph(
        "A network that always answers the same image alike has no participants: its bars resample images."
    )
    head = ["network", "map source", "images", *(level.label for level in main.tests.levels)]
    rows = [[one.model, one.group, one.n_images, *one.mean] for one in main.networks]
    text += table("networks", head, rows) + bullets(f"{one.model}, {one.group}: {one.bar}" for one in main.networks)
    people = tuple(curve(main.shown.cells, name) for name in main.shown.names)
    drawing = draw_networks(main.tests.levels, main.shown.names, people, main.networks, chance=main.tests.cells.guess)
    text += figure(
        drawing,
        "Every network (broken; band: ± 1 SD over resampled images) beside the participants (markers; S.E.M.).",
    )
    if compared is None:
        return text
    text += paragraph(
        "Beside the people: threshold difference (model minus human, log10 per cent; positive: it needs to see more), "
        "mean of human minus model accuracy over the log axis, root mean square difference with the noise of the human "
        "curve, and partial Spearman correlation of the network's evidence with people's accuracy, given class and level."
    )
    text += notices(compared.cautions)
    head2 = ("network", "group", "threshold", "area", "RMSE", "noise", "rho", "low", "high")
    text += table("comparison", head2, compared.to_frame().itertuples(index=False))
    kappas = [
        (model, group, one.kappa, one.interval[0], one.interval[1], one.n)
        for model, _, group, one in compared.consistency
    ]
    text += paragraph("Error consistency (kappa) with the majority of the people, stimuli resampled:")
    return text + table("error_consistency", ("network", "group", "kappa", "low", "high", "stimuli"), kappas)


def attention(models: Path) -> Parts:
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
        return []
    left_out = bullets(f"{name} is not shown: {why}" for name, why in record.attention.left_out.items())
    found = record.attention.mosaic
    if found is None:
        return left_out
    rows = ", ".join(f"{name} ({_KINDS.get(kind, kind)})" for name, kind in found.maps.items())
    caption = (
        f"What the networks look at in {len(found.columns)} intact images ({', '.join(found.columns)}); opacity is the "
        f"{found.meaning.split(';')[0]}. Rows: the images, {rows}."
    )
    return image(mosaic_bytes(models, found), caption) + left_out
