"""Actions that read a study: the report, and the archive for others."""

from collections.abc import Sequence

from .action import NEED_STUDY, SEED, Action, Field, Values, Words, text, through_the_command_line
from .project import Project


def _need_table(project: Project) -> str:
    return "" if project.table() else "run or simulate participants first"


def _report(project: Project, values: Values) -> list[Words]:
    words = ["analyse", "report", str(project.table()), "--set", str(project.set), "--out", str(project.report)]
    models = project.study.folder / "models.csv"
    words += ["--models", str(models)] if models.is_file() else []
    words += ["--multiverse"] if values["multiverse"] else []
    return [[*words, "--late", values["late"], "--alternative", values["alternative"], "--seed", values["seed"]]]


def _report_python(project: Project, values: Values) -> Sequence[str]:
    models = project.study.folder / "models.csv"
    more = f", models={text(models)}" if models.is_file() else ""
    more += ", multiverse=True" if values["multiverse"] else ""
    return [
        "import rapidvision as rv",
        (
            f"rv.analysis.report({text(project.table())}, {text(project.report)}, stimulus_set={text(project.set)}{more}, "
            f"late={text(values['late'])}, alternative={text(values['alternative'])}, seed={values['seed']})"
        ),
    ]


def _archive(project: Project, values: Values) -> list[Words]:
    out = str(project.folder / f"{project.name}.zip")
    words = ["study", "archive", str(project.study.folder), "--out", out]
    words += ["--reports", str(project.report)] if values["report"] else []
    words += ["--with-images"] if values["images"] else []
    return [words, ["study", "verify", out]]


ACTIONS = (
    Action(
        "report",
        "read",
        "Analyse",
        "Tests at every level, Fig. 2B, the paragraph for the paper, and all tables as CSV.",
        _report,
        _report_python,
        (
            Field("late", "Late answers", "select", "exclude", ("exclude", "wrong", "half")),
            Field("alternative", "Alternative", "select", "two-sided", ("two-sided", "greater", "less")),
            Field("multiverse", "Also a multiverse of analyses", "check"),
            SEED,
        ),
        _need_table,
    ),
    Action(
        "archive",
        "read",
        "Archive for others",
        "One zip file with recipe, plans, tables without participants' codes, versions, licences and checksums.",
        _archive,
        through_the_command_line(_archive),
        (
            Field("report", "Include the report", "check"),
            Field("images", "Include the stimuli", "check"),
        ),
        NEED_STUDY,
    ),
)
