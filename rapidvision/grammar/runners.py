"""What each runner cannot do with a protocol, field by field. Nothing found means that it runs.

PsychoPy in the lab and the virtual screen of simulations run every valid protocol; the lab's refresh rate is checked
with :func:`too_short` before the first trial.
"""

from collections.abc import Callable, Iterator
from typing import Literal

from rapidvision.errors import InputError
from rapidvision.protocol import Protocol
from rapidvision.screen import refreshes

from .rules import Finding

Runner = Literal["lab", "simulation", "browser", "phone", "movie", "network"]


def _nothing(_: Protocol) -> Iterator[Finding]:
    return iter(())


def _browser(p: Protocol) -> Iterator[Finding]:
    """A browser with a keyboard."""
    if p.display.image_deg is not None:
        words = "a page knows neither the size of its screen nor the distance; leave it out, and image_px holds"
        yield Finding("display.image_deg", words)
    if p.breaks.unlock == "experimenter":
        yield Finding("breaks.unlock", '"experimenter" needs a person beside the participant; use "participant"')
    if p.response and any(option.buttons and not (option.keys or option.area) for option in p.response.options):
        yield Finding("response.options", "an option has buttons of a response box only; add keys or area")


def _phone(p: Protocol) -> Iterator[Finding]:
    """A browser without a keyboard."""
    yield from _browser(p)
    if p.response and any(option.inputs and not option.area for option in p.response.options):
        yield Finding("response.options", "a phone has no keys; give every option area = true")
    if p.response and p.response.press == "up":
        yield Finding("response.press", '"up" is the release of a key; a phone has no keys')


def _movie(p: Protocol) -> Iterator[Finding]:
    """A browser that plays one movie per trial, made before the session."""
    yield from _browser(p)
    if p.adaptive:
        yield Finding("adaptive", "a movie is made before the answers are known")
    if p.response and p.response.ends_trial:
        yield Finding("response.ends_trial", "a response cannot end a movie at a refresh")
    for index, phase in enumerate(p.phases):
        if "options" in (phase.kind, phase.overlay):
            yield Finding(f"phases[{index}]", "the page draws the options, not the movie")
        if phase.duration_ms == "response":
            yield Finding(f"phases[{index}].duration_ms", "a movie cannot wait for the response")


def _network(p: Protocol) -> Iterator[Finding]:
    """A network that looks at each image once."""
    if p.design.pair:
        yield Finding("design.pair", "a classifier answers about one image")
    if p.scored and p.scored.kind == "text":
        place = f"questions[{p.questions.index(p.scored)}]"
        yield Finding(place, "typed names are free; a network names one of a closed list")
    if p.response and p.response.correct not in ("target", "category"):
        yield Finding("response.correct", f'"{p.response.correct}" is no class of a network')
    if p.adaptive and p.adaptive.over != "level":
        yield Finding("adaptive.over", "a network does not see durations")


RUNNERS: dict[Runner, Callable[[Protocol], Iterator[Finding]]] = {
    "lab": _nothing,
    "simulation": _nothing,
    "browser": _browser,
    "phone": _phone,
    "movie": _movie,
    "network": _network,
}


def cannot(protocol: Protocol) -> dict[Runner, tuple[Finding, ...]]:
    """Return, for each runner, what it cannot do with a protocol and why; empty where it runs.

    Examples
    --------
    >>> from rapidvision.formats.protocol_file import preset
    >>> [runner for runner, found in cannot(preset("threshold")).items() if found]
    ['phone', 'movie']
    """
    return {name: tuple(rule(protocol)) for name, rule in RUNNERS.items()}


def refuse(protocol: Protocol, runner: Runner, *, name: str = "protocol") -> None:
    """Refuse a protocol that a runner cannot run.

    Raises
    ------
    InputError
        One line per field: which runner, and why.
    """
    found = tuple(RUNNERS[runner](protocol))
    if found:
        raise InputError("\n".join(f"{name}: {path}: {words} (runner: {runner})" for path, words in found))


def ignored_by_networks(protocol: Protocol) -> list[str]:
    """Return what a network's rows say that it did not see: durations, masks, cues, factors and questions."""
    kinds = {phase.kind for phase in protocol.phases}
    return [
        "durations",
        *(["masks"] if "mask" in kinds else []),
        *(["cues"] if "cue" in kinds else []),
        *(factor.name for factor in protocol.design.factors if factor.name not in ("map_source", "level")),
        *(q.name for q in protocol.questions if q.name != "confidence"),
    ]


def too_short(protocol: Protocol, refresh_hz: float) -> list[Finding]:
    """Return the phases that a refresh rate cannot show: they would get no refresh between their neighbours.

    Parameters
    ----------
    protocol : Protocol
        The task.
    refresh_hz : float
        Of the screen, > 0.

    Examples
    --------
    >>> from rapidvision.formats.protocol_file import preset
    >>> too_short(preset("masked"), 60), len(too_short(preset("masked"), 20))
    ([], 1)
    """
    found, since, last = [], 0, 0
    for index, phase in enumerate(protocol.phases):
        durations = _durations(protocol, index)
        if phase.kind == "stimulus" or len(durations) != 1:
            since = last = 0
        for ms in durations:
            if refreshes(since + ms, refresh_hz) <= last:
                words = f"{ms} ms is no refresh at {refresh_hz:g} Hz; the shortest there is {1000 / refresh_hz:.1f} ms"
                found.append(Finding(f"phases[{index}].duration_ms ({phase.id})", words))
                break
        if len(durations) == 1:
            since += durations[0]
            last = refreshes(since, refresh_hz)
        else:
            since = last = 0
    return found


def _durations(protocol: Protocol, index: int) -> tuple[int, ...]:
    """Durations that a phase may have: one, the ends of a range, the values of a factor; none until the response."""
    wanted = protocol.phases[index].duration_ms
    if isinstance(wanted, str):
        factor = protocol.factor(wanted)
        return tuple(int(value) for value in factor.values) if factor else ()
    return (wanted,) if isinstance(wanted, int) else tuple(dict.fromkeys(wanted))
