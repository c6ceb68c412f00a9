"""PsychoPy's window: it shows frames at refreshes, says when it did, and knows where the pointer is."""

import functools
import gc
from collections.abc import Callable
from types import TracebackType

from rapidvision.errors import InputError, MissingExtra
from rapidvision.screen import Screen as Profile
from rapidvision.system import platforms
from rapidvision.system.extras import need

from ..clock import Conversion, steady
from ..engine.refresh import Grid, Pacer, Refresh
from ..inputs.pointer import CLICK, PointerPort, PointerStamps
from ..interfaces import Frame
from ..keyboard import QueueReader, labelled, load_hid
from ..triggers.marks import Guarded, Marks
from ..triggers.ports import NullPort, TriggerPort
from .areas import option_at
from .drawing import Drawings
from .lazy_imports import OPTIONAL_FOR_PSYCHOPY, UNUSED_BY_SESSIONS, imported_later


def check_installed() -> dict[str, str]:
    """Import PsychoPy and psychtoolbox and return their versions.

    Raises
    ------
    MissingExtra, InputError
        When one is missing or there is no display, with the remedy.
    """
    platforms.settings_home()  # PsychoPy makes a folder for its settings when it is imported, and cannot do without
    try:
        psychopy = need("psychopy", extra="lab", purpose="a lab session")
    except MissingExtra as error:
        cause = error.__cause__
        if not isinstance(cause, OSError) or cause.filename is None:
            raise
        raise InputError(
            f"PsychoPy cannot keep its settings ({cause.strerror}: {cause.filename}); set "
            f"{platforms.home_variable()} to a folder that can be written"
        ) from error
    load_hid()
    from importlib.metadata import version

    if platforms.lacks_display():
        raise InputError("there is no display (DISPLAY is not set); run this in a desktop session")
    return {"psychopy": psychopy.__version__, "psychtoolbox": version("psychtoolbox")}


def open_keys(conversion: Conversion) -> QueueReader:
    """Return a reader of every keyboard, whose stamps `conversion` turns into the screen's."""
    from psychopy.hardware.keyboard import keyNames

    names = keyNames
    if platforms.keys_by_position():
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
        Side of a patch in the lower left corner, black while an image or a mask is up and white otherwise; 0 for none.

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
    drawings : Drawings
        What is shown.
    more_notes : list of callable
        Devices that have notes of their own.
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
        self.more_notes: list[Callable[[], list[str]]] = []
        self._last: Frame | None = None
        self._pointed = self._visible = False
        self.drawings = Drawings(visual, self.win, background=background, photodiode_px=photodiode_px)
        self.win.winHandle.push_handlers(on_deactivate=lambda: self._notes.append("focus_lost"))

    def now(self) -> float:
        """Return the time on the clock of flips and keys, in seconds."""
        return self.clock.now()

    @property
    def scale(self) -> float:
        """Pixels of the frame buffer per requested pixel; 1 unless a compositor scales."""
        return float(self.win.winHandle.get_viewport_size()[0]) / self.requested_px[0]

    def open_pointer(self) -> PointerPort:
        """Return mouse and touch as an input port: options of the frame that is up are ``area:<option>``."""
        try:
            stamps = PointerStamps(self.conversion)
        except MissingExtra:
            stamps = None  # stamped at the hand-over, which the journal says
        handle, (width, height) = self.win.winHandle, self.drawings.window_px
        pointer = PointerPort(self._input_at, dispatch=handle.dispatch_events, now=self.now, stamps=stamps)

        def told(x: float, y: float, button: int, _: int, *, down: bool) -> None:
            if button & 1:  # the first one, and touches
                pointer.tell(x - width / 2, y - height / 2, down=down)

        handle.push_handlers(
            on_mouse_press=functools.partial(told, down=True), on_mouse_release=functools.partial(told, down=False)
        )
        self._pointed = True
        return pointer

    def _input_at(self, x: float, y: float) -> str:
        option = None if self._last is None else option_at(self.drawings.areas(self._last), x, y)
        return CLICK if option is None else f"area:{option}"

    def _point(self, frame: Frame) -> None:
        """Show the cursor while there is something to click; it begins in the middle where options open in a trial."""
        had = self._last is not None and bool(self.drawings.areas(self._last))
        has = bool(self.drawings.areas(frame))
        if has and not had and frame.kind not in ("text", "question"):
            width, height = self.drawings.window_px
            self.win.winHandle.set_mouse_position(width // 2, height // 2)
        visible = has or frame.kind in ("text", "question")
        if visible is not self._visible:
            self.win.mouseVisible = self._visible = visible

    def use_refresh(self, measured: Refresh) -> None:
        """Set the measured refreshes; stamps are moved to their grid from here on."""
        self.period_s = 1 / measured.hz
        self._grid = Grid(self.period_s, at_s=measured.at_s)
        self._triggers.use_period(self.period_s)

    def flip(self, frame: Frame) -> float:
        """Draw `frame`, wait for the refresh that shows it, and return the time of that refresh."""
        self.drawings.draw(frame)
        if self._pointed and frame != self._last:
            self._point(frame)
        if self._pacer is not None:  # like a display: what is drawn shows at the refresh, and the swap returns then
            self._visual.window.GL.glFinish()
            self._pacer.wait(self.now())
        self.win.flip()
        now = self.now()
        self._last = frame
        code = self._marks.due()
        if code is not None:
            self._triggers.send(code)
        return now if self._grid is None else self._grid.snap(now)

    def mark(self, code: int) -> None:
        """Send a trigger with the next flip, a press's with the next one that has no other."""
        self._marks.add(code)

    def notes(self) -> list[str]:
        """Return what was unusual since the last call: clock steps, lost focus, late returns, failed triggers, boxes."""
        notes, self._notes = self._notes + self._triggers.notes() + self.conversion.notes(), []
        notes += [note for more in self.more_notes for note in more()]
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
