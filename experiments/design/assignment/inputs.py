"""Which key or button means which option in a slot."""

from rapidvision.task.response import Option, Response


def n_turns(response: Response | None) -> int:
    """Return how many assignments of options to keys and buttons the slots take in turn; 1 where nothing turns."""
    if response is None or response.counterbalance == "none":
        return 1
    return max(1, len(_held(response)))


def inputs_of(response: Response | None, *, turn: int) -> dict[str, str]:
    """Return input -> option; the options move on over keys and buttons by one with each turn, areas never move.

    Examples
    --------
    >>> from rapidvision.formats.protocol_file import preset
    >>> inputs_of(preset("paper").response, turn=0), inputs_of(preset("paper").response, turn=1)
    ({'s': 'target', 'l': 'distractor'}, {'s': 'distractor', 'l': 'target'})
    """
    if response is None:
        return {}
    held = _held(response)
    by = turn % n_turns(response)
    names = [option.name for option in [*held[by:], *held[:by]]]
    moved = {
        word: name for option, name in zip(held, names, strict=True) for word in option.inputs if not _is_area(word)
    }
    return moved | {word: option.name for option in response.options for word in option.inputs if _is_area(word)}


def _held(response: Response) -> list[Option]:
    return [option for option in response.options if option.keys or option.buttons]


def _is_area(word: str) -> bool:
    return word.startswith("area:")
