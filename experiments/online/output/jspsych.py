"""The jsPsych plugin as one file: the runner's own modules and the plugin, joined without any build tool."""

import json
import re
from pathlib import Path

STATIC = Path(__file__).parents[1] / "static"
#: The runner's modules that the plugin needs, each after those that it imports.
_MODULES = (
    *("pages.js", "lag.js", "layers.js", "options.js", "thread.js", "witness.js", "compositor.js"),
    *("worker-presenter.js", "inputs.js", "watch.js", "trial.js"),
)
_IMPORT = re.compile(r"^import [^;]*;\n", re.MULTILINE)
_STYLE = (
    ".image,.cross,.cue,.mark,.options{position:absolute;left:50%;top:50%}"
    ".image{display:block;opacity:0;will-change:opacity;transform:translate(-50%,-50%)}.image.shown{opacity:1}"
    ".cross{width:24px;height:24px;margin:-12px 0 0 -12px;opacity:0;will-change:opacity;"
    "background:linear-gradient(#000,#000) center/2px 24px no-repeat,"
    "linear-gradient(#000,#000) center/24px 2px no-repeat}"
    ".cue,.options{opacity:0;will-change:opacity;transform:translate(-50%,-50%)}.cue{font-size:28px;white-space:nowrap}"
    ".options{display:grid;grid-auto-flow:column;grid-template-rows:repeat(var(--rows),1fr);gap:10px;pointer-events:none}"
    ".options button{min-width:5rem;min-height:3rem;touch-action:none}"
    ".mark{margin:8rem 0 0;font-size:12px;line-height:1;color:#bbb}"
)


def plugin() -> str:
    """Return the plugin's source: a script that defines ``jsPsychRapidVision``, for pages that load jsPsych 8.

    Examples
    --------
    >>> text = plugin()
    >>> "import " in text.split("jsPsychRapidVision", 1)[0], text.count("class CompositorPresenter")
    (False, 1)
    """
    runner = STATIC / "runner"
    timing = _plain(runner / "timing.js")
    worker = json.dumps(timing + _plain(runner / "canvas-worker.js"))
    parts = [_plain(runner / name) for name in _MODULES]
    own = _plain(STATIC / "jspsych" / "plugin.js")
    return (
        "/* RapidVision for jsPsych 8, MIT licence. */\n"
        "var jsPsychRapidVision = (function (jspsych) {\n"
        '"use strict";\n'
        f"const WORKER_ADDRESS = () => URL.createObjectURL(new Blob([{worker}], {{ type: 'text/javascript' }}));\n"
        f"document.head.append(Object.assign(document.createElement('style'), {{ textContent: {json.dumps(_STYLE)} }}));\n"
        f"{timing}{''.join(parts)}{own}"
        "return RapidVisionPlugin;\n"
        "})(jsPsychModule);\n"
    )


def _plain(path: Path) -> str:
    """A module without its imports and exports, for one shared scope."""
    return re.sub(r"^export ", "", _IMPORT.sub("", path.read_text(encoding="utf-8")), flags=re.MULTILINE)
