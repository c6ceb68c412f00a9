"""The report's sections on choices: the plan and what was done otherwise, and the analyses that could have been made."""

from collections.abc import Sequence
from typing import Any

from rapidvision.text.json_values import plain

from ...prereg.deviations import Deviation
from ...prereg.plan import Preregistration
from ...specifications.multiverse import Multiverse
from ..parts import Parts, bullets, figure, paragraph, table


def planned(plan: Preregistration, found: Sequence[Deviation]) -> Parts:
    """The plan's hash, and each deviation."""
    text = paragraph(f"Plan {plan.sha256[:16]}… of {plan.question or 'this study'}. Decision rule: {plan.decision}")
    if not found:
        return text + paragraph("No deviation: everything that the plan names was done as planned.")
    text += paragraph(f"Deviations from the plan: {len(found)}.", "notice")
    return text + table("deviations", ("what", "planned", "done"), found)


def other_analyses(found: Multiverse) -> Parts:
    """How many analyses decide alike, the specification curve, and both tables."""
    text = paragraph(found.sentence())
    text += paragraph(
        "The test of every level under every combination of late rule, exclusion, statistic and correction, with the same "
        "seed. Effect: mean over the levels of the difference over its standard error."
    )
    text += bullets(found.notes) + figure(
        found.drawing, "Every analysis in the order of its effect; the ring is the one reported."
    )
    for name, frame in (("multiverse_levels", found.levels_frame()), ("multiverse", found.to_frame())):
        text += table(name, [str(column) for column in frame], frame.itertuples(index=False, name=None))
    return text


def multiverse_results(found: Multiverse) -> dict[str, Any]:
    """What ``results.json`` holds of the multiverse."""
    return {
        "analyses": plain(found.to_frame()),
        "levels": plain(found.levels_frame()),
        "n_analyses": len(found.specifications),
        "same_answer": int(found.same_answer.sum()),
        "same_everywhere": int(found.same_everywhere.sum()),
        "notes": list(found.notes),
    }
