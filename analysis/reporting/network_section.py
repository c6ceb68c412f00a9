"""The report's section on networks: their curves beside the people's, and every comparison."""

from ..comparison import Comparison
from ..table.accuracy import curve
from .fig2b_panel import Fig2b
from .html import bullets, figure, notices, paragraph, table


def networks(main: Fig2b, compared: Comparison | None) -> str:
    """Networks beside people."""
    from ..figures.plots import draw_networks

    text = paragraph(
        "A network that always answers the same picture alike has no participants: its bars resample pictures."
    )
    head = ["network", "map source", "pictures", *(level.label for level in main.bins.levels)]
    rows = [[one.model, one.group, one.n_images, *one.mean] for one in main.networks]
    text += table(head, rows) + bullets(f"{one.model}, {one.group}: {one.bar}" for one in main.networks)
    people = tuple(curve(main.bins.cells, group) for group in main.bins.groups)
    drawing = draw_networks(main.bins.levels, main.bins.groups, people, main.networks, chance=main.bins.cells.guess)
    text += figure(
        drawing.to_bytes("svg"),
        "Every network (broken; band: ± 1 SD over resampled pictures) beside the participants (markers; S.E.M.).",
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
    text += table(head2, compared.table().itertuples(index=False))
    kappas = [
        (model, group, one.kappa, one.interval[0], one.interval[1], one.n)
        for model, _, group, one in compared.consistency
    ]
    text += paragraph("Error consistency (kappa) with the majority of the people, stimuli resampled:")
    return text + table(("network", "group", "kappa", "low", "high", "stimuli"), kappas)
