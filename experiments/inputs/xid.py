"""The protocol of Cedrus response pads (XID): what goes over the line, byte by byte; no line is opened here.

A press or a release is a packet of six bytes: ``k``, a byte with the port (bits 0 to 3), whether the button went down
(bit 4) and the button (bits 5 to 7, 0 for 8), and the pad's response timer in ms, four bytes with the lowest first.
``_c1`` asks for the mode and is answered ``_xid`` and a digit; ``c10`` sets the mode that sends such packets, ``e5`` sets
the response timer to zero, ``_d2`` and ``_d3`` ask for product and model, a character each.
"""

import struct
from typing import NamedTuple

ASK_MODE, SET_MODE, RESET_TIMER = b"_c1", b"c10", b"e5"
ASK_PRODUCT, ASK_MODEL = b"_d2", b"_d3"
#: The answer to `ASK_MODE` of a pad that sends packets.
MODE = b"_xid0"
_PACKET = struct.Struct("<cBI")
_DOWN, _PORT = 0x10, 0x0F


class ButtonEvent(NamedTuple):
    """A button of a pad.

    Attributes
    ----------
    button : int
        From 1.
    down : bool
        False when it was released.
    timer_ms : int
        The pad's response timer, in ms.
    """

    button: int
    down: bool
    timer_ms: int


def packet(event: ButtonEvent, *, port: int = 0) -> bytes:
    """Return the packet of an event, as a pad sends it.

    Examples
    --------
    >>> packet(ButtonEvent(2, True, 1000)).hex()
    '6b50e8030000'
    """
    return _PACKET.pack(b"k", (event.button % 8) << 5 | (_DOWN if event.down else 0) | port, event.timer_ms)


class XidReader:
    """Takes bytes as they come and returns what they say; bytes that belong to nothing are passed over and counted.

    Attributes
    ----------
    n_strange : int
        Bytes that were passed over.

    Examples
    --------
    >>> reader = XidReader()
    >>> reader.feed(packet(ButtonEvent(2, True, 1000))[:4]), reader.feed(packet(ButtonEvent(2, True, 1000))[4:])
    ([], [ButtonEvent(button=2, down=True, timer_ms=1000)])
    >>> reader.feed(b"?_xid0"), reader.n_strange
    ([b'_xid0'], 1)
    """

    def __init__(self) -> None:
        self._buffer = b""
        self.n_strange = 0

    def feed(self, new: bytes) -> list[ButtonEvent | bytes]:
        """Return the events and the answers to `ASK_MODE` that are complete; events of other ports than 0 are left out."""
        self._buffer += new
        found: list[ButtonEvent | bytes] = []
        while self._buffer:
            if self._buffer.startswith(b"k"):
                if len(self._buffer) < _PACKET.size:
                    break
                _, what, timer_ms = _PACKET.unpack_from(self._buffer)
                self._buffer = self._buffer[_PACKET.size :]
                if not what & _PORT:
                    found.append(ButtonEvent(what >> 5 or 8, bool(what & _DOWN), timer_ms))
            elif b"_xid".startswith(self._buffer[:4]):
                if len(self._buffer) < len(MODE):
                    break
                found.append(self._buffer[: len(MODE)])
                self._buffer = self._buffer[len(MODE) :]
            else:
                self.n_strange += 1
                self._buffer = self._buffer[1:]
        return found
