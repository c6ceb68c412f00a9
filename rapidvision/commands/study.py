"""``rapidvision study``: make a study by answering questions, see what it lacks, archive it, verify an archive.

Every step runs as the command that a user would type, and that command is printed first.
"""

import argparse
import shlex
import sys
from pathlib import Path

from rapidvision import cli
from rapidvision.errors import InputError
from rapidvision.formats import trials_table
from rapidvision.study import Study

#: Answers of `study new` that need no question when they stand on the command line.
_BUNDLED = "bundled"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs of ``rapidvision study``."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    new = cli.add_verb(
        verbs,
        "new",
        "make a study by answering questions: images, task, participants",
        "  rapidvision study new experiment\n"
        "  rapidvision study new experiment --folders photographs maps --targets animal --preset paper --n-per-group 20 --yes",
    )
    new.add_argument("folder", type=Path, metavar="FOLDER", help="the folder to make")
    new.add_argument(
        "--folders",
        nargs="+",
        metavar="FOLDER",
        help=f"your folders of images and maps, one stimulus set, or {_BUNDLED} (default: asked)",
    )
    new.add_argument("--targets", nargs="+", metavar="WORD", help="categories that are targets, for your own images")
    new.add_argument("--preset", metavar="NAME", help="the task (default: asked; `session protocol` lists them)")
    new.add_argument("--n-per-group", type=int, metavar="N", help="participants per group (default: asked)")
    new.add_argument("--yes", action="store_true", help="take the suggested answer where none is given; ask nothing")
    cli.add_common_options(new)
    new.set_defaults(run=run_new)

    status = cli.add_verb(
        verbs,
        "status",
        "show what a study has, and the command that comes next",
        "  rapidvision study status experiment/study",
    )
    status.add_argument("study", type=Path, metavar="STUDY", help="folder of the study")
    cli.add_common_options(status, seed=False, json=True)
    status.set_defaults(run=run_status)

    archive = cli.add_verb(
        verbs,
        "archive",
        "write recipe, plans, tables and results as one folder or zip file, without participants' codes",
        "  rapidvision study archive study --out study.zip\n"
        "  rapidvision study archive study --reports report --with-images --out study.zip",
    )
    archive.add_argument("study", type=Path, metavar="STUDY", help="folder of the study")
    archive.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="PATH",
        help="what to write: a folder, or a zip file if it ends in .zip",
    )
    archive.add_argument(
        "--tables",
        type=Path,
        nargs="+",
        default=[],
        metavar="CSV",
        help="trials tables (default: those in the study's folder)",
    )
    archive.add_argument(
        "--reports",
        type=Path,
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="folders of reports and figures",
    )
    archive.add_argument("--set", type=Path, metavar="SET", help="the stimulus set, if it was moved")
    archive.add_argument("--with-images", action="store_true", help="include the stimuli, not only their recipe")
    cli.add_common_options(archive, seed=False, json=True)
    archive.set_defaults(run=run_archive)

    verify = cli.add_verb(
        verbs, "verify", "compare every file of an archive with its record", "  rapidvision study verify study.zip"
    )
    verify.add_argument("archive", type=Path, metavar="ARCHIVE", help="a folder or zip file of `study archive`")
    cli.add_common_options(verify, seed=False, json=True)
    verify.set_defaults(run=run_verify)


def run_archive(arguments: argparse.Namespace) -> int:
    """Write an archive and say what is in it, and what is not."""
    from rapidvision.archive.write import write_archive

    record = write_archive(
        arguments.study,
        arguments.out,
        tables=arguments.tables,
        results=arguments.reports,
        set_folder=arguments.set,
        with_images=arguments.with_images,
        quiet=arguments.quiet,
    )
    size = sum(file.n_bytes for file in record.files) / 1e6
    cli.say(arguments, f"{arguments.out}: {len(record.files)} files, {size:.1f} MB before compression")
    for name, n_trials in record.n_trials.items():
        cli.say(arguments, f"  {name}: {n_trials} trials of {record.n_participants[name]} participants")
    for sentence in record.left_out:
        cli.say(arguments, f"not included: {sentence}")
    cli.give(arguments, {"archive": str(arguments.out), "files": len(record.files), "n_trials": record.n_trials})
    return 0


def run_verify(arguments: argparse.Namespace) -> int:
    """Compare an archive with its record."""
    from rapidvision.archive.verify import verify_archive

    record = verify_archive(arguments.archive, quiet=arguments.quiet)
    cli.say(
        arguments, f"{arguments.archive}: all {len(record.files)} files of the study {record.study_id} are unchanged"
    )
    cli.give(arguments, {"study_id": record.study_id, "files": len(record.files)})
    return 0


