"""The only module that knows PsychoPy: a window that shows pictures at refreshes, and says when it did."""

import gc
import os
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from rapidvision.errors import InputError, MissingExtra
from rapidvision.screen import Screen as Profile
from rapidvision.system.extras import need

from ..clock import Conversion, steady
from ..engine.refresh import Grid, Pacer, Refresh
from ..interfaces import Picture
from ..keyboard import QueueReader, labelled, load_hid
from ..triggers.marks import Guarded, Marks
from ..triggers.ports import NullPort, TriggerPort
from .lazy_imports import OPTIONAL_FOR_PSYCHOPY, UNUSED_BY_SESSIONS, imported_later


def check_installed() -> dict[str, str]:
    """Import PsychoPy and psychtoolbox and return their versions.

    Raises
    ------
    MissingExtra, InputError
        When one is missing or there is no display, with the remedy.
    """
    try:
        psychopy = need("psychopy", extra="lab", purpose="a lab session")
    except MissingExtra as error:
        cause = error.__cause__
        if not isinstance(cause, OSError) or cause.filename is None:
            raise
        raise InputError(  # PsychoPy makes a folder for its settings when it is imported
            f"PsychoPy cannot keep its settings in the home folder {Path.home()} ({cause.strerror}: {cause.filename}); "
            "set HOME (on Windows: APPDATA) to a folder that can be written"
        ) from error
    load_hid()
    from importlib.metadata import version

    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        raise InputError("there is no display (DISPLAY is not set); run this in a desktop session")
    return {"psychopy": psychopy.__version__, "psychtoolbox": version("psychtoolbox")}


def open_keys(conversion: Conversion) -> QueueReader:
    """Return a reader of every keyboard, whose stamps `conversion` turns into the screen's."""
    from psychopy.hardware.keyboard import keyNames

    names = keyNames
    if sys.platform.startswith("linux"):  # PsychoPy's names are by position there
        from Xlib.display import Display

        server = Display()
        names = labelled(keyNames, server.keycode_to_keysym)
        server.close()
    return QueueReader(names, conversion=conversion)


