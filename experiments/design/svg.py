"""Small figures without a plotting library: boxes, lines and words as SVG."""

from collections.abc import Sequence
from html import escape  # xml.sax would import a web client


class Svg:
    """A white page in pixels, origin at the top left.

    Parameters
    ----------
    width, height : float
        Size in pixels.
    """

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._parts: list[str] = []

    def box(self, x: float, y: float, width: float, height: float, *, fill: str) -> None:
        """Fill a rectangle."""
        self._parts.append(f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{escape(fill)}"/>')

    def line(self, points: Sequence[tuple[float, float]], *, colour: str = "black", width: float = 1) -> None:
        """Draw a line through points."""
        path = " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
        self._parts.append(
            f'<polyline points="{path}" fill="none" stroke="{escape(colour)}" stroke-width="{width:g}"/>'
        )

    def text(self, x: float, y: float, words: str, *, size: float = 12, anchor: str = "start") -> None:
        """Write words with their base line at `y`."""
        self._parts.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" text-anchor="{escape(anchor)}">{escape(words)}</text>'
        )

    def document(self) -> str:
        """Return the whole page."""
        size = f'width="{self.width:g}" height="{self.height:g}" viewBox="0 0 {self.width:g} {self.height:g}"'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">\n'
            f'<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(self._parts) + "\n</svg>\n"
        )
