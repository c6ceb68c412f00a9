"""What a protocol asks of a network: which options there are, and what each stands for."""

from dataclasses import dataclass

from rapidvision.errors import InputError
from rapidvision.grammar.runners import ignored_by_networks, refuse
from rapidvision.protocol import Protocol
from rapidvision.task.questions import Question
from rapidvision.task.response import Scalar

#: Name of the question that a network answers from its scores.
CONFIDENCE = "confidence"


@dataclass(frozen=True, slots=True)
class NetworkTask:
    """A task as a network meets it.

    Attributes
    ----------
    options : tuple of str
        Names of the options, in the protocol's order.
    categories : tuple of tuple of str
        The categories that each option stands for; empty where the task is target against distractor.
    target, distractor : str
        The options for a target and for none; empty in a task about categories.
    asks : str
        The scored question whose options these are; empty where the response is scored.
    confidence : Question or None
        The question that is answered from the scores.
    ignored : tuple of str
        What a network cannot see.
    """

    options: tuple[str, ...]
    categories: tuple[tuple[str, ...], ...] = ()
    target: str = ""
    distractor: str = ""
    asks: str = ""
    confidence: Question | None = None
    ignored: tuple[str, ...] = ()

    @property
    def by_category(self) -> bool:
        """Whether the options stand for categories."""
        return bool(self.categories)


def task_of(protocol: Protocol) -> NetworkTask:
    """Return the task of a protocol for networks.

    Parameters
    ----------
    protocol : Protocol
        Any.

    Returns
    -------
    NetworkTask
        Its options and what they stand for.

    Raises
    ------
    InputError
        When a network cannot do it: names the field and the reason.

    Examples
    --------
    >>> from rapidvision.formats.protocol_file import preset
    >>> task_of(preset("paper")).target, task_of(preset("sixteen-way")).by_category
    ('target', True)
    """
    refuse(protocol, "network", name=protocol.name)
    ignored = tuple(ignored_by_networks(protocol))
    confidence = next((q for q in protocol.questions if q.name == CONFIDENCE and q.ask == "trial"), None)
    if confidence is not None and confidence.kind == "text":
        raise InputError(f"{protocol.name}: questions: confidence is a text; a network gives a rating or a number")
    scored, response = protocol.scored, protocol.response
    if scored is not None:
        if scored.correct != "category":
            raise InputError(f'{protocol.name}: questions: "{scored.correct}" is no class of a network')
        words = tuple((option,) for option in scored.options)
        return NetworkTask(scored.options, words, asks=scored.name, confidence=confidence, ignored=ignored)
    if response is None:
        raise InputError(f"{protocol.name}: response: nothing is answered, so a network has nothing to do")
    names = tuple(option.name for option in response.options)
    if response.correct == "category":
        matches = (tuple(str(value) for value in option.matches) or (option.name,) for option in response.options)
        return NetworkTask(names, tuple(matches), confidence=confidence, ignored=ignored)
    target, distractor = (_option_for(protocol, value) for value in (True, False))
    return NetworkTask(names, target=target, distractor=distractor, confidence=confidence, ignored=ignored)


def _option_for(protocol: Protocol, value: Scalar) -> str:
    options = protocol.response.options if protocol.response else ()
    for option in options:
        if any(one is value for one in option.matches):
            return option.name
    raise InputError(
        f"{protocol.name}: response.options: none matches {str(value).lower()}; a network says target or distractor"
    )
