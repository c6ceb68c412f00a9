"""Ports to recording equipment: serial, parallel and the Lab Streaming Layer; codes on lines return to zero."""

from collections.abc import Callable
from typing import Any, Protocol

from rapidvision.errors import InputError, MissingExtra, did_you_mean
from rapidvision.system import platforms
from rapidvision.system.extras import need

from .pulses import Pulses

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


class SerialPort:
    """One byte per code on a serial port.

    Parameters
    ----------
    address : str
        Device, such as ``/dev/ttyUSB0`` or ``COM3``, with ``@SPEED`` in bits per second where it is not 115,200.

    Raises
    ------
    InputError
        When the address cannot be read or the port cannot be opened.
    """

    def __init__(self, address: str) -> None:
        self._serial = _need("serial")
        self._device, _, speed = address.rpartition("@") if "@" in address else (address, "", "115200")
        if not self._device or not speed.isdigit():
            raise InputError(
                f'trigger serial:{address}: got "{speed}"; a speed such as @115200 is needed behind the device'
            )
        self._speed = int(speed)
        try:
            self._port = self._open()
        except (OSError, ValueError) as error:
            raise InputError(f"trigger serial:{address}: cannot be opened ({one_line(error)})") from error

    def _open(self) -> Any:
        return self._serial.serial_for_url(self._device, self._speed, timeout=0, write_timeout=0)  # never waits

    def send(self, code: int) -> None:
        """Write one byte."""
        self._port.write(bytes((code,)))

    def received(self) -> bytes:
        """Return what has arrived on the same port since the last call: on a port whose ends are wired, what was sent."""
        return bytes(self._port.read(256))

    def reopen(self) -> None:
        """Open the port again, after it was unplugged."""
        self._port.close()
        self._port = self._open()

    def close(self) -> None:
        """Close the port."""
        self._port.close()


class SerialPulsePort(Pulses):
    """A byte per code and a zero byte after it, for boxes that hold the last byte on their lines.

    Parameters
    ----------
    address : str
        As of :class:`SerialPort`.
    width_s : float, optional
        As of :class:`Pulses`.
    """

    def __init__(self, address: str, *, width_s: float | None = None) -> None:
        self._line = SerialPort(address)
        self.received, self.reopen = self._line.received, self._line.reopen
        super().__init__(self._line.send, width_s=width_s)

    def close(self) -> None:
        """Take the last code off and close the port."""
        super().close()
        self._line.close()


class ParallelPort(Pulses):
    """A code on the data lines of a parallel port, taken off after its width.

    Parameters
    ----------
    address : str
        The device on Linux, such as ``/dev/parport0``; the port's number on Windows, such as ``0x378``. As in PsychoPy,
        which gives the driver on Windows.
    width_s : float, optional
        As of :class:`Pulses`.

    Raises
    ------
    InputError
        When the address is not of the system's kind, or the port cannot be opened.
    """

    def __init__(self, address: str, *, width_s: float | None = None) -> None:
        number = _number(address)
        if not platforms.ports_by_number() and number is not None:
            raise InputError(
                f"trigger parallel:{address}: here a parallel port is a device such as parallel:/dev/parport0"
            )
        if platforms.ports_by_number() and number is None:
            raise InputError(f"trigger parallel:{address}: on Windows a port's number such as parallel:0x378 is needed")
        try:
            super().__init__(_lines(address, number), width_s=width_s)
        except MissingExtra:
            raise
        except Exception as error:  # drivers raise what they like
            raise InputError(f"trigger parallel:{address}: cannot be opened ({one_line(error)})") from error


def _lines(address: str, number: int | None) -> Callable[[int], object]:
    """Return what sets a port's data lines: PsychoPy's driver (inpout32, dlportio) on Windows, pyparallel elsewhere."""
    if number is None:
        port = _need("parallel").Parallel(address)
    else:
        driver = need("psychopy.parallel", extra="lab", purpose="a parallel port on Windows").ParallelPort
        if driver is None:
            raise OSError("no driver: install inpout32 or inpoutx64")
        port = driver(address=number)
    put: Callable[[int], object] = port.setData
    return put


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
        pylsl = _need("pylsl")
        info = pylsl.StreamInfo(name, "Markers", 1, 0, "int32", f"rapidvision-{name}")
        self._outlet = pylsl.StreamOutlet(info)

    def send(self, code: int) -> None:
        """Push one sample."""
        self._outlet.push_sample([code])

    def close(self) -> None:
        """Nothing is left on."""


def _need(package: str) -> Any:
    return need(package, extra="triggers", purpose="this trigger")


_KINDS = ("serial", "serial-pulse", "parallel", "lsl")


def open_port(description: str, *, width_ms: float | None = None) -> TriggerPort:
    """Open a trigger port.

    Parameters
    ----------
    description : str
        ``none``, ``serial:DEVICE``, ``serial-pulse:DEVICE``, ``parallel:ADDRESS`` or ``lsl:NAME``; behind a serial device
        ``@SPEED`` in bits per second where it is not 115,200.
    width_ms : float, optional
        How long a code stays on the lines, for ``parallel`` and ``serial-pulse``; by default 5 ms, or half a refresh
        where that is shorter.

    Returns
    -------
    TriggerPort
        Ready.

    Raises
    ------
    InputError
        When the description or the width cannot be used or the port cannot be opened; before the session, not in it.
    MissingExtra
        When the package for this kind of port is absent.
    """
    kind, _, where = description.partition(":")
    if width_ms is not None and (kind not in ("parallel", "serial-pulse") or not 0.5 <= width_ms <= 100):
        raise InputError(
            f"trigger-ms: got {width_ms:g} ms for {description}; 0.5 to 100 are allowed, for parallel and serial-pulse ports, "
            "whose codes return to zero"
        )
    width_s = None if width_ms is None else width_ms / 1000
    if kind == "none":
        return NullPort()
    if kind not in _KINDS or not where:
        raise InputError(
            f'trigger: got "{description}"; none, serial:DEVICE, serial-pulse:DEVICE, parallel:ADDRESS or '
            "lsl:NAME are allowed. " + did_you_mean(kind, ["none", *_KINDS])
        )
    if kind == "serial":
        return SerialPort(where)
    if kind == "lsl":
        return LslPort(where)
    return (ParallelPort if kind == "parallel" else SerialPulsePort)(where, width_s=width_s)


def one_line(error: Exception) -> str:
    r"""Return an error's text without line breaks and tabs, cut to what fits into a table.

    Examples
    --------
    >>> one_line(OSError("lost\n(22)\tcode 31"))
    'lost (22) code 31'
    """
    return " ".join(str(error).split())[:_LONGEST_NOTE]
