"""Actions that plan a study and run it: task, plans, simulated and real participants, networks, exports."""

from rapidvision.errors import InputError
from rapidvision.formats.protocol_file import PRESETS

from .action import NEED_SET, NEED_STUDY, SEED, Action, Field, Values, Words, option, through_the_command_line
from .project import Project


def _task(project: Project, values: Values) -> list[Words]:
    timeline = str(project.folder / "timeline.svg")
    steps = [["session", "protocol", values["preset"], "--out", str(project.protocol)]]
    plan = ["session", "plan", str(project.set), "--protocol", str(project.protocol), "--fit", "--explain", timeline]
    return [*steps, plan]


def _plan(project: Project, values: Values) -> list[Words]:
    words = ["session", "plan", str(project.set), "--protocol", str(project.protocol), "--fit"]
    words += ["--n-per-group", values["n_per_group"], *option("--language", values["language"])]
    return [[*words, "--out", str(project.study.folder)]]


def _simulate(project: Project, values: Values) -> list[Words]:
    return [["session", "simulate", str(project.study.folder), "--seed", values["seed"]]]


def _run(project: Project, values: Values) -> list[Words]:
    if values["what"] == "participant" and not values["participant"]:
        raise InputError(
            "Code of the participant: nothing was given; a code that says nothing about the person is needed"
        )
    words = ["session", "run", str(project.study.folder)]
    words += {
        "participant": ["--participant", values["participant"]],
        "pilot": ["--pilot"],
        "simulated": ["--simulate"],
    }[values["what"]]
    words += option("--screen", values["screen"]) + option("--screen-index", values["monitor"])
    return [[*words, *option("--trigger", values["trigger"])]]


def _resume(project: Project, values: Values) -> list[Words]:
    return [
        ["session", "resume", str(project.study.folder), values["participant"], *option("--screen", values["screen"])]
    ]


def _serve(project: Project, _values: Values) -> list[Words]:
    words = ["session", "serve", str(project.study.folder), "--rehearsal", "--simulate"]
    return [[*words, "--port", "0", "--dashboard-port", "0"]]


def _observe(project: Project, values: Values) -> list[Words]:
    study = str(project.study.folder)
    return [["models", "observe", study, "--model", values["model"], "--out", f"{study}/models.csv"]]


def _export(project: Project, values: Values) -> list[Words]:
    words = ["session", "export", str(project.study.folder), "--format", values["format"], "--source", values["source"]]
    where = [] if values["format"] == "table" else ["--out", str(project.folder / values["format"])]
    return [[*words, *where]]


_SCREEN = Field("screen", "Monitor profile", hint="a TOML file with size and distance; empty: none")

ACTIONS = (
    Action(
        "task",
        "task",
        "Choose this task",
        "Writes protocol.toml, which you can edit, and draws the timeline of a session.",
        _task,
        through_the_command_line(_task),
        (Field("preset", "Task", "select", "paper", PRESETS),),
        NEED_SET,
    ),
    Action(
        "plan",
        "plan",
        "Plan the participants",
        "One balanced plan for every participant; what the set cannot give is fitted, and every change is said.",
        _plan,
        through_the_command_line(_plan),
        (
            Field("n_per_group", "Participants per group", "number", "60", needed=True),
            Field(
                "language",
                "Language of the texts",
                "select",
                "",
                ("", "en", "de", "fr", "es"),
                hint="empty: the protocol's",
            ),
        ),
        lambda project: NEED_SET(project) or ("" if project.protocol.is_file() else "choose a task first"),
    ),
    Action(
        "simulate",
        "run",
        "Simulate the participants",
        "Simulated participants with known thresholds take every plan. Their table is kept apart from that of people.",
        _simulate,
        through_the_command_line(_simulate),
        (SEED,),
        NEED_STUDY,
    ),
    Action(
        "run",
        "run",
        "Start a session with PsychoPy",
        "Opens a full-screen window on this computer. Escape pauses; Escape again stops, and the session can be resumed.",
        _run,
        through_the_command_line(_run),
        (
            Field("what", "Who", "select", "participant", ("participant", "pilot", "simulated")),
            Field("participant", "Code of the participant", hint="says nothing about the person, such as p01"),
            _SCREEN,
            Field("monitor", "Monitor", "number", hint="0 is the first; empty: the main one"),
            Field("trigger", "Trigger", hint="serial:DEVICE, parallel:ADDRESS or lsl:NAME; empty: none"),
        ),
        NEED_STUDY,
    ),
    Action(
        "resume",
        "run",
        "Resume a session",
        "Continues a session that was stopped.",
        _resume,
        through_the_command_line(_resume),
        (Field("participant", "Code of the participant or session", needed=True), _SCREEN),
        NEED_STUDY,
    ),
    Action(
        "serve",
        "run",
        "Try the study in the browser",
        "Serves a rehearsal on this computer only. The log shows the addresses of the participants' page and the dashboard.",
        _serve,
        through_the_command_line(_serve),
        (),
        NEED_STUDY,
        long=True,
    ),
    Action(
        "observe",
        "run",
        "Run networks",
        "The networks see the same plans and pixels and fill the same table.",
        _observe,
        through_the_command_line(_observe),
        (Field("model", "Network", default="bundled", hint="bundled, a file, or module:function", needed=True),),
        NEED_STUDY,
    ),
    Action(
        "export",
        "run",
        "Export the recorded trials",
        "Writes study/trials.csv, or BIDS or Psych-DS.",
        _export,
        through_the_command_line(_export),
        (
            Field("format", "Format", "select", "table", ("table", "bids", "psych-ds")),
            Field("source", "Sessions of", "select", "lab", ("lab", "online")),
        ),
        NEED_STUDY,
    ),
)
