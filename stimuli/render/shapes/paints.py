"""Colours and materials that things made by people have."""

import numpy as np

from . import surfaces
from .body import Body, Colour

Rng = np.random.Generator


def any_colour(rng: Rng, low: float = 0.06, high: float = 0.75) -> Colour:
    """A cloth or paint: any hue, mostly muted."""
    base = float(rng.uniform(low, high))
    tint = rng.dirichlet((1.2, 1.2, 1.2)) * 3.0
    strength = float(rng.uniform(0.1, 0.85))
    r, g, b = (float(v) for v in base * (1.0 - strength + strength * tint))
    return (min(r, 0.9), min(g, 0.9), min(b, 0.9))


def scaled(colour: Colour, factor: float) -> Colour:
    """A lighter or darker colour."""
    return (colour[0] * factor, colour[1] * factor, colour[2] * factor)


def timber(rng: Rng, b: Body) -> int:
    """Wood, painted wood or stone-coloured laminate."""
    kind = rng.random()
    if kind < 0.65:
        tone = float(rng.uniform(0.12, 0.6))
        first: Colour = (tone, tone * float(rng.uniform(0.5, 0.68)), tone * float(rng.uniform(0.22, 0.42)))
        return b.material(
            first,
            scaled(first, 0.62),
            pattern=surfaces.WOOD,
            scale=float(rng.uniform(4, 7)),
            mottle=0.4,
            bump=0.2,
            specular=0.1,
            gloss=4,
            phase=float(rng.uniform(0, 30)),
        )
    phase = float(rng.uniform(0, 30))
    if kind < 0.85:  # stone
        first = any_colour(rng, 0.15, 0.7)
        return b.material(
            first,
            scaled(first, float(rng.uniform(0.5, 0.8))),
            pattern=surfaces.PATCHES,
            scale=float(rng.uniform(5, 14)),
            mottle=0.35,
            specular=0.15,
            gloss=4,
            phase=phase,
        )
    return b.material(any_colour(rng, 0.1, 0.8), mottle=0.35, bump=0.1, specular=0.12, gloss=4)


#: Patterns of cloth with their scales, and how common each is.
CLOTHS = (
    (surfaces.WEAVE, 70.0), (surfaces.CHECKS, 26.0), (surfaces.DOTS, 40.0), (surfaces.STRIPES, 34.0),
    (surfaces.ZEBRA, 40.0), (surfaces.PATCHES, 6.0), (surfaces.HIDE, 7.0),
)  # fmt: skip
CLOTH_SHARES = (0.34, 0.1, 0.12, 0.1, 0.14, 0.12, 0.08)


def upholstery(rng: Rng, b: Body, colour: Colour) -> int:
    """Woven, checked, striped, dotted or plain cloth."""
    kind = int(rng.choice(len(CLOTHS), p=CLOTH_SHARES))
    pattern, scale = CLOTHS[kind]
    other = scaled(colour, 0.6) if kind == 0 else any_colour(rng, 0.1, 0.8)
    phase = float(rng.uniform(0, 30))
    return b.material(colour, other, pattern=pattern, scale=scale, mottle=0.4, bump=0.4, phase=phase)
