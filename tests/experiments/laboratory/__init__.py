"""A timing laboratory without hardware: what is on the screen and when a key goes down, seen from outside the program.

Xvfb keeps its screen in a memory-mapped file. The *diode* watches one pixel of it and notes when it turns dark or
light; the *robot* presses a real key through XTest a little after it saw the image. Both stamp with the computer's
monotonic clock, so a browser's or PsychoPy's own figures can be checked against the truth. There is no panel and no
graphics card: a real screen adds a constant.
"""

from .virtual_screen import Episode, VirtualScreen, browser_truth, start_screen

__all__ = ["Episode", "VirtualScreen", "browser_truth", "start_screen"]