def run_status(arguments: argparse.Namespace) -> int:
    """Show set, plans and tables of a study, its slots, and what comes next."""
    study = Study(arguments.study)
    description = study.description()
    stimulus_set = study.stimulus_set()
    n_plans = len(list(study.plans_folder.glob("*.json")))
    cli.say(arguments, f"study {description.study_id}, task {study.protocol().name}")
    cli.say(arguments, f"  stimuli  {len(stimulus_set.stimuli)} in {stimulus_set.folder}")
    cli.say(arguments, f"  plans    {n_plans}: {description.n_slots} in each of {', '.join(description.groups)}")
    tables = {
        path: trials_table.read_table(path) for path in (study.trials_path, study.simulated_path) if path.is_file()
    }
    found = {}
    for path, records in tables.items():
        people = len({record.participant_id for record in records})
        kinds = ", ".join(sorted({record.observer_kind for record in records}))
        cli.say(arguments, f"  table    {path.name}: {len(records)} trials of {people} participants ({kinds})")
        found[path.name] = {"trials": len(records), "participants": people}
    if cli.main(["session", "status", str(study.folder)]):
        return 1
    following = _next(study)
    cli.say(arguments, f"next: {shlex.join(['rapidvision', *following])}")
    cli.give(
        arguments,
        {
            "study_id": description.study_id,
            "stimuli": len(stimulus_set.stimuli),
            "plans": n_plans,
            "tables": found,
            "next": following,
        },
    )
    return 0


def _next(study: Study) -> list[str]:
    folder = str(study.folder)
    if study.trials_path.is_file():
        return ["analyse", "report", str(study.trials_path), "--out", str(study.folder / "report")]
    if any(study.sessions_folder.glob("*.jsonl")):
        return ["session", "export", folder]
    if study.simulated_path.is_file():
        return ["session", "run", folder, "--participant", "p01"]
    return ["session", "simulate", folder]


def run_new(arguments: argparse.Namespace) -> int:
    """Ask for images, task and numbers, and run the commands that make the study."""
    folder: Path = arguments.folder
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: exists and is not empty; give a folder that is free")
    question = f"Your folders of images and maps, separated by blanks, one stimulus set, or {_BUNDLED}"
    images = arguments.folders or shlex.split(_answer(arguments, "folders", question, _BUNDLED))
    for given in images:
        if images != [_BUNDLED] and not Path(given).is_dir():
            raise InputError(f"folders: {given} is no folder; give folders, or {_BUNDLED}")
    preset = _answer(arguments, "preset", "Task (paper, or another name that `session protocol` lists)", "paper")
    n_per_group = _answer(arguments, "n_per_group", "Participants per group", "60")
    if not n_per_group.isdecimal() or int(n_per_group) < 1:
        raise InputError(f"participants per group: got {n_per_group}, a whole number of at least 1 is needed")
    for step in _steps(folder, images, preset, n_per_group, arguments):
        cli.say(arguments, f"$ {shlex.join(['rapidvision', *step])}")
        code = cli.main([*step, "--quiet"] if arguments.quiet else step)
        if code:
            cli.say(
                arguments,
                f"stopped here; mend what the message names, then run the commands from this one on in {folder}",
            )
            return code
    cli.say(arguments, f"next: {shlex.join(['rapidvision', 'study', 'status', str(folder / 'study')])}")
    return 0


def _steps(
    folder: Path, images: list[str], preset: str, n_per_group: str, arguments: argparse.Namespace
) -> list[list[str]]:
    seed = [] if arguments.seed is None else ["--seed", str(arguments.seed)]
    stimulus_set, protocol, recipe = (str(folder / name) for name in ("set", "protocol.toml", "images/recipe.toml"))
    steps = []
    if (Path(images[0]) / "stimulus_set.json").is_file():
        stimulus_set = images[0]
    elif images == [_BUNDLED]:
        steps.append(["stimuli", "build", _BUNDLED, "--out", stimulus_set, *seed])
    else:
        targets = ["--targets", *arguments.targets] if arguments.targets else []
        steps.append(["stimuli", "init", *images, "--out", str(folder / "images"), *targets])
        steps += [["stimuli", "check", recipe], ["stimuli", "build", recipe, "--out", stimulus_set, *seed]]
    steps.append(["session", "protocol", preset, "--out", protocol])
    plan = ["session", "plan", stimulus_set, "--protocol", protocol, "--n-per-group", n_per_group]
    return [*steps, [*plan, "--fit", *seed, "--out", str(folder / "study")]]


def _answer(arguments: argparse.Namespace, name: str, question: str, suggested: str) -> str:
    given = getattr(arguments, name)
    if given is not None:
        return str(given)
    if arguments.yes:
        return suggested
    if not sys.stdin.isatty():
        raise InputError(f"--{name.replace('_', '-')} is missing and there is no terminal to ask at; give it, or --yes")
    return _asked(f"{question} [{suggested}]: ", suggested)


def _asked(question: str, suggested: str) -> str:
    try:
        return input(question).strip() or suggested
    except EOFError:
        raise InputError("the answers ended before the last question; start again, or give --yes") from None
