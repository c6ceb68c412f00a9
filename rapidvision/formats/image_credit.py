"""Where a picture of a stimulus set comes from, and on what terms."""

import msgspec


class ImageCredit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a picture comes from and on what terms.

    Attributes
    ----------
    image_id : str
        The picture.
    sha256 : str
        Hash of the source file.
    credit, licence : str
        Who made it, and the terms; empty where unknown.
    """

    image_id: str
    sha256: str
    credit: str = ""
    licence: str = ""
