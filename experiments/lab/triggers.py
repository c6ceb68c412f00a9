"""Triggers to recording equipment, sent right after the flip they mark; trouble with them never disturbs a session."""

import importlib
from collections.abc import Callable
from typing import Any, Protocol

from rapidvision.errors import InputError, MissingExtra, did_you_mean


class TriggerPort(Protocol):
    """Something that takes a code from 1 to 255."""

    def send(self, code: int) -> None:
        """Send the code and return at once."""
        ...


class NullPort:
    """Sends nothing."""

    def send(self, code: int) -> None:
        """Do nothing."""


class SerialPort:
    """One byte per code on a serial port.

    Parameters
    ----------
    device : str
        Such as ``/dev/ttyUSB0`` or ``COM3``.
    baud : int
        Bits per second.
    """

    def __init__(self, device: str, *, baud: int = 115_200) -> None:
        serial = _need("serial", "pip install pyserial")
        try:
            self._port = serial.Serial(device, baud, timeout=0, write_timeout=0)  # never waits
        except (OSError, ValueError) as error:
            raise InputError(f"trigger serial:{device}: cannot be opened ({error})") from error

    def send(self, code: int) -> None:
        """Write one byte."""
        self._port.write(bytes((code,)))


class ParallelPort:
    """A code on the data lines of a parallel port, taken off at the next code or refresh.

    Parameters
    ----------
    address : str
        Device or address as pyparallel takes it, such as ``/dev/parport0`` or ``0x378``.
    """

    def __init__(self, address: str) -> None:
        parallel = _need("parallel", "pip install pyparallel")
        try:
            self._port = parallel.Parallel(address)
        except OSError as error:
            raise InputError(f"trigger parallel:{address}: cannot be opened ({error})") from error

    def send(self, code: int) -> None:
        """Set the data lines."""
        self._port.setData(code)


class LslPort:
    """A marker stream of the Lab Streaming Layer.

    Parameters
    ----------
    name : str
        Name of the stream.
    """

    def __init__(self, name: str) -> None:
        pylsl = _need("pylsl", "pip install pylsl")
        info = pylsl.StreamInfo(name, "Markers", 1, 0, "int32", f"rapidvision-{name}")
        self._outlet = pylsl.StreamOutlet(info)

    def send(self, code: int) -> None:
        """Push one sample."""
        self._outlet.push_sample([code])


def _need(package: str, remedy: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingExtra(f"this trigger needs {package}: {remedy}") from error


_PORTS: dict[str, Callable[[str], TriggerPort]] = {"serial": SerialPort, "parallel": ParallelPort, "lsl": LslPort}


def open_port(description: str) -> TriggerPort:
    """Open a trigger port.

    Parameters
    ----------
    description : str
        ``none``, ``serial:DEVICE``, ``parallel:ADDRESS`` or ``lsl:NAME``.

    Returns
    -------
    TriggerPort
        Ready.

    Raises
    ------
    InputError
        When the description cannot be read or the port cannot be opened; before the session, not in it.
    """
    kind, _, where = description.partition(":")
    if kind == "none":
        return NullPort()
    if kind not in _PORTS or not where:
        raise InputError(
            f'trigger: got "{description}"; none, serial:DEVICE, parallel:ADDRESS or lsl:NAME are allowed. '
            + did_you_mean(kind, ["none", *_PORTS])
        )
    return _PORTS[kind](where)


class Guarded:
    """A trigger port that may fail: the first failure switches it off and becomes a note.

    Parameters
    ----------
    port : TriggerPort
        The real one.
    """

    def __init__(self, port: TriggerPort) -> None:
        self._port: TriggerPort = port
        self.notes: list[str] = []

    def send(self, code: int) -> None:
        """Send the code, or note why that failed."""
        try:
            self._port.send(code)
        except Exception as error:
            self.notes.append(f"trigger_failed {type(error).__name__}: {error}; off from here")
            self._port = NullPort()
