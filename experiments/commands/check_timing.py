"""``rapidvision check timing``: the preflight on its own, with a key press."""

import argparse
from pathlib import Path

from rapidvision.cli import say
from rapidvision.screen import read_profile
from rapidvision.system import files

from ..design.figures.intervals import intervals_svg
from ..interfaces import Frame, Press
from ..lab import display_checks
from ..lab.file_checks import Options
from ..lab.run import check_display

#: How long a key is waited for.
_WAIT_S = 10.0


def run(arguments: argparse.Namespace) -> int:
    """Measure the display and print the checks; 1 when one is red."""
    from ..lab import psychopy_display as display

    profile = None if arguments.screen is None else read_profile(arguments.screen)
    options = Options(profile=profile, screen_index=arguments.screen_index, paced_hz=arguments.paced)
    with (
        display.PsychoPyScreen(profile=profile, screen_index=options.screen_index, paced_hz=options.paced_hz) as screen,
        display.open_keys(screen.conversion) as keys,
    ):
        pressed: list[Press] | None = None
        if not arguments.no_press:
            ask = Frame("text", "Press any key.")
            keys.poll()
            end = screen.flip(ask) + _WAIT_S
            pressed = []
            while not pressed and screen.flip(ask) < end:
                pressed = [press for press in keys.poll() if press.down]
        found = check_display(
            screen, Path(), options, keyboards=list(keys.products), pressed=pressed, seconds=display_checks.CHECK_S
        )
    say(arguments, found.report())
    if arguments.figures is not None:
        files.write_bytes(arguments.figures / "intervals.svg", intervals_svg(found.stamps_s, found.refresh))
    if arguments.out is not None:
        files.write_json(
            arguments.out, {"refresh": found.refresh._asdict(), "checks": [c._asdict() for c in found.checks]}
        )
    return 1 if found.red else 0
