"""The card of a network in an ONNX file: written by ``models export-onnx``, read by the ClickMe game's partner."""

from collections.abc import Mapping

import msgspec

from rapidvision.errors import InputError
from rapidvision.text.typed_json import TypedJson

#: Key of the card among the file's metadata.
KEY = "rapidvision"
CARD_VERSION = 1


class OnnxCard(msgspec.Struct, frozen=True, kw_only=True):
    """What a network in an ONNX file answers, and what it expects.

    Attributes
    ----------
    version : int
        Version of this form.
    name : str
        The network's id.
    categories : tuple of str
        Names of the classes, in the order of its probabilities.
    image_px : int
        Side of the square images that go in: uint8 (n, image_px, image_px, 3).
    """

    version: int = CARD_VERSION
    name: str
    categories: tuple[str, ...]
    image_px: int


CARD = TypedJson(OnnxCard, version=CARD_VERSION, remedy="make the file again with `rapidvision models export-onnx`")


def metadata_of(card: OnnxCard) -> dict[str, str]:
    """Return the card as metadata of an ONNX file: key → text.

    Examples
    --------
    >>> card = OnnxCard(name="gala", categories=("cat", "couch"), image_px=256)
    >>> read_card(metadata_of(card), name="gala.onnx") == card
    True
    """
    return {KEY: CARD.text(card)}


def read_card(metadata: Mapping[str, str], *, name: str) -> OnnxCard:
    """Read the card from the metadata of an ONNX file; `name` stands for the file in messages.

    Raises
    ------
    InputError
        When there is no card, or it is of another version, or a key is missing or does not fit.
    """
    if KEY not in metadata:
        raise InputError(f"{name}: does not name its classes; {CARD.remedy}")
    return CARD.parse(metadata[KEY], name=f"{name}: card")
