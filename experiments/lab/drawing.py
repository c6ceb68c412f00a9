"""What each kind of frame looks like in a PsychoPy window; everything of a plan is made before the first trial."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rapidvision.plan import Plan
from rapidvision.task.questions import Question

from ..interfaces import Frame
from ..typesetting.fonts import is_foreign
from ..typesetting.words import draw_words
from .areas import Area, grid, strip

_WORDS_PX, _SMALL_PX, _CUE_PX = 24, 20, 40
#: Colour and width of the frame around an option that is lit.
LIT, _LIT_PX = (29, 138, 60), 6
#: Pages that come up in the course of a trial; the others are made when they are shown first.
_WITHIN_TRIALS = ("too_slow", "correct", "wrong", "hold")


def input_word(name: str) -> str:
    """Return an input as the participant reads it.

    Examples
    --------
    >>> input_word("s"), input_word("space"), input_word("button:2")
    ('S', 'SPACE', 'button 2')
    """
    return name.replace(":", " ") if ":" in name else name.upper()


def inputs_of(plan: Plan, option: str) -> list[str]:
    """Return the keys and buttons that mean an option in this session, as the participant reads them."""
    return [input_word(name) for name, meant in plan.inputs.items() if meant == option and not name.startswith("area:")]


def reminder_of(plan: Plan) -> str:
    """Return what stays on the screen about the keys: the plan's own words, or the options' labels by their keys."""
    if not plan.protocol.display.reminder or plan.protocol.response is None:
        return ""
    words = plan.texts.get("reminder", "")
    options, language = plan.protocol.response.options, plan.protocol.language
    pairs = [(option.words(language), inputs_of(plan, option.name)) for option in options]
    return words or "        ".join(f"{keys[0]}: {label}" for label, keys in pairs if keys)


class Drawings:
    """The stimuli of a session.

    Parameters
    ----------
    visual : module
        PsychoPy's.
    win : Window
        Where.
    background : (int, int, int)
        0 to 255; words and cross are black on light and white on dark.
    photodiode_px : int
        Side of a patch in the lower left corner, black while an image or a mask is up and white otherwise; 0 for none.
    """

    def __init__(self, visual: Any, win: Any, *, background: tuple[int, int, int], photodiode_px: int = 0) -> None:
        self._visual, self.win = visual, win
        self.window_px = (int(win.size[0]), int(win.size[1]))
        self._ink = (0, 0, 0) if min(background) > 127 else (255, 255, 255)
        self._words: dict[tuple[str, float, tuple[float, float]], Any] = {}
        self._images: dict[str, Any] = {}
        self._questions: dict[str, Question] = {}
        self._language = ""
        self._reminder: Any = None
        self._screens: dict[str, Any] = {}
        self._areas: dict[str, tuple[Area, ...]] = {}
        self._lit: dict[str, Any] = {}
        self._cross = visual.ShapeStim(
            win, vertices="cross", size=24, fillColor=self._ink, colorSpace="rgb255", lineWidth=0, autoLog=False
        )
        self._patches = {}
        for marked, value in ((True, 0), (False, 255)) if photodiode_px else ():
            self._patches[marked] = visual.Rect(
                win, photodiode_px, photodiode_px, pos=(photodiode_px - win.size) / 2, fillColor=(value,) * 3,
                colorSpace="rgb255", lineWidth=0, autoLog=False,
            )  # fmt: skip

    def load(self, plan: Plan, paths: Mapping[str, Path], *, side_px: int, icons: Mapping[str, Path]) -> None:
        """Read images and masks into textures, make what comes up in trials, and draw each once.

        Parameters
        ----------
        plan : Plan
            The session.
        paths : mapping
            Path in the plan -> file, of every image and mask.
        side_px : int
            Side on the screen; where it is the file's own, pixels are shown one to one.
        icons : mapping
            Option -> file.
        """
        self.load_images(paths, side_px=side_px)
        self._questions = {question.name: question for question in plan.protocol.questions}
        self._language = plan.protocol.language
        for name in _WITHIN_TRIALS:
            if name in plan.texts:
                self._text(plan.texts[name]).draw()
        for trial in plan.trials():
            for phase in trial.phases:
                if phase.kind == "cue":
                    self._text(phase.content, _CUE_PX).draw()
        reminder = reminder_of(plan)
        if reminder:
            self._reminder = self._text(reminder, _SMALL_PX, (0, -side_px / 2 - 60))
            self._reminder.draw()
        response = plan.protocol.response
        names = [option.name for option in response.options if option.inputs] if response is not None else []
        labels, files = {}, dict(icons)
        for option in response.options if response is not None else ():
            label = "" if option.name in files and not option.label else option.words(plan.protocol.language)
            labels[option.name] = "\n".join(filter(None, (label, " ".join(inputs_of(plan, option.name)))))
        kinds = {phase.kind for trial in plan.trials() for phase in trial.phases}
        overlays = {phase.overlay for trial in plan.trials() for phase in trial.phases}
        lights = plan.protocol.feedback.shows == "option"
        if "options" in kinds or lights:
            self._areas["options"] = grid(names, self.window_px)
            self._screens["options"] = self._snapshot(self._areas["options"], labels, files)
        for area in self._areas.get("options", ()) if lights else ():
            self._lit[area.option] = self._visual.Rect(
                self.win, area.width, area.height, pos=(area.x, area.y), lineColor=LIT, fillColor=None,
                colorSpace="rgb255", lineWidth=_LIT_PX, autoLog=False,
            )  # fmt: skip
        if "options" in overlays or any(name.startswith("area:") for name in plan.inputs):
            self._areas["overlay"] = strip(names, self.window_px)
            flat = {name: label.replace("\n", "  ") for name, label in labels.items()}
            self._screens["overlay"] = self._snapshot(self._areas["overlay"], flat, {}, strip=True)
        for question in plan.protocol.questions:
            if question.options:
                keys = {option: input_word(key) for key, option in question.option_keys.items()}
                asked = {option: option if option == key else f"{option}\n{key}" for option, key in keys.items()}
                self._areas[question.name] = grid(question.options, self.window_px)
                self._screens[question.name] = self._snapshot(self._areas[question.name], asked, {})
        self.win.clearBuffer()

    def load_images(self, paths: Mapping[str, Path], *, side_px: int) -> None:
        """Read images and masks into textures and draw each once; see :meth:`load`."""
        for name, path in paths.items():
            image = self._visual.ImageStim(
                self.win, str(path), units="pix", size=(side_px, side_px), interpolate=False, autoLog=False
            )
            image.interpolate = bool(tuple(image._origSize) != (side_px, side_px))  # noqa: SLF001  file's own size
            image.draw()
            self._images[name] = image

    def areas(self, frame: Frame) -> tuple[Area, ...]:
        """Return the places of the options that a frame shows."""
        if frame.kind == "question":
            return self._areas.get(frame.content.partition("\t")[0], ())
        if frame.kind == "options":
            return () if frame.content else self._areas.get("options", ())  # a lit one is no question
        return self._areas.get("overlay", ()) if frame.overlay == "options" else ()

    def draw(self, frame: Frame) -> None:
        """Draw a frame into the window's buffer."""
        kind = frame.kind
        if kind == "text":
            self._text(frame.content).draw()
        elif kind == "question":
            self._draw_question(frame)
        elif kind == "options":
            if "options" in self._screens:
                self._screens["options"].draw()
            if frame.content in self._lit:
                self._lit[frame.content].draw()
        else:
            if kind in ("stimulus", "mask"):
                self._images[frame.content].draw()
            elif kind == "fixation":
                self._cross.draw()
            elif kind == "cue":
                self._text(frame.content, _CUE_PX).draw()
            if self._reminder is not None and frame.overlay != "options":
                self._reminder.draw()
        if frame.overlay == "fixation":
            self._cross.draw()
        elif frame.overlay == "options" and "overlay" in self._screens:
            self._screens["overlay"].draw()
        if self._patches:
            self._patches[kind in ("stimulus", "mask")].draw()

    def _draw_question(self, frame: Frame) -> None:
        name, _, typed = frame.content.partition("\t")
        question = self._questions.get(name)
        if question is not None and question.options:
            self._screens[name].draw()
        top = max((area.y + area.height / 2 for area in self._areas.get(name, ())), default=0.0)
        height = min(self.window_px[1] / 2 - _WORDS_PX, top + 3 * _WORDS_PX)
        words = name if question is None else question.words(self._language)
        self._text(words, _WORDS_PX, (0, height)).draw()
        if question is None or not question.options:
            self._make_text(f"{typed}_", _WORDS_PX, (0, 0)).draw()  # another one with every letter: not kept

    def _snapshot(
        self, areas: tuple[Area, ...], labels: Mapping[str, str], icons: Mapping[str, Path], *, strip: bool = False
    ) -> Any:
        """Return the options as one image, so that many of them cost a refresh no more than one image.

        It covers the window, or with ``strip=True`` its lower edge.
        """
        stims = []
        frame = {"lineColor": self._ink, "fillColor": None, "colorSpace": "rgb255", "lineWidth": 1, "autoLog": False}
        for area in areas:
            pos = (area.x, area.y)
            stims.append(self._visual.Rect(self.win, area.width, area.height, pos=pos, **frame))
            if area.option in icons:
                size, file = (area.width - 4, area.height - 4), str(icons[area.option])
                stims.append(
                    self._visual.ImageStim(
                        self.win, file, units="pix", size=size, pos=pos, interpolate=True, autoLog=False
                    )
                )
            if labels.get(area.option):
                longest = max(map(len, labels[area.option].split("\n")))
                small = min(_SMALL_PX, area.height / 3, 1.6 * area.width / longest)
                stims.append(self._make_text(labels[area.option], small, pos))
        top, whole = self.window_px[1] / 2, self.window_px[1]
        if strip:
            top = math.ceil(max(area.y + area.height / 2 for area in areas)) + 1
        tall = top + whole / 2
        self.win.clearBuffer()
        for stim in stims:
            stim.draw()
        drawn = self.win._getRegionOfFrame(buffer="back", rect=(-1, 2 * tall / whole - 1, 1, -1))  # noqa: SLF001
        self.win.clearBuffer()
        return self._visual.ImageStim(
            self.win, drawn, units="pix", size=drawn.size, pos=(0, (tall - whole) / 2), interpolate=False, autoLog=False
        )

    def _text(self, words: str, height: float = _WORDS_PX, pos: tuple[float, float] = (0, 0)) -> Any:
        key = (words, height, pos)
        if key not in self._words:
            self._words[key] = self._make_text(words, height, pos)
        return self._words[key]

    def _make_text(self, words: str, height: float, pos: tuple[float, float]) -> Any:
        if is_foreign(words):
            image = draw_words(words, height, width_px=round(0.9 * self.window_px[0]), ink=self._ink)
            return self._visual.ImageStim(
                self.win, image, units="pix", size=image.size, pos=pos, interpolate=False, autoLog=False
            )
        return self._visual.TextStim(
            self.win, words, height=height, pos=pos, color=self._ink, colorSpace="rgb255", wrapWidth=self.win.size[0],
            units="pix", autoLog=False,
        )  # fmt: skip
