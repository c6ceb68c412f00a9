"""A figure of one participant's session: the phases of a trial to scale, and the session's blocks."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rapidvision.plan import Ask, Gate, Page, Plan, Run, Step
from rapidvision.screen import refresh_words
from rapidvision.system import files
from rapidvision.system.figures import figure_bytes, figure_style, new_figure
from rapidvision.task.trial import Trial

from ..explain import first_trials, phase_refreshes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STYLE: dict[str, Any] = {
    "font.size": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.linewidth": 0.5,
    "hatch.linewidth": 0.5,
}
_DPI = 150
_COLOURS = {
    "fixation": "#d9d9d9",
    "cue": "#ffe08a",
    "blank": "#ffffff",
    "stimulus": "#6baed6",
    "mask": "#969696",
    "options": "#a1d99b",
}
#: Width of a phase whose end nothing plans, in ms.
_OPEN_MS = 1000
#: A question or a page that is left at once takes this long in the figure of the session, in ms.
_PAGE_MS = 2000


class _Span(NamedTuple):
    """A phase in the figure, in ms from the trial's first refresh."""

    name: str
    kind: str
    start_ms: float
    width_ms: float
    is_open: bool
    label: str


def draw_timeline(plan: Plan, *, refresh_hz: float = 60.0) -> "Figure":
    """Return the figure of a session.

    Above stand the phases of the first trial of each part, to scale, with their refreshes; below the session's blocks
    with breaks, questions and the practice criterion.

    Parameters
    ----------
    plan : Plan
        Whose session.
    refresh_hz : float
        Refresh rate for which phases are counted.
    """
    firsts = {part: trial for part, trial in first_trials(plan).items() if part in ("practice-1", "main")}
    n = len(firsts)
    figure = new_figure(8.0, 2.0 * n + 1.4, layout="constrained")
    axes = figure.subplots(n + 1, 1, height_ratios=[2.0] * n + [0.9])
    longest = max(_end(_spans(plan, trial, refresh_hz)) for trial in firsts.values())
    for axis, (part, trial) in zip(axes, firsts.items(), strict=False):
        _draw_trial(axis, plan, part, trial, refresh_hz, longest)
        axis.set_xlim(0, 1.005 * longest)
    _draw_session(axes[-1], plan)
    means = ", ".join(f"{key} = {option}" for key, option in plan.inputs.items() if not key.startswith("area:"))
    title = f"{plan.study_id}: group {plan.group}, slot {plan.slot}" + (f"; {means}" if means else "")
    figure.suptitle(title, x=0.01, ha="left", fontsize=9)
    return figure


def _spans(plan: Plan, trial: Trial, refresh_hz: float) -> list[_Span]:
    spans: list[_Span] = []
    now = 0.0
    opened: float | None = None
    for phase, n in zip(trial.phases, phase_refreshes(trial.phases, refresh_hz), strict=True):
        if plan.protocol.response is not None and phase.name == plan.protocol.response.opens:
            opened = now
        if phase.duration_ms is not None:
            width, label = float(phase.duration_ms), f"{phase.duration_ms} ms\n{refresh_words(n or 0)}"
        elif phase.factor:
            values = [float(choice.value) for choice in trial.choices]
            width, label = max(values, default=float(_OPEN_MS)), f"{phase.factor}\nadapts"
        else:
            left = trial.limit_ms - (now - opened) if trial.limit_ms is not None and opened is not None else _OPEN_MS
            width, label = max(1.0, float(left)), "until the\nresponse"
        wanted = plan.protocol.phase(phase.name).duration_ms
        if isinstance(wanted, tuple):
            label += f"\n({wanted[0]} to {wanted[1]} ms)"
        spans.append(_Span(phase.name, phase.kind, now, width, phase.duration_ms is None, label))
        now += width
    return spans


def _end(spans: Sequence[_Span]) -> float:
    return spans[-1].start_ms + spans[-1].width_ms


def _is_narrow(span: _Span, longest_ms: float) -> bool:
    """Whether a phase is too short for words inside it."""
    return span.width_ms < longest_ms / 9


def _label_narrow(axis: "Axes", spans: Sequence[_Span], longest_ms: float) -> None:
    """Write what short phases are above them, far enough apart, each with a line to its phase."""
    last = -longest_ms
    for span in spans:
        middle = span.start_ms + span.width_ms / 2
        last = at = max(middle, last + longest_ms / 40)
        axis.plot([middle, middle, at], [0.9, 1.05, 1.2], color="black", linewidth=0.4, clip_on=False)
        words = f"{span.name}: " + span.label.replace("\n", ", ")
        axis.text(at, 1.22, words, rotation=35, rotation_mode="anchor", ha="left", va="bottom", fontsize=6)


