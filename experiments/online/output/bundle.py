"""A study as files: for hosts that only serve files, for JATOS, and for DataPipe."""

import json
import re
import tempfile
import uuid
import zipfile
from pathlib import Path
from typing import Literal

from rapidvision.errors import InputError
from rapidvision.system import files

from ..pages.shell import shell
from ..pages.study_json import public_study
from ..study.payload import for_browser
from ..study.plans import open_study
from ..study.translations import loading_words

STATIC = Path(__file__).parents[1] / "static"
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
    """Write everything that a browser needs into a new folder, or into an archive that JATOS imports.

    Parameters
    ----------
    study : path-like
        The study folder.
    out : path-like
        Must not exist, or be empty; for ``jatos`` a name that ends in ``.jzip`` makes a study archive.
    stimulus_set : path-like, optional
        Where the set is, when it is not where the study says.
    target : {"files", "jatos", "datapipe"}
        Who takes the result at the end.
    datapipe_id : str
        The experiment's id, for ``datapipe``.

    Returns
    -------
    (int, int)
        Plans and images.

    Raises
    ------
    InputError
        When the folder is not empty, the id is missing, or the task is adaptive.
    """
    out = Path(out)
    if out.suffix == ".jzip":
        if target != "jatos":
            raise InputError(f"{out}: an archive is for --results-to jatos, got {target}; choose a folder")
        with tempfile.TemporaryDirectory() as folder:
            counts = write_bundle(study, folder, stimulus_set=stimulus_set, target=target)
            _archive(Path(folder), out)
        return counts
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: is not empty; choose a new folder for the bundle")
    if (target == "datapipe") != bool(datapipe_id):
        raise InputError("datapipe: --results-to datapipe and --datapipe-id go together")
    served = open_study(study, stimulus_set=stimulus_set)
    if served.protocol.adaptive:
        raise InputError(f"{study}: adaptive: a server chooses the values from the answers; use `session serve`")
    recruitment = served.settings.recruitment
    for path in (*(STATIC / "runner").iterdir(), STATIC / "bundle" / "files-main.js"):
        files.write_bytes(out / "static" / path.name, path.read_bytes())
    words = loading_words(served.protocol.language)
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
        "study_id": served.name,
        "identity": served.study_id,
        "n_plans": len(served.plans),
        "target": target,
        "datapipe_id": datapipe_id,
        "completion_code": code,
        "redirect": recruitment.redirect_for(code=code, external_id="") if "{id}" not in recruitment.redirect else "",
    }
    files.write_json(out / "study.json", public)
    return len(served.plans), len(served.media)


def _archive(folder: Path, out: Path) -> None:
    """Write JATOS's study archive: the files in a folder of the study's name, and what JATOS calls its properties."""
    public = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", public["study_id"]).strip("_") or "study"

    def same(what: str) -> str:  # importing again updates the study instead of adding another
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"rapidvision:{public['identity']}:{what}"))

    component = {"uuid": same("component"), "title": public["title"], "htmlFilePath": "index.html"}
    component |= {"reloadable": True, "active": True, "comments": "", "jsonData": None}
    properties = {
        "uuid": same("study"),
        "title": public["title"],
        "description": "Made with RapidVision",
        "groupStudy": False,
        "dirName": name,
        "comments": "",
        "jsonData": None,
        "componentList": [component],
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    with files.atomic(out) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        stamp = (2020, 1, 1, 0, 0, 0)  # the same study gives the same bytes
        archive.writestr(zipfile.ZipInfo(f"{name}.jas", stamp), json.dumps({"version": "3", "data": properties}))
        for path in sorted((each for each in folder.rglob("*") if each.is_file()), key=Path.as_posix):
            place = f"{name}/{path.relative_to(folder).as_posix()}"
            archive.writestr(zipfile.ZipInfo(place, stamp), path.read_bytes(), zipfile.ZIP_DEFLATED)
