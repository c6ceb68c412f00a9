"""What a study asked, in words: from its protocol and its plans, for the descriptions that travel with the data."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rapidvision import __version__
from rapidvision.protocol import Protocol
from rapidvision.task.phases import UNTIL_RESPONSE, Phase

if TYPE_CHECKING:
    from .sessions import Recorded


def task_description(protocol: Protocol) -> str:
    """Return a trial in words: its phases, its options, and the time for a response.

    Parameters
    ----------
    protocol : Protocol
        The task.

    Returns
    -------
    str
        Sentences without line breaks.

    Examples
    --------
    >>> from rapidvision.formats.protocol_file import preset
    >>> print(task_description(preset("paper")))
    A trial shows fixation (1100 to 1600 ms), stimulus (400 ms), blank (150 ms). Responses: target, distractor. \
Time zero is the onset of stimulus; the limit is 550 ms.
    """
    shown = ", ".join(f"{phase.id} ({_duration(phase)})" for phase in protocol.phases)
    sentences = [f"A trial shows {shown}."]
    response = protocol.response
    if response is not None:
        names = ", ".join(option.name for option in response.options)
        limit = response.limit_ms
        by = (
            f"; the limit is {limit} ms"
            if isinstance(limit, int)
            else f"; the limit is the factor {limit}" * bool(limit)
        )
        sentences.append(f"Responses: {names}. Time zero is the onset of {response.opens}{by}.")
        if response.withheld is not None:
            sentences.append(f"Not responding means {response.withheld}.")
        if response.press == "up":
            sentences.append("A key is held, and its release responds.")
    if protocol.questions:
        asked = ", ".join(f"{question.name} ({question.kind}, {question.ask})" for question in protocol.questions)
        sentences.append(f"Questions: {asked}.")
    if protocol.adaptive is not None:
        sentences.append(f"The factor {protocol.adaptive.over} follows the answers by {protocol.adaptive.method}.")
    return " ".join(sentences)


def _duration(phase: Phase) -> str:
    duration = phase.duration_ms
    if isinstance(duration, tuple):
        return f"{duration[0]} to {duration[1]} ms"
    if duration == UNTIL_RESPONSE:
        return "until the response"
    return f"{duration} ms" if isinstance(duration, int) else f"the factor {duration}"


def description_of(sessions: "Sequence[Recorded]") -> str:
    """Return in sentences what was asked in a study: its trials, and the categories that its sessions' plans show."""
    trials = [trial for session in sessions for trial in session.plan.trials()]
    images = [image for trial in trials for image in trial.images.values()]
    targets, others = (
        ", ".join(sorted({image.category for image in images if image.target is is_target}))
        for is_target in (True, False)
    )
    sets = f"targets ({targets}) and others ({others})" if targets and others else targets or others
    tasks = dict.fromkeys(task_description(session.plan.protocol) for session in sessions)
    return (
        f"Rapid categorization of partly revealed images of {sets}. {' '.join(tasks)} Exported by RapidVision "
        f"{__version__}."
    )
