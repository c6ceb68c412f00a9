"""Figures about networks: learning curves, and Fig. 7."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rapidvision.system import files
from rapidvision.system.figures import figure_bytes, figure_style, new_figure

from .evaluation.evaluate import Ceiling
from .training.sweep import Point, means, null_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BLUE, _RED, _GREY = "#2166ac", "#b2182b", "#777777"
_STYLE: Any = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def learning_curves(history: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw loss, error and map agreement over epochs, as PNG.

    Parameters
    ----------
    history : sequence of dict
        Lines of ``metrics.jsonl``.
    path : Path
        The PNG.
    """
    epochs = [entry["epoch"] for entry in history]
    validation = [entry["validation"] for entry in history]
    with figure_style(_STYLE):
        figure = new_figure(7.2, 2.2, layout="constrained")
        left, middle, right = figure.subplots(1, 3)
        left.plot(epochs, [entry["classification_loss"] for entry in history], color=_BLUE, label="classification")
        left.plot(epochs, [entry["map_distance"] for entry in history], color=_RED, label="map distance")
        left.set(xlabel="epoch", ylabel="training loss")
        left.legend(frameon=False)
        middle.plot(epochs, [entry["train_top1_error"] for entry in history], color=_GREY, label="training")
        middle.plot(epochs, [found["top1_error"] for found in validation], color=_BLUE, label="validation")
        middle.set(xlabel="epoch", ylabel="top-1 error (%)", ylim=(0, 100))
        middle.legend(frameon=False)
        right.plot(epochs, [_or_nan(found["rho"]) for found in validation], color=_BLUE, label="own image")
        right.plot(
            epochs, [_or_nan(found["rho_other_classes"]) for found in validation], color=_GREY, label="other classes"
        )
        right.set(xlabel="epoch", ylabel="rank correlation with maps")
        right.legend(frameon=False)
        _write(figure, path)


def figure_7(points: Sequence[Point], path: Path, *, ceiling: Ceiling | None = None) -> None:
    """Draw accuracy and the fraction of human map variability against λ, with the null between people (Fig. 7).

    Parameters
    ----------
    points : sequence of Point
        From :func:`rapidvision.gala_models.training.sweep.sweep`; small dots. Large dots and bars: mean and S.E.M. over seeds.
    path : Path
        A ``.png``, ``.pdf`` or ``.svg``.
    ceiling : Ceiling, optional
        The paper's by default.
    """
    rows = means(points)
    at = {row["lam"]: place for place, row in enumerate(rows)}
    with figure_style(_STYLE):
        figure = new_figure(6.0, 2.6, layout="constrained")
        axes = figure.subplots(1, 2)
        for axis, name, color in zip(axes, ("accuracy", "maps"), (_BLUE, _RED), strict=True):
            axis.plot(
                [at[point.lam] for point in points],
                [_or_nan(getattr(point, name)) for point in points],
                "o",
                ms=2,
                color=_GREY,
            )
            centre = [row[name][0] for row in rows]
            bar = [row[name][1] for row in rows]
            axis.errorbar(range(len(rows)), centre, bar, fmt="o-", ms=4, lw=1, color=color, capsize=2)
            axis.set(xlabel="weight of the map loss, λ", xticks=range(len(rows)))
            axis.set_xticklabels([f"{row['lam']:g}" for row in rows])
        axes[0].set_ylabel("accuracy (%)")
        axes[1].set_ylabel("fraction of human\nmap variability (%)")
        null = null_line(ceiling or Ceiling())
        axes[1].axhline(null, ls="--", lw=1, color=_GREY)
        axes[1].annotate(
            "null between people",
            (1, null),
            (0, 2),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha="right",
            va="bottom",
            fontsize=7,
            color=_GREY,
        )
        _write(figure, path)


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _write(figure: "Figure", path: Path) -> None:
    files.write_bytes(path, figure_bytes(figure, path.suffix.removeprefix(".") or "png", dpi=200))
