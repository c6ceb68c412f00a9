"""Where a game's maps lie on the original photographs, ``crops.csv``: written by ``clickme export`` for the users.

The game shows the middle square of an image, scaled to the game's side. A map or a click of the game is laid on the
original by :meth:`Crop.on_original`.
"""

from typing import Annotated

import msgspec

from rapidvision.text.typed_table import TypedTable

NAME = "crops.csv"
#: The authors' table of image sizes: a dict ``category/file`` → (width, height) in a ``.npy``, of the images as played.
SIZES = "image_sizes.npy"
Pixels = Annotated[int, msgspec.Meta(ge=1)]


class Crop(msgspec.Struct, frozen=True, kw_only=True):
    """The part of one image that the game showed; the fields are the table's columns, in this order.

    Attributes
    ----------
    image_id, path : str
        The image, and its file in the game's image folder.
    image_sha256 : str
        Hash of its decoded pixels.
    width_px, height_px : int
        Of the original.
    left_px, top_px, side_px : float
        The square of the original that was shown: its left and upper edge and its side.
    image_px : int
        Side of the square as shown; the frame of maps and clicks.
    """

    image_id: str
    path: str
    image_sha256: str
    width_px: Pixels
    height_px: Pixels
    left_px: float
    top_px: float
    side_px: float
    image_px: Pixels

    def on_original(self, x: float, y: float) -> tuple[float, float]:
        """Return the place on the original of a place in the game; both count from the middle of the first pixel.

        Examples
        --------
        >>> crop = Crop(image_id="a", path="a.jpg", image_sha256="", width_px=800, height_px=600, left_px=100.0,
        ...             top_px=0.0, side_px=600.0, image_px=300)
        >>> crop.on_original(0, 299)
        (100.5, 598.5)
        """
        scale = self.side_px / self.image_px
        return self.left_px + (x + 0.5) * scale - 0.5, self.top_px + (y + 0.5) * scale - 0.5


#: The table: its columns, version, writer and reader.
TABLE = TypedTable(
    Crop, version=1, what="the crops.csv of a ClickMe export", remedy="write it with `rapidvision clickme export`"
)
