"""What is said about a study before consent, by a server and in a bundle alike."""

from typing import Any

from ..study.plans import ServedStudy
from ..study.settings import ID_PARAMETERS
from ..study.translations import texts_for


def public_study(served: ServedStudy) -> dict[str, Any]:
    """Return what is said before consent."""
    settings = served.settings
    protocol = served.protocol
    return {
        "title": settings.title,
        "contact": settings.contact,
        "consent": settings.consent.strip(),
        "consent_sha256": settings.consent_sha256,
        "debrief": settings.debrief.strip(),
        "language": protocol.language,
        "words": texts_for(protocol.language),
        "screening": settings.screening,
        "presenter": settings.presenter,
        "background": protocol.display.background,
        "image_px": protocol.display.image_px,
        "id_parameters": [name for names in ID_PARAMETERS.values() for name in names],
        "simulate": False,
        "rehearsal": False,
    }
