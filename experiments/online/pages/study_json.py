"""What is said about a study before consent, by a server and in a bundle alike."""

from typing import Any

from ..study.plans import ServedStudy
from ..study.settings import ID_PARAMETERS
from ..study.translations import texts_for


def public_study(served: ServedStudy) -> dict[str, Any]:
    """Return what is said before consent."""
    settings = served.settings
    plan = next(iter(served.plans.values()))
    return {
        "title": settings.title,
        "contact": settings.contact,
        "consent": settings.consent.strip(),
        "consent_sha256": settings.consent_sha256,
        "debrief": settings.debrief.strip(),
        "language": plan.protocol.language,
        "words": texts_for(plan.protocol.language),
        "screening": settings.screening,
        "presenter": settings.presenter,
        "background": plan.protocol.background,
        "image_px": plan.protocol.image_px,
        "id_parameters": [name for names in ID_PARAMETERS.values() for name in names],
        "simulate": False,
        "rehearsal": False,
    }