def _draw_trial(axis: "Axes", plan: Plan, part: str, trial: Trial, refresh_hz: float, longest_ms: float) -> None:
    from matplotlib.patches import Rectangle

    spans = _spans(plan, trial, refresh_hz)
    for span in spans:
        axis.add_patch(
            Rectangle(
                (span.start_ms, 0),
                span.width_ms,
                1,
                facecolor=_COLOURS[span.kind],
                edgecolor="black",
                linewidth=0.5,
                hatch="///" if span.is_open else None,
            )
        )
        if not _is_narrow(span, longest_ms):
            words = f"{span.name}\n{span.label}"
            box = {"facecolor": "white", "edgecolor": "none", "pad": 1} if span.is_open else None
            axis.text(span.start_ms + span.width_ms / 2, 0.5, words, ha="center", va="center", fontsize=6, bbox=box)
    _label_narrow(axis, [span for span in spans if _is_narrow(span, longest_ms)], longest_ms)
    response = plan.protocol.response
    if response is not None and trial.limit_ms is not None:
        zero = next(span.start_ms for span in spans if span.name == response.opens)
        axis.annotate(
            "", (zero + trial.limit_ms, -0.25), (zero, -0.25), arrowprops={"arrowstyle": "<->", "linewidth": 0.7}
        )
        axis.text(zero + trial.limit_ms / 2, -0.3, f"answer: {trial.limit_ms} ms", ha="center", va="top", fontsize=6)
    factors = ", ".join(f"{name} {value}" for name, value in trial.factors.items())
    asked = f"; then asked: {', '.join(trial.ask)}" if trial.ask else ""
    axis.set_title(f"{part}, first trial{f' ({factors})' if factors else ''}{asked}", loc="left", fontsize=7)
    axis.set_ylim(-0.75, 3.0)
    axis.set_yticks([])
    axis.set_xlabel(f"ms; a refresh at {refresh_hz:g} Hz is {1000 / refresh_hz:.1f} ms", fontsize=6)


def _draw_session(axis: "Axes", plan: Plan) -> None:
    """Blocks over planned minutes, without the time that people take for pages and questions."""
    now = 0.0
    for (kind, block), steps in groupby(plan.steps, key=_kind):
        members = list(steps)
        width = sum(_lasts_ms(step) for step in members) / 60_000
        if kind == "run":
            main = block >= 0
            axis.barh(0, width, left=now, height=1, color="#6baed6" if main else "#c6dbef", edgecolor="white")
            name = f"block {block + 1}" if main else f"practice {-block}"
            axis.text(now + width / 2, 0, f"{name}\n{len(members)} trials", ha="center", va="center", fontsize=5)
        elif kind == "break":
            axis.barh(0, width, left=now, height=1, color="#fdd0a2", edgecolor="white")
        elif kind == "ask":
            axis.barh(0, width, left=now, height=1, color="#bcbddc", edgecolor="white")
        elif kind == "gate":
            axis.plot([now], [0.62], marker="v", color="#de2d26", markersize=4, clip_on=False)
        now += width
    axis.set_xlim(0, max(now, 0.1))
    axis.set_ylim(-0.5, 0.75)
    axis.set_yticks([])
    axis.set_xlabel(
        "planned minutes: trials blue, breaks orange, questions purple, practice criterion a triangle", fontsize=6
    )


def _kind(step: Step) -> tuple[str, int]:
    if isinstance(step, Run):
        return "run", step.trial.block
    if isinstance(step, Page):
        return ("break" if step.text_id == "break" else "page"), 0
    return ("ask" if isinstance(step, Ask) else "gate"), 0


def _lasts_ms(step: Step) -> float:
    if isinstance(step, Run):
        open_ms = step.trial.limit_ms or _OPEN_MS
        return sum(open_ms if phase.duration_ms is None else phase.duration_ms for phase in step.trial.phases)
    if isinstance(step, Page):
        return max(step.min_ms, _PAGE_MS)
    return 0.0 if isinstance(step, Gate) else _PAGE_MS


def write_timeline(plan: Plan, path: Path | str, *, refresh_hz: float = 60.0) -> None:
    """Write the figure of a session; the ending of `path` (``.svg``, ``.png``, ``.pdf``) is its format.

    Raises
    ------
    InputError
        When the ending is none of the three.
    """
    with figure_style(_STYLE):
        content = figure_bytes(draw_timeline(plan, refresh_hz=refresh_hz), Path(path).suffix[1:].lower(), dpi=_DPI)
    files.write_bytes(path, content)
