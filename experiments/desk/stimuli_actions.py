"""Actions that make a stimulus set: guesses, builds, the contact sheet."""

from collections.abc import Sequence

from .action import NEED_SET, Action, Field, Values, Words, option, text, through_the_command_line
from .project import Project


def _init(project: Project, values: Values) -> list[Words]:
    begun = ["stimuli", "init", str(project.uploads), "--out", str(project.recipe.parent)]
    return [[*begun, *option("--targets", values["targets"])]]


def _build_own(project: Project, values: Values) -> list[Words]:
    preset = option("--preset", values["preset"])
    recipe = str(project.recipe)
    return [["stimuli", "check", recipe], ["stimuli", "build", recipe, "--out", str(project.set), *preset]]


def _build_own_python(project: Project, values: Values) -> Sequence[str]:
    preset = f", preset={text(values['preset'])}" if values["preset"] else ""
    return [
        "import rapidvision as rv",
        f"rv.stimuli.check_recipe({text(project.recipe)})",
        f"rv.stimuli.build({text(project.recipe)}, out={text(project.set)}{preset})",
    ]


def _sheet(project: Project, _values: Values) -> list[Words]:
    recipe = ["--recipe", str(project.recipe)] if project.recipe.is_file() else ["--recipe", "bundled"]
    return [["stimuli", "show", str(project.set), "--out", str(project.folder / "sheet"), *recipe]]


ACTIONS = (
    Action(
        "init",
        "images",
        "Guess readers, ids and categories",
        "Looks at the uploaded images and maps and writes images.csv and recipe.toml with its guesses.",
        _init,
        through_the_command_line(_init),
        (Field("targets", "Categories that are targets", hint="separated by blanks, such as: animal"),),
        lambda project: "" if project.uploads.is_dir() else "upload images and maps first",
    ),
    Action(
        "build",
        "stimuli",
        "Check and build",
        "Checks every file of the recipe, then builds. A build that was stopped continues where it was.",
        _build_own,
        _build_own_python,
        (
            Field(
                "preset",
                "Canvas and matching",
                "select",
                "controlled",
                ("", "controlled"),
                hint="controlled: the canvas tells nothing of the category; empty: the paper's",
            ),
        ),
        lambda project: "" if project.recipe.is_file() else "guess a recipe of your images first",
    ),
    Action(
        "build-bundled",
        "stimuli",
        "Build from the bundled images",
        "96 rendered images of eight categories with ClickMe-like and SALICON-like maps.",
        lambda project, _: [["stimuli", "build", "bundled", "--out", str(project.set)]],
        lambda project, _: ["import rapidvision as rv", f'rv.stimuli.build("bundled", out={text(project.set)})'],
    ),
    Action(
        "sheet",
        "stimuli",
        "Draw the contact sheet",
        "All images, levels, flags and certificates.",
        _sheet,
        through_the_command_line(_sheet),
        (),
        NEED_SET,
    ),
)
