"""What is said about a study before consent, by a server and in a bundle alike."""

from typing import Any

import msgspec

from ..study.plans import ServedStudy
from ..study.settings import ID_PARAMETERS
from ..study.translations import texts_for


def needs_keys(served: ServedStudy) -> bool:
    """Whether an option of the task can be given with a key only."""
    response = served.protocol.response
    return any(option.inputs and not option.area for option in response.options) if response else False


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
        "screening": msgspec.structs.replace(
            settings.screening, keyboard=settings.screening.keyboard and needs_keys(served)
        ),
        "presenter": settings.presenter,
        "background": protocol.display.background,
        "image_px": protocol.display.image_px,
        "id_parameters": [name for names in ID_PARAMETERS.values() for name in names],
        "simulate": False,
        "rehearsal": False,
    }
