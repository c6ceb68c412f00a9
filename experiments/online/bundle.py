"""A study as files: for hosts that only serve files, for JATOS, and for DataPipe."""

from pathlib import Path
from typing import Literal

from rapidvision import files
from rapidvision.errors import InputError

from .plans import for_browser, open_study
from .public import public_study
from .shell import shell
from .uitexts import loading_words

STATIC = Path(__file__).parent / "static"
_JATOS = '<script src="jatos.js"></script>'

Target = Literal["files", "jatos", "datapipe"]


def write_bundle(
    study: Path | str,
    out: Path | str,
    *,
    stimulus_set: Path | str | None = None,
    target: Target = "files",
    datapipe_id: str = "",
) -> tuple[int, int]:
    """Write everything that a browser needs into a new folder.

    Parameters
    ----------
    study : path-like
        The study folder.
    out : path-like
        Must not exist, or be empty.
    stimulus_set : path-like, optional
        Where the set is, when it is not where the study says.
    target : {"files", "jatos", "datapipe"}
        Who takes the result at the end.
    datapipe_id : str
        The experiment's id, for ``datapipe``.

    Returns
    -------
    (int, int)
        Plans and pictures.

    Raises
    ------
    InputError
        When the folder is not empty, or the id is missing.
    """
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: is not empty; choose a new folder for the bundle")
    if (target == "datapipe") != bool(datapipe_id):
        raise InputError("datapipe: --target datapipe and --datapipe-id go together")
    served = open_study(study, stimulus_set=stimulus_set)
    recruitment = served.settings.recruitment
    for path in (*(STATIC / "runner").iterdir(), STATIC / "bundle" / "files-main.js"):
        files.write_bytes(out / "static" / path.name, path.read_bytes())
    words = loading_words(next(iter(served.plans.values())).protocol.language)
    page = shell(STATIC / "bundle" / "index.html", main="static/files-main.js", **words).decode()
    files.write_text(out / "index.html", page.replace("<!--host-->", _JATOS if target == "jatos" else ""))
    for number, plan in enumerate(served.plans.values()):
        files.write_json(out / "plans" / f"{number}.json", for_browser(plan, served))
    for sha256, stimulus in served.media.items():
        name = f"{sha256}{stimulus.path.suffix.lower()}"
        files.write_bytes(out / "stimuli" / name, stimulus.path.read_bytes())
    code = recruitment.completion_code
    public = {
        **public_study(served),
        "study_id": served.study_id,
        "n_plans": len(served.plans),
        "target": target,
        "datapipe_id": datapipe_id,
        "completion_code": code,
        "redirect": recruitment.redirect_for(code=code, external_id="") if "{id}" not in recruitment.redirect else "",
    }
    files.write_json(out / "study.json", public)
    return len(served.plans), len(served.media)
