"""Does this screen keep time? Measured before every session and by ``rapidvision check timing``.

Each check is green, yellow (recorded) or red (the session is refused, unless somebody accepts it, which is recorded).
"""

import shutil
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from rapidvision.errors import CheckFailed, InputError, did_you_mean
from rapidvision.grammar.runners import too_short
from rapidvision.protocol import Protocol
from rapidvision.screen import Screen as Profile

from ..engine.refresh import Refresh, estimate
from ..inputs.boxes import BoxRecord
from ..interfaces import BLANK, Frame, Press
from ..recording.quality import TIMING_CHECKS

Colour = Literal["green", "yellow", "red"]

#: Above this rate flips are not waiting for a refresh of any monitor that is made.
FASTEST_HZ = 500.0
SLOWEST_HZ = 24.0
FREE_BYTES = 50_000_000
#: How long flips are measured before a session, and by `check timing`.
SESSION_S, CHECK_S = 1.0, 4.0
#: A steady clock that ticks more coarsely than this cannot time a session.
COARSEST_CLOCK_S = 0.001
#: A box whose stamps are less certain than this is pointed out.
MOST_UNSURE_MS = 4.0
_WARM_UP = 10


#: Names of the checks, as they are accepted; with the word "timing" all of :data:`TIMING_CHECKS` are.
CHECKS = (*sorted(TIMING_CHECKS), "scale", "disk", "monitor profile", "priority", "keyboard", "response box")


def accepted_checks(words: str) -> tuple[str, ...]:
    """Return the names of the checks in a list with commas.

    Raises
    ------
    InputError
        Names the word that is no check.

    Examples
    --------
    >>> accepted_checks("scale,refresh_rate")
    ('scale', 'refresh rate')
    >>> "jitter" in accepted_checks("timing"), "disk" in accepted_checks("timing")
    (True, False)
    """
    found: list[str] = []
    for word in filter(None, (each.strip() for each in words.split(","))):
        name = word.replace("_", " ")
        if name != "timing" and name not in CHECKS:
            known = ["timing", *(each.replace(" ", "_") for each in CHECKS)]
            raise InputError(f'accept: got "{word}"; {", ".join(known)} are allowed. {did_you_mean(word, known)}')
        found += sorted(TIMING_CHECKS) if name == "timing" else [name]
    return tuple(dict.fromkeys(found))


class Check(NamedTuple):
    """One check: what was found, and what to do where it is not green."""

    name: str
    colour: Colour
    found: str
    remedy: str = ""


class Preflight(NamedTuple):
    """All checks of one display at one time.

    Attributes
    ----------
    refresh : Refresh
        The measured refreshes.
    checks : tuple of Check
        In the order of the report.
    stamps_s : tuple of float
        The flips behind them.
    """

    refresh: Refresh
    checks: tuple[Check, ...]
    stamps_s: tuple[float, ...]

    @property
    def red(self) -> list[Check]:
        """The checks that forbid a session."""
        return [check for check in self.checks if check.colour == "red"]

    def report(self) -> str:
        """Return one line per check."""
        return "\n".join(
            f"{c.colour:<7} {c.name:<18} {c.found}" + (f"; {c.remedy}" if c.remedy and c.colour != "green" else "")
            for c in self.checks
        )

    def require(self, accepted: Collection[str]) -> list[str]:
        """Return the names of the red checks when all of them are among those that are accepted, or refuse.

        Raises
        ------
        CheckFailed
            When a check is red and not accepted.
        """
        refused = [check for check in self.red if check.name not in accepted]
        if refused:
            first = refused[0]
            others = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
            words = ",".join(check.name.replace(" ", "_") for check in self.red)
            raise CheckFailed(
                f"this display is not fit for a session: {first.name}: {first.found}{others}; {first.remedy}, "
                f"or run with --accept {words}, which is recorded with the data"
            )
        return [check.name for check in self.red]


def measure_flips(flip: Callable[[Frame], float], *, seconds: float) -> list[float]:
    """Flip a blank screen for some seconds, after a few flips to warm up, and return the time stamps (20 or more)."""
    for _ in range(_WARM_UP):
        last = flip(BLANK)
    stamps = [last]
    while len(stamps) < 21 or (stamps[-1] - stamps[0] < seconds and len(stamps) < 2000):
        stamps.append(flip(BLANK))
    return stamps


