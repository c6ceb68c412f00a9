"""How answers came about, in the words of the record beside a table."""

from .class_lists import list_named
from .task import NetworkTask

_TIES = "a stimulus whose evidence is 0 is answered wrongly, except where an answer is drawn (stochastic)"
_TIES_OF_CATEGORIES = "of equally probable options the last in alphabetical order"
_CONFIDENCE = (
    "the rank of the answer's strength among the stimuli of the plans, in equal parts; strength is the distance of the log "
    "odds from 0, or the share of the most probable option; an answer drawn against the evidence has the least"
)


def ties_of(task: NetworkTask) -> str:
    """How stimuli without evidence either way are answered."""
    return _TIES_OF_CATEGORIES if task.by_category else _TIES


def confidence_of(task: NetworkTask) -> str:
    """Where answers to the question of confidence come from; empty where it is not asked."""
    return _CONFIDENCE if task.confidence is not None else ""


def readout_of(read_by: str, readout: str, *, probes: bool) -> str:
    """How scores become answers.

    Parameters
    ----------
    read_by : str
        The class list of a task about categories; empty elsewhere.
    readout : str
        The network's readout.
    probes : bool
        Whether linear probes answer.

    Examples
    --------
    >>> readout_of("", "binary", probes=False)
    'binary'
    """
    if probes:
        return "cross-validated linear probes"
    if not read_by:
        return readout
    source = "the network's own classes" if read_by == "own" else list_named(read_by).source
    return f"{read_by}: mean probability of each category's classes ({source})"
