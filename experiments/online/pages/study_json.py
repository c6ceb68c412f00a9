"""What is said about a study before consent, by a server and in a bundle alike."""

import math
from typing import Any

import msgspec

from rapidvision.grammar.runners import too_short
from rapidvision.protocol import Protocol

from ..study.plans import ServedStudy
from ..study.settings import ID_PARAMETERS, Screening
from ..study.translations import texts_for


def needs_keys(served: ServedStudy) -> bool:
    """Whether an option of the task can be given with a key only."""
    response = served.protocol.response
    return any(option.inputs and not option.area for option in response.options) if response else False


def least_hz(protocol: Protocol, screening: Screening) -> float:
    """Return the slowest refresh rate that a screen may have: from there on every phase gets a refresh.

    Examples
    --------
    >>> from rapidvision.formats.protocol_file import preset
    >>> least_hz(preset("masked"), Screening()), least_hz(preset("masked"), Screening(min_hz=15))
    (50, 31)
    """
    rates = range(math.ceil(screening.min_hz), math.floor(screening.max_hz) + 1)
    short = [hz for hz in rates if too_short(protocol, hz)]
    return short[-1] + 1 if short else screening.min_hz


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
            settings.screening,
            keyboard=settings.screening.keyboard and needs_keys(served),
            min_hz=least_hz(protocol, settings.screening),
        ),
        "presenter": settings.presenter,
        "background": protocol.display.background,
        "image_px": protocol.display.image_px,
        "id_parameters": [name for names in ID_PARAMETERS.values() for name in names],
        "simulate": False,
        "rehearsal": False,
    }