def judge_refresh(stamps_s: Sequence[float], *, nominal_hz: float | None) -> tuple[Refresh, list[Check]]:
    """Judge a display by the stamps of its flips.

    Parameters
    ----------
    stamps_s : sequence of float
        Flips in a row, in seconds.
    nominal_hz : float or None
        What the monitor's profile says; None where there is none.

    Returns
    -------
    refresh : Refresh
        The estimate.
    checks : list of Check
        ``synchronised``, ``refresh rate``, ``missed refreshes``, ``jitter``.
    """
    found = estimate(stamps_s)
    checks = []
    rate = f"{found.hz:.3f} Hz"
    if not SLOWEST_HZ <= found.hz <= FASTEST_HZ:
        remedy = "flips do not wait for the display: switch vertical synchronisation on in the graphics driver"
        checks.append(Check("synchronised", "red", f"flips at {rate}", remedy))
    elif found.spread > 0.12:
        remedy = "switch variable refresh (G-Sync, FreeSync, ProMotion) and compositing off"
        checks.append(Check("synchronised", "red", f"intervals spread by {100 * found.spread:.0f} %", remedy))
    else:
        checks.append(Check("synchronised", "green", f"intervals spread by {100 * found.spread:.1f} %"))
    if nominal_hz is None:
        checks.append(
            Check("refresh rate", "yellow", rate, "give a monitor profile (--screen FILE) to compare it with")
        )
    elif abs(found.hz / nominal_hz - 1) < 0.01:
        checks.append(Check("refresh rate", "green", f"{rate}, nominal {nominal_hz:g}"))
    elif abs(found.hz / nominal_hz - 0.5) < 0.01:
        remedy = "every second refresh is lost: switch off double synchronisation (driver and compositor both wait)"
        checks.append(Check("refresh rate", "red", f"{rate}, half of the nominal {nominal_hz:g}", remedy))
    else:
        remedy = "set the monitor's rate, or correct its profile"
        checks.append(Check("refresh rate", "red", f"{rate}, nominal {nominal_hz:g}", remedy))
    few = max(1, found.n // 100)
    colour: Colour = "green" if not found.missed else "yellow" if found.missed <= few else "red"
    checks.append(Check("missed refreshes", colour, f"{found.missed} of {found.n}", "close other programs"))
    colour = "green" if found.jitter_ms <= 0.5 else "yellow" if found.jitter_ms <= 2.0 else "red"
    checks.append(Check("jitter", colour, f"{found.jitter_ms:.3f} ms", "close other programs; grant realtime priority"))
    return found, checks


def judge_scale(scale: float) -> Check:
    """Judge the frame buffer's size against the window's; anything but 1 blurs and resizes images."""
    if abs(scale - 1) < 1e-6:
        return Check("scale", "green", "1 pixel is 1 pixel")
    return Check("scale", "red", f"{scale:g} frame buffer pixels per pixel", "set the desktop's scale to 100 %")


def judge_profile(profile: Profile, screen_px: tuple[int, int]) -> Check:
    """Judge the monitor's profile against the monitor's resolution: visual angles follow from it."""
    said = (profile.width_px, profile.height_px)
    if said == screen_px:
        return Check("monitor profile", "green", "{} x {}".format(*said))
    found = "{} x {} in the profile, the screen has {} x {}".format(*said, *screen_px)
    return Check("monitor profile", "red", found, "correct the profile, or choose the screen with --screen-index")


def judge_priority(granted: bool) -> Check:
    """Judge whether realtime priority was granted; without it refreshes are late under load."""
    if granted:
        return Check("priority", "green", "realtime")
    return Check("priority", "yellow", "not granted", "on Linux, give your group rtprio in /etc/security/limits.d")


def judge_disk(folder: Path) -> Check:
    """Judge the free space for data: 50 MB are needed."""
    free = shutil.disk_usage(folder).free
    if free >= FREE_BYTES:
        return Check("disk", "green", f"{free / 1e9:.1f} GB free")
    return Check(
        "disk", "red", f"{free / 1e6:.1f} MB free", f"free some space: {FREE_BYTES // 1_000_000} MB are needed"
    )


def judge_clock(
    resolution_s: float, path: Path = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
) -> Check:
    """Judge the steady clock by its measured resolution in seconds, and by its source where that can be read."""
    if resolution_s > COARSEST_CLOCK_S:
        found = f"the finest one ticks every {1000 * resolution_s:.1f} ms"
        return Check("clock source", "red", found, "use another computer or a newer Python")
    if not path.is_file():
        return Check("clock source", "green", f"the system's own, steps of {1e6 * resolution_s:.1f} us")
    name = path.read_text(encoding="utf-8").strip()
    if name in ("hpet", "acpi_pm", "jiffies", "pit"):
        return Check("clock source", "yellow", name, "a slow clock; tsc is better where the processor has it")
    return Check("clock source", "green", name)


def judge_mode(paced_hz: float | None) -> Check:
    """Judge the display's mode: imitated refreshes are for tests."""
    if paced_hz is None:
        return Check("display", "green", "its own refreshes")
    return Check("display", "red", f"paced test mode at {paced_hz:g} Hz", "use a real display for data")


def judge_keyboard(products: Sequence[str], pressed: Sequence[Press] | None) -> Check:
    """Judge the keyboards, and a press if one was asked for.

    Parameters
    ----------
    products : sequence of str
        Names of the keyboards.
    pressed : sequence of Press or None
        What was pressed when the participant was asked to; None where the participant was not asked.
    """
    names = ", ".join(products) or "none"
    if pressed is None:
        return Check("keyboard", "green", f"{names}; both keys are tried before practice")
    if not pressed:
        return Check("keyboard", "red", f"{names}; no press arrived", "press a key when asked; check the cable")
    return Check("keyboard", "green", f"{names}; {pressed[0].input} arrived")


def judge_box(record: BoxRecord) -> Check:
    """Judge a response box by how late or uncertain its stamps are."""
    how = "by the computer at arrival" if record.stamped == "arrival" else "by the box"
    found = " ".join(filter(None, (record.port, record.model))) + f", stamped {how}, within {record.unsure_ms:.2f} ms"
    if record.unsure_ms <= MOST_UNSURE_MS:
        return Check("response box", "green", found)
    return Check("response box", "yellow", found, "set the latency of the line's driver to 1 ms")


def refuse_too_short(protocol: Protocol, refresh: Refresh) -> None:
    """Refuse a task with a phase that would get no refresh on this display.

    Raises
    ------
    InputError
        Names the phase, its duration, the rate, and the shortest duration that there is.
    """
    found = too_short(protocol, refresh.hz)
    if found:
        raise InputError("\n".join(f"protocol: {field}: {words}" for field, words in found))
