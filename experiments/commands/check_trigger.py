"""``rapidvision check trigger``: a staircase of codes, and with a loop-back what came back."""

import argparse

import msgspec

from rapidvision.cli import give, say
from rapidvision.errors import InputError
from rapidvision.system import files

from ..triggers.ports import NullPort, SerialPort, SerialPulsePort, one_line, open_port
from ..triggers.staircase import STAIRCASE, Loop, run_staircase


def run(arguments: argparse.Namespace) -> int:
    """Send the codes and say what was found; 1 when a code was lost or did not return to zero."""
    port = open_port(arguments.trigger, width_ms=arguments.trigger_ms)
    other: SerialPort | None = None
    try:
        if isinstance(port, NullPort):
            raise InputError("--trigger none: there is nothing to check; name a port such as serial:/dev/ttyUSB0")
        loop: Loop | None = None
        if arguments.loop_back == "wired":
            if not isinstance(port, SerialPort | SerialPulsePort):
                raise InputError(
                    "--loop-back wired: only serial ports read what they send; name a serial port that is wired to it"
                )
            loop = port
        elif arguments.loop_back is not None:
            loop = other = SerialPort(arguments.loop_back.removeprefix("serial:"))
        try:
            found = run_staircase(
                port, STAIRCASE * arguments.n_rounds, loop=loop, tell=lambda code: say(arguments, f"code {code}")
            )
        except OSError as error:
            raise InputError(f"trigger {arguments.trigger}: a code could not be sent ({one_line(error)})") from error
    finally:
        port.close()
        if other is not None:
            other.close()
    say(arguments, found.sentence())
    give(arguments, msgspec.to_builtins(found))
    if arguments.out is not None:
        files.write_json(arguments.out, found)
    return 0 if found.passed else 1
