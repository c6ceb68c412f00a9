"""Ports to recording equipment: serial, parallel and the Lab Streaming Layer; codes on lines return to zero."""

import importlib
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from rapidvision.errors import InputError, MissingExtra, did_you_mean
from rapidvision.system import platforms

#: How long a pulse stays on the lines, at most; on fast displays half a refresh.
PULSE_S = 0.005
_LONGEST_NOTE = 160


class TriggerPort(Protocol):
    """Something that takes a code from 1 to 255."""

    def send(self, code: int) -> None:
        """Send the code and return at once."""
        ...

    def close(self) -> None:
        """Leave the port as it was found."""
        ...


class NullPort:
    """Sends nothing."""

    def send(self, code: int) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class Pulsed:
    """Codes as pulses: the code, and zero again a few milliseconds later.

    Parameters
    ----------
    put : callable
        Sets the lines to a value from 0 to 255.

    Attributes
    ----------
    width_s : float
        How long a code stays.

    Notes
    -----
    The code is put by the caller, right after the flip; a thread of its own takes it off, so that nothing waits.
    """

    def __init__(self, put: Callable[[int], object]) -> None:
        self._put, self.width_s = put, PULSE_S
        self._wake = threading.Condition()
        self._high = self._closed = False
        self._trouble: Exception | None = None
        put(0)
        self._thread = threading.Thread(target=self._lower, daemon=True)
        self._thread.start()

    def send(self, code: int) -> None:
        """Put the code on the lines; trouble in taking the one before off is raised afterwards."""
        with self._wake:
            self._put(code)
            self._high = True
            self._wake.notify()
            trouble, self._trouble = self._trouble, None
        if trouble is not None:
            raise trouble

    def close(self) -> None:
        """Take the last code off and stop."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()

    def _lower(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._high or self._closed)
                if not self._high:
                    return
            time.sleep(self.width_s)
            with self._wake:
                self._high = False
                try:
                    self._put(0)
                except Exception as error:
                    self._trouble = error


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

    def close(self) -> None:
        """Close the port."""
        self._port.close()


class SerialPulsePort(Pulsed):
    """A byte per code and a zero byte after it, for boxes that hold the last byte on their lines.

    Parameters
    ----------
    device : str
        As of :class:`SerialPort`.
    """

    def __init__(self, device: str) -> None:
        self._serial = SerialPort(device)
        super().__init__(self._serial.send)

    def close(self) -> None:
        """Take the last code off and close the port."""
        super().close()
        self._serial.close()


class ParallelPort(Pulsed):
    """A code on the data lines of a parallel port, taken off after 5 ms or half a refresh, whichever is shorter.

    Parameters
    ----------
    address : str
        The device on Linux, such as ``/dev/parport0``; the port's number on Windows, such as ``0x378``.

    Raises
    ------
    InputError
        When the address is not of the system's kind, or the port cannot be opened.
    """

    def __init__(self, address: str) -> None:
        number = _number(address)
        if not platforms.ports_by_number() and number is not None:
            raise InputError(
                f"trigger parallel:{address}: here a parallel port is a device such as parallel:/dev/parport0"
            )
        if platforms.ports_by_number() and number is None:
            raise InputError(f"trigger parallel:{address}: on Windows a port's number such as parallel:0x378 is needed")
        parallel = _need("parallel", "pip install pyparallel")
        try:
            port = parallel.Parallel(address if number is None else number)
            super().__init__(port.setData)
        except Exception as error:  # drivers raise what they like
            raise InputError(f"trigger parallel:{address}: cannot be opened ({one_line(error)})") from error


def _number(address: str) -> int | None:
    try:
        return int(address, 0)
    except ValueError:
        return None


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

    def close(self) -> None:
        """Nothing is left on."""


def _need(package: str, remedy: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingExtra(f"this trigger needs {package}: {remedy}") from error


_PORTS: dict[str, Callable[[str], TriggerPort]] = {
    "serial": SerialPort,
    "serial-pulse": SerialPulsePort,
    "parallel": ParallelPort,
    "lsl": LslPort,
}


def open_port(description: str) -> TriggerPort:
    """Open a trigger port.

    Parameters
    ----------
    description : str
        ``none``, ``serial:DEVICE``, ``serial-pulse:DEVICE``, ``parallel:ADDRESS`` or ``lsl:NAME``.

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
            f'trigger: got "{description}"; none, serial:DEVICE, serial-pulse:DEVICE, parallel:ADDRESS or '
            "lsl:NAME are allowed. " + did_you_mean(kind, ["none", *_PORTS])
        )
    return _PORTS[kind](where)


def one_line(error: Exception) -> str:
    r"""Return an error's text without line breaks and tabs, cut to what fits into a table.

    Examples
    --------
    >>> one_line(OSError("lost\n(22)\tcode 31"))
    'lost (22) code 31'
    """
    return " ".join(str(error).split())[:_LONGEST_NOTE]