class PsychoPyScreen:
    """A window; the first port of the engine.

    Parameters
    ----------
    background : (int, int, int)
        0 … 255.
    profile : Profile, optional
        Size and distance of the monitor.
    screen_index : int
        Which monitor, from 0.
    window_px : (int, int), optional
        A window of this size instead of the full screen, for tests.
    paced_hz : float, optional
        Imitate refreshes at this rate on displays without any: a test mode, recorded as such.
    triggers : TriggerPort
        Gets the codes of :meth:`mark` right after the flip.
    photodiode_px : int
        Side of a patch in the lower left corner, black while a stimulus is up and white otherwise; 0 for none.

    Attributes
    ----------
    win, period_s
        PsychoPy's window, and the refresh period that :meth:`use_refresh` sets.
    clock : Clock
        The steady clock of every stamp.
    conversion : Conversion
        From psychtoolbox's clock, which stamps keys, to that one.
    monitor_px : (int, int)
        Resolution of the monitor.
    """

    def __init__(
        self,
        *,
        background: tuple[int, int, int] = (255, 255, 255),
        profile: Profile | None = None,
        screen_index: int = 0,
        window_px: tuple[int, int] | None = None,
        paced_hz: float | None = None,
        triggers: TriggerPort | None = None,
        photodiode_px: int = 0,
    ) -> None:
        check_installed()
        with imported_later(UNUSED_BY_SESSIONS, never=OPTIONAL_FOR_PSYCHOPY):
            import pyglet
            from psychopy import clock, core, logging, monitors, visual

        logging.console.setLevel(logging.ERROR)
        self._visual, self._core = visual, core
        self.clock = steady()
        self.conversion = Conversion(clock.getTime, self.clock)
        monitor = monitors.Monitor("rapidvision", autoLog=False)
        if profile is not None:
            monitor.setWidth(profile.width_cm)
            monitor.setDistance(profile.distance_cm)
            monitor.setSizePix((profile.width_px, profile.height_px))
        screens = pyglet.canvas.get_display().get_screens()
        if not 0 <= screen_index < len(screens):
            raise InputError(f"screen: got {screen_index}, this computer has 0 to {len(screens) - 1}")
        self.monitor_px = (screens[screen_index].width, screens[screen_index].height)
        size = window_px or self.monitor_px
        self.win = visual.Window(
            size, fullscr=window_px is None, screen=screen_index, monitor=monitor, units="pix", colorSpace="rgb255",
            color=background, allowGUI=False, checkTiming=False, waitBlanking=True, autoLog=False,
        )  # fmt: skip
        self.win.mouseVisible = False
        self.requested_px = size
        self._triggers = Guarded(triggers or NullPort())
        self._marks = Marks()
        self._notes: list[str] = []
        self._pacer = None if paced_hz is None else Pacer(1 / paced_hz, now=self.now)
        self._grid: Grid | None = None
        self.period_s = 1 / 60 if paced_hz is None else 1 / paced_hz
        self._texts: dict[str, Any] = {}
        self._stimuli: dict[str, Any] = {}
        self._reminder: list[Any] = []
        self._ink = (0, 0, 0) if min(background) > 127 else (255, 255, 255)
        self._cross = visual.ShapeStim(
            self.win, vertices="cross", size=24, fillColor=self._ink, colorSpace="rgb255", lineWidth=0, autoLog=False
        )
        self._patches = {}
        for stimulus, value in ((True, 0), (False, 255)) if photodiode_px else ():
            self._patches[stimulus] = visual.Rect(
                self.win, photodiode_px, photodiode_px, pos=(photodiode_px - self.win.size) / 2, fillColor=(value,) * 3,
                colorSpace="rgb255", lineWidth=0, autoLog=False,
            )  # fmt: skip
        self.win.winHandle.push_handlers(on_deactivate=lambda: self._notes.append("focus_lost"))

    def now(self) -> float:
        """Return the time on the clock of flips and keys, in seconds."""
        return self.clock.now()

    @property
    def scale(self) -> float:
        """Pixels of the frame buffer per requested pixel; 1 unless a compositor scales."""
        return float(self.win.winHandle.get_viewport_size()[0]) / self.requested_px[0]

    def load(self, stimuli: Mapping[str, Path], *, side_px: int, reminder: str, words: Collection[str]) -> None:
        """Read the stimuli into textures and draw each once, so that nothing is left to do at an onset.

        Parameters
        ----------
        stimuli : mapping
            Name → file.
        side_px : int
            Side on the screen; where it is the file's own, pixels are shown one to one.
        reminder : str
            Key mapping under the picture; empty for none.
        words : collection of str
            Texts that come up in trials; others are made when they are shown first.
        """
        for name, path in stimuli.items():
            picture = self._visual.ImageStim(
                self.win, str(path), units="pix", size=(side_px, side_px), interpolate=False, autoLog=False
            )
            picture.interpolate = bool(tuple(picture._origSize) != (side_px, side_px))  # noqa: SLF001  file's own size
            picture.draw()
            self._stimuli[name] = picture
        for text in words:
            self._text(text).draw()
        if reminder:
            height = -side_px / 2 - 60
            self._reminder = [self._make_text(reminder, 20, (0, height))]
            self._reminder[0].draw()
        self.win.clearBuffer()

    def use_refresh(self, measured: Refresh) -> None:
        """Set the measured refreshes; stamps are moved to their grid from here on."""
        self.period_s = 1 / measured.hz
        self._grid = Grid(self.period_s, at_s=measured.at_s)
        self._triggers.use_period(self.period_s)

    def flip(self, picture: Picture) -> float:
        """Draw `picture`, wait for the refresh that shows it, and return the time of that refresh."""
        kind = picture.kind
        if kind == "text":
            self._text(picture.content).draw()
        else:
            if kind == "stimulus":
                self._stimuli[picture.content].draw()
            elif kind == "fixation":
                self._cross.draw()
            for stim in self._reminder:
                stim.draw()
        if self._patches:
            self._patches[kind == "stimulus"].draw()
        if self._pacer is not None:  # like a display: what is drawn shows at the refresh, and the swap returns then
            self._visual.window.GL.glFinish()
            self._pacer.wait(self.now())
        self.win.flip()
        now = self.now()
        code = self._marks.due()
        if code is not None:
            self._triggers.send(code)
        return now if self._grid is None else self._grid.snap(now)

    def mark(self, code: int) -> None:
        """Send a trigger with the next flip, a press's with the next one that has no other."""
        self._marks.add(code)

    def notes(self) -> list[str]:
        """Return what was unusual since the last call: clock steps, lost focus, late returns, failed triggers."""
        notes, self._notes = self._notes + self._triggers.notes() + self.conversion.notes(), []
        return notes + (self._grid.notes() if self._grid is not None else [])

    def rush(self) -> bool:
        """Ask for realtime priority and stop the garbage collector; return whether the priority was granted."""
        gc.collect()
        gc.freeze()
        gc.disable()
        return bool(self._core.rush(True))

    def close(self) -> None:
        """Close the window and the triggers, and give priority and collector back."""
        self._triggers.close()
        self._core.rush(False)
        gc.enable()
        gc.unfreeze()
        self.win.close()

    def __enter__(self) -> "PsychoPyScreen":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def _text(self, words: str) -> Any:
        if words not in self._texts:
            self._texts[words] = self._make_text(words, 24, (0, 0))
        return self._texts[words]

    def _make_text(self, words: str, height: float, pos: tuple[float, float]) -> Any:
        return self._visual.TextStim(
            self.win, words, height=height, pos=pos, color=self._ink, colorSpace="rgb255", wrapWidth=self.win.size[0],
            units="pix", autoLog=False,
        )  # fmt: skip
