"""The parser of the command line, which says what was probably meant, and what it does about the terminal."""

import argparse
import io
import os
import re
import sys
from typing import Any, NoReturn


class Parser(argparse.ArgumentParser):
    """A parser that says what was probably meant, and shows the usage of the verb that was given the wrong words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})  # an option has one word, in every release

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse unknown words here, in the verb's own parser: argparse would leave that to the outermost one."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            from rapidvision.errors import did_you_mean

            known = [name for action in self._actions for name in action.option_strings]
            word = unknown[0].partition("=")[0]
            hint = f". {did_you_mean(word, known)}" if word.startswith("-") else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return found, unknown

    def error(self, message: str) -> NoReturn:
        """End with usage and message; of a word that is no choice, name the closest."""
        wrong = re.match(r"argument (?P<what>.+?): invalid choice: '(?P<word>.*?)' \(", message)
        action = next((one for one in self._actions if wrong and _name_of(one) == wrong["what"]), None)
        if wrong and action is not None and action.choices is not None:
            from rapidvision.errors import did_you_mean

            hint = did_you_mean(wrong["word"], map(str, action.choices))
            message = f'argument {wrong["what"]}: got "{wrong["word"]}". {hint}'
        super().error(message)


def _name_of(action: argparse.Action) -> str:
    if isinstance(action.metavar, str) and not action.option_strings:
        return action.metavar
    return "/".join(action.option_strings) or action.dest


def output_is_closed() -> bool:
    """Whether the reader of standard output has gone (``| head``); if so, what is still to be written goes nowhere."""
    import select

    try:
        descriptor = sys.stdout.fileno()
    except (AttributeError, OSError, ValueError):  # no file: a notebook's, a test's, none at all
        return False
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        if not any(state & (select.POLLERR | select.POLLHUP) for _, state in poll.poll(0)):
            return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)  # Python flushes once more when it ends
    return True


def print_every_letter() -> None:
    """Write letters that the terminal's code page lacks as numbered escapes instead of stopping at them."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")
