"""The input devices of one session: opened together, closed together, and what the journal says about them."""

import gc
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Protocol

import msgspec

from rapidvision.errors import InputError
from rapidvision.protocol import Protocol as Task

from ..clock import Clock
from ..keyboard import QueueReader
from .boxes import TELL_NO_RELEASES, Box, open_box
from .merged import MergedInputs
from .pointer import PointerPort


class Window(Protocol):
    """What devices need of the window: its clock, its pointer, and that it asks for their notes."""

    clock: Clock
    more_notes: list[Callable[[], list[str]]]

    def open_pointer(self) -> PointerPort:
        """Return mouse and touch as an input port."""
        ...


def check_boxes(protocol: Task, boxes: Sequence[str]) -> None:
    """Refuse a task whose options need a response box where none is named, or one that cannot tell what is needed.

    Raises
    ------
    InputError
        Names the option and says what to do.
    """
    response = protocol.response
    for option in response.options if response is not None else ():
        if not option.buttons:
            continue
        if not boxes and not (option.keys or option.area):
            raise InputError(
                f"response.options: {option.name}: has buttons of a response box only; name the box, as in --box "
                "cedrus:/dev/ttyUSB0, or give the option keys"
            )
        deaf = [box for box in boxes if box.partition(":")[0] in TELL_NO_RELEASES]
        if response is not None and response.press == "up" and deaf:
            raise InputError(
                f'box: got {deaf[0]}, which tells no releases, and response.press is "up"; use a serial-state or cedrus box'
            )


class Devices:
    """Keyboards, the pointer where options can be clicked, and response boxes, as one.

    Parameters
    ----------
    window : Window
        Open.
    keys : QueueReader
        The keyboards; they stay the caller's to close.
    clicks : bool
        Whether options can be clicked or touched.
    boxes : sequence of str
        Response boxes; see :func:`~rapidvision.experiments.inputs.boxes.open_box`.

    Attributes
    ----------
    boxes : list of Box
        Open.
    merged : MergedInputs
        All devices in order of time.

    Raises
    ------
    InputError
        When a box cannot be opened or does not answer.
    """

    def __init__(self, window: Window, keys: QueueReader, *, clicks: bool, boxes: Sequence[str] = ()) -> None:
        self._keys, self.boxes = keys, list[Box]()
        self._pointer = window.open_pointer() if clicks else None
        try:
            for port in boxes:
                self.boxes.append(open_box(port, window.clock))
        except BaseException:
            self.close()
            raise
        self.merged = MergedInputs(keys, *([self._pointer] if self._pointer else []), *self.boxes)
        window.more_notes.append(self.merged.notes)

    def record(self) -> dict[str, Any]:
        """Return how each device is stamped, for the journal."""
        found: dict[str, Any] = {"keyboards": list(self._keys.products)}
        if self._pointer is not None:
            found["pointer"] = self._pointer.stamped
        if self.boxes:
            found["boxes"] = msgspec.to_builtins([box.record for box in self.boxes])
        return found

    def between(self) -> None:
        """Collect garbage and compare the boxes' clocks, while nothing is timed."""
        gc.collect()
        self.merged.look()

    def close(self) -> None:
        """Close pointer and boxes."""
        for port in (self._pointer, *self.boxes):
            if port is not None:
                port.close()

    def __enter__(self) -> "Devices":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()
