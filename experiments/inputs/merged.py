"""All input devices of a session as one."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol

from ..interfaces import Press


class InputPort(Protocol):
    """A device that can be read, looked after and closed."""

    def poll(self) -> Sequence[Press]:
        """Return what happened since the last call, stamped with the screen's clock."""
        ...

    def close(self) -> None:
        """Leave the device as it was found."""
        ...


class MergedInputs:
    """Several devices; presses come in order of time.

    Parameters
    ----------
    *ports : InputPort
        Keyboard, pointer, boxes. A port may also have `notes`, which returns what was unusual, and `look`, which
        compares its clock with the computer's while nothing is timed.

    Examples
    --------
    >>> class Port:
    ...     def __init__(self, *presses):
    ...         self.presses = list(presses)
    ...     def poll(self):
    ...         presses, self.presses = self.presses, []
    ...         return presses
    >>> merged = MergedInputs(Port(Press("s", 1.2)), Port(Press("button:2", 1.1)))
    >>> [press.input for press in merged.poll()], merged.poll()
    (['button:2', 's'], [])
    """

    def __init__(self, *ports: InputPort) -> None:
        self.ports = ports

    def poll(self) -> Sequence[Press]:
        """Return the presses and releases of all devices since the last call, in order of time."""
        new = [press for port in self.ports for press in port.poll()]
        if len(new) > 1:
            new.sort(key=lambda press: press.time_s)
        return new

    def notes(self) -> list[str]:
        """Return what was unusual since the last call."""
        return [note for notes in self._each("notes") for note in notes()]

    def look(self) -> None:
        """Compare the clocks of boxes with the computer's; for breaks, when nothing is timed."""
        for look in self._each("look"):
            look()

    def close(self) -> None:
        """Close every device, whatever state the others are in."""
        for port in self.ports:
            with suppress(Exception):
                port.close()

    def _each(self, name: str) -> list[Callable[[], Any]]:
        return [getattr(port, name) for port in self.ports if hasattr(port, name)]
