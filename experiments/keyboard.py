"""A direct reader of psychtoolbox's key queue: no press is lost, however short, and each has its own time.

PsychoPy's ``Keyboard`` drops a press whose release arrived before the next look at it, so that most taps of 3 ms are
lost to a program that looks once per refresh. The queue itself holds every press; it is read here.
"""

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType, TracebackType
from typing import Any

from rapidvision.errors import InputError, MissingExtra
from rapidvision.protocol import Protocol

from .clock import Conversion
from .interfaces import ESCAPE, EXPERIMENTER, Press

_LIBRARIES = {
    "libasound": "apt-get install libasound2",
    "libjack": "apt-get install libjack-jackd2-0",
    "libusb": "apt-get install libusb-1.0-0",
    "libportaudio": "apt-get install libportaudio2",
}


#: Keys that PsychoPy names and every keyboard has; a protocol's keys must be among them.
KEYS = (*"abcdefghijklmnopqrstuvwxyz0123456789", "space", "left", "right", "up", "down", "tab", "return")


def check_keys(protocol: Protocol) -> None:
    """Refuse a protocol with keys, of options or of questions, that a session would not hear or needs itself.

    Raises
    ------
    InputError
        Names the field, the key and those that are allowed.

    Examples
    --------
    >>> from rapidvision.formats.protocol_file import preset
    >>> check_keys(preset("confidence"))
    """
    options = protocol.response.options if protocol.response is not None else ()
    named = [(f"response.options: {option.name}: keys", option.keys) for option in options]
    named += [(f"questions: {question.name}: keys", tuple(question.option_keys)) for question in protocol.questions]
    reserved = {ESCAPE: "it pauses a session"}
    if protocol.breaks.unlock == "experimenter":
        reserved[EXPERIMENTER] = "it is the experimenter's, who ends breaks with it"
    for field, keys in named:
        for key in keys:
            if key in reserved:
                raise InputError(f'{field}: got "{key}", which is reserved: {reserved[key]}; choose another key')
            if key not in KEYS:
                hint = f' Did you mean "{key.lower()}"?' if key.lower() in KEYS else ""
                raise InputError(
                    f'{field}: got "{key}", which is not on every keyboard; letters (in lower case), digits, space, tab, '
                    f"return, left, right, up and down are.{hint}"
                )


def labelled(names: Mapping[int, str], symbol: Callable[[int, int], int]) -> dict[int, str]:
    """Return key names by what is printed on the keys, where the names that came are those of an American keyboard.

    Parameters
    ----------
    names : mapping
        Psychtoolbox's key code on Linux → name by position.
    symbol : callable
        Returns the X11 symbol of a key code for a level, 0 without and 1 with Shift; letters and digits are their ASCII
        codes. X11's key codes are smaller than psychtoolbox's by one.

    Returns
    -------
    dict
        Code → name. A key in a letter's or digit's place that bears neither is named by its code. A layout without
        Latin letters leaves all names as they were.
    """
    found = dict(names)
    letters = set()
    for code, name in names.items():
        printed = [chr(each) for level in (0, 1) if 32 < (each := symbol(code - 1, level)) < 127]
        latin = [each for each in printed if each.isdigit() or "a" <= each <= "z"]
        if latin:
            found[code] = latin[0]
            letters |= {each for each in latin if each.isalpha()}
        elif len(name) == 1:
            found[code] = str(code)
    return found if len(letters) >= 20 else dict(names)


def load_hid() -> ModuleType:
    """Import psychtoolbox's keyboard part.

    Raises
    ------
    MissingExtra
        When it cannot be loaded; names the system library where that is the cause. Without psychtoolbox PsychoPy would
        run and record no key at all.
    """
    try:
        from psychtoolbox import hid
    except (ImportError, OSError) as error:
        remedy = next((how for library, how in _LIBRARIES.items() if library in str(error)), None)
        how = remedy or 'pip install "rapidvision[lab]"'
        raise MissingExtra(f"reading keys needs psychtoolbox, which does not load ({error}): {how}") from error
    module: ModuleType = hid
    return module


class QueueReader:
    """Every keyboard of the computer, read from psychtoolbox's queues.

    Parameters
    ----------
    names : mapping
        Key code → name, as PsychoPy has it.
    hid : module, optional
        psychtoolbox's ``hid``.
    conversion : Conversion, optional
        From psychtoolbox's clock, the wall clock on Linux, to the screen's; stamps are left as they are without it.

    Raises
    ------
    InputError
        When there is no keyboard.

    Notes
    -----
    Use it as a context: a queue that still runs when the program ends crashes it.
    """

    def __init__(
        self, names: Mapping[int, str], *, hid: Any | None = None, conversion: Conversion | None = None
    ) -> None:
        hid = load_hid() if hid is None else hid
        self._names, self._conversion = names, conversion
        indices, self.products, _ = hid.get_keyboard_indices()
        if not indices:
            raise InputError("no keyboard was found; plug one in (on Linux, check that X11 sees it)")
        self._devices = [hid.Keyboard(index) for index in indices]
        for device in self._devices:
            device.queue_start()

    def poll(self) -> Sequence[Press]:
        """Return the presses and releases since the last call, in order of time."""
        new: list[Press] = []
        if self._conversion is not None:
            self._conversion.look()
        for device in self._devices:
            while device.flush(flush_type=1):
                event, _ = device.queue_get_event()
                if event:
                    code = int(event["Keycode"])
                    name = str(self._names.get(code, code)).lower()
                    stamp_s = float(event["Time"])
                    time_s = stamp_s if self._conversion is None else self._conversion.convert(stamp_s)
                    new.append(Press(name, time_s, bool(event["Pressed"])))
        if len(new) > 1:
            new.sort(key=lambda press: press.time_s)
        return new

    def close(self) -> None:
        """Stop the queues and release them."""
        for device in self._devices:
            device.queue_stop()
            device._release_queue()  # noqa: SLF001  psychtoolbox has no public name for it
        self._devices = []

    def __enter__(self) -> "QueueReader":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()
