"""The images of a game as they are now, compared with those that were played."""

from rapidvision.errors import InputError

from .collected import RoundRecord
from .displayed import image_sha256
from .images import Deck

#: Why a round cannot be laid on today's image of its name.
MISSING, UNREADABLE, REPLACED = "image missing", "image unreadable", "image replaced since"


class Images:
    """Says of rounds whether their image is still there.

    Parameters
    ----------
    deck : Deck
        The image folder.
    """

    def __init__(self, deck: Deck) -> None:
        self.deck = deck
        self._now: dict[str, str] = {}

    def reason(self, record: RoundRecord) -> str:
        """Return why a round cannot be laid on today's image of its name; empty where it is the image played."""
        name = record.image_id
        if name not in self.deck.cards:
            return MISSING
        if name not in self._now:
            try:
                self._now[name] = image_sha256(self.deck.cards[name].path)
            except InputError:
                self._now[name] = ""
        if not self._now[name]:
            return UNREADABLE
        return "" if self._now[name] == record.image_sha256 else REPLACED
