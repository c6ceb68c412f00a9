"""End-to-end example: maps from the ClickMe game, stimuli from the maps, one study in every runner, one table, one report.

::

    python examples/circle.py --out circle

Simulated players paint through the page of the game, in a real Chromium. What they mark becomes a stimulus set. The
same plans then run in PsychoPy (on a virtual display), in Chromium, in the simulation and through a network. Needs the
extras [lab], [models] and [online], Playwright, Chromium and Xvfb; about two minutes. Every participant here is
SIMULATED.
"""

import argparse
import asyncio
import csv
import json
import shutil
from importlib import resources
from pathlib import Path

from circle_browser import play, rapidvision, serving, virtual_display, visit

from rapidvision.errors import CheckFailed
from rapidvision.experiments.clickme.simulation.browser_player import mind_of
from rapidvision.experiments.clickme.storage.displayed import displayed_image
from rapidvision.experiments.clickme.storage.images import read_deck, read_maps
from rapidvision.experiments.design.rehearsals import Rehearsals
from rapidvision.experiments.lab.file_checks import journal_path
from rapidvision.experiments.lab.ledger import Ledger
from rapidvision.experiments.recording.journal import read_journal
from rapidvision.formats.trials_table import read_table, write_table
from rapidvision.plan import Plan
from rapidvision.study import Study
from rapidvision.trials import TrialRecord

SEED = "1"

#: Rounds of two seconds: the players are quick.
GAME = "practice_rounds = 0\n[rules]\nround_ms = 2000\n"

#: The same images' other maps, beside those from the game.
SALICON = '\n[[maps]]\nsource = "salicon"\nreader = "folder"\npath = "maps/salicon"\n'

#: One block without practice, and a second to answer: a busy computer must not make an answer late.
PROTOCOL = """\
protocol = 2
name = "circle"
[[phases]]
kind = "fixation"
duration_ms = [300, 500]
[[phases]]
kind = "stimulus"
duration_ms = 400
[[phases]]
kind = "blank"
duration_ms = 800
[response]
limit_ms = 1200
[[response.options]]
name = "target"
matches = [true]
keys = ["s"]
[[response.options]]
name = "distractor"
matches = [false]
keys = ["l"]
[design]
blocks = 1
[[design.factors]]
name = "map_source"
vary = "between"
[[design.factors]]
name = "level"
[practice]
n_trials = 0
[feedback]
too_slow_ms = 300
"""

#: Everybody answers after 250 to 450 ms, or, once in ten trials, not at all.
OBSERVERS = """\
no_answer = 0.1
response_shift_ms = 250.0
response_median_ms = 100.0
response_spread = 0.2
hesitation_ms = 0.0
"""

#: What must not depend on who runs a slot.
ASKED = ("group", "slot", "phase", "block", "trial", "image_id", "stimulus_sha256", "map_source", "level_index", "correct_response")  # fmt: skip
ANSWERED = ("input", "response", "correct", "status")


def some_images(out: Path, per_category: int) -> None:
    """Make an image folder of the first bundled images of each category, with both of their maps."""
    bundled = Path(str(resources.files("rapidvision.stimuli") / "bundled"))
    with (bundled / "images.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["phase"] == "main"]
    seen: dict[str, int] = {}
    chosen = [
        row for row in rows if seen.setdefault(row["category"], 0) < per_category and count(seen, row["category"])
    ]
    for row in chosen:
        for path in (row["path"], *(f"maps/{source}/{row['image_id']}.png" for source in ("clickme", "salicon"))):
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(bundled / path, out / path)
    with (out / "images.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(chosen[0]))
        writer.writeheader()
        writer.writerows(chosen)


def count(seen: dict[str, int], name: str) -> bool:
    """Count one more of `name`; always true."""
    seen[name] += 1
    return True


def collect_maps(out: Path, players: int) -> None:
    """ClickMe: images and players in, importance maps out."""
    deck = read_deck(out / "images")
    cards = {name: displayed_image(card.path, 256).pixels for name, card in deck.cards.items()}
    mind = mind_of(cards, read_maps(deck, "clickme", 256))
    (out / "game.toml").write_text(GAME, encoding="utf-8")
    command = ("clickme", "serve", out / "images", "--out", out / "game", "--settings", out / "game.toml")
    with serving(*command, "--partner", "bundled", "--port", 0) as url:
        asyncio.run(play(url, [f"player {n}" for n in range(players)], mind, len(cards)))
    rapidvision("clickme", "export", out / "game", "--out", out / "maps", "--keep-automated")  # programs played


def build_and_plan(out: Path, slots: int) -> Study:
    """Maps in, stimuli and plans out; the second source is the bundled images' own."""
    shutil.copytree(out / "images/maps/salicon", out / "maps/maps/salicon")
    with (out / "maps/recipe.toml").open("a", encoding="utf-8") as recipe:
        recipe.write(SALICON)
    rapidvision("stimuli", "build", out / "maps/recipe.toml", "--out", out / "stimuli")
    (out / "protocol.toml").write_text(PROTOCOL, encoding="utf-8")
    protocol = ("--protocol", out / "protocol.toml")
    rapidvision("session", "plan", out / "stimuli", "--out", out / "study", *protocol, "--n-per-group", slots)
    return Study(out / "study")


def run_everywhere(out: Path, study: Study) -> list[dict]:
    """Run slot 0 of both groups in the lab and in the browser, and every slot in the simulation."""
    observers = out / "observers.toml"
    observers.write_text(OBSERVERS, encoding="utf-8")
    groups = study.description().groups
    with virtual_display() as display:
        for group in groups:
            who = ("--participant", f"lab-{group}", "--group", group, "--simulate", "--observers-file", observers)
            screen = ("--paced", 60, "--window", "800x600", "--accept", "timing", "--seed", SEED)
            rapidvision("session", "run", study.folder, *who, *screen, display=display)
    rapidvision("session", "export", study.folder, "--observers", "simulated", "--out", out / "lab.csv")
    ports = ("--port", 0, "--dashboard-port", 0)
    with serving(
        "session", "serve", study.folder, "--simulate", "--observers-file", observers, "--seed", SEED, *ports
    ) as url:
        asked = asyncio.run(visit(url, len(groups)))
    collected = ("--observers", "simulated", "--out", out / "browser.csv")
    rapidvision("session", "export", study.folder, "--source", "online", *collected)
    rapidvision(
        "session",
        "simulate",
        study.folder,
        "--observers-file",
        observers,
        "--seed",
        SEED,
        "--out",
        out / "simulated.csv",
    )
    return asked


def check(out: Path, study: Study, asked: list[dict]) -> int:
    """Hold the runners against the plans and against each other; return how many trials were compared."""
    plans = {(plan.group, plan.slot): plan for plan in study.plans()}
    lab = Rehearsals(study.folder)  # sessions of simulated participants lie beside the study's own
    entries = Ledger(lab).slots().last.values()
    _same(len(entries), len(study.description().groups), "the number of lab sessions")
    for entry in entries:
        header, _ = read_journal(journal_path(lab, entry.session_id))
        _same(header.plan_digest, plans[entry.group, entry.slot].digest, "the plan in the lab's journal")
    # The browser is told neither group nor slot; the hashes tell which plan it got.
    by_hashes = {tuple(trial.image.stimulus_sha256 for trial in plan.trials()): plan for plan in plans.values()}
    for seat in asked:
        runs = [step for step in seat["steps"] if step["step"] == "run"]
        plan = by_hashes[tuple(file for step in runs for phase in step["phases"] if (file := phase["file"]))]
        told = [[phase["ms"] for phase in step["phases"]] for step in runs]
        _same(
            told, [[phase.duration_ms for phase in trial.phases] for trial in plan.trials()], "durations in the browser"
        )
        _same(seat["inputs"], plan.inputs, "keys")
    simulated = _sessions(read_table(out / "simulated.csv"))
    compared = 0
    for runner in ("lab", "browser"):
        for key, rows in _sessions(read_table(out / f"{runner}.csv")).items():
            _same(_columns(rows, ASKED), _columns(simulated[key], ASKED), f"what {runner} asked")
            _same(_columns(rows, ANSWERED), _columns(simulated[key], ANSWERED), f"what was answered in {runner}")
            compared += len(rows)
    for key, rows in _sessions(read_table(out / "models.csv")).items():
        main = [row for row in simulated[key] if row.phase == "main"]
        _same(_columns(rows, ASKED), _columns(main, ASKED), "what the network was asked")
    for plan in plans.values():
        _fixations(simulated[plan.group, plan.slot], plan)
    return compared


def _sessions(rows: list[TrialRecord]) -> dict[tuple[str, int], list[TrialRecord]]:
    """Return the rows of each (group, slot), in the order of their trials."""
    found: dict[tuple[str, int], list[TrialRecord]] = {}
    for row in sorted(rows, key=lambda row: row.trial):
        found.setdefault((row.group, row.slot), []).append(row)
    return found


def _columns(rows: list[TrialRecord], names: tuple[str, ...]) -> list[tuple]:
    return [tuple(getattr(row, name) for name in names) for row in rows]


def _same(found: object, expected: object, what: str) -> None:
    if found != expected:
        raise CheckFailed(f"{what} differs:\n{found}\n{expected}")


def _fixations(rows: list[TrialRecord], plan: Plan) -> None:
    """On the virtual screen, where no refresh is late, fixation is the planned one to half a refresh."""
    for row, trial in zip(rows, plan.trials(), strict=True):
        shown, planned = row.more["fixation_ms"], trial.phases[0].duration_ms
        if shown is None or planned is None or abs(shown - planned) > 500 / 60 + 1e-6:
            raise CheckFailed(f"trial {row.trial}: fixation {shown} ms, planned {planned} ms")


def main() -> None:
    """Go around once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument("--per-category", type=int, default=2, help="images of each of the eight categories")
    parser.add_argument("--n-players", type=int, default=4, help="players of the game, one map of each image from each")
    parser.add_argument("--n-per-group", type=int, default=12, help="plans per group, all of them simulated")
    arguments = parser.parse_args()
    out = arguments.out
    some_images(out / "images", arguments.per_category)
    collect_maps(out, arguments.n_players)
    study = build_and_plan(out, arguments.n_per_group)
    asked = run_everywhere(out, study)
    (out / "browser-plans.json").write_text(json.dumps(asked), encoding="utf-8")
    network = resources.files("rapidvision.gala_models") / "bundled" / "compact-gala-maps.safetensors"
    rapidvision("models", "observe", study.folder, "--model", network, "--out", out / "models.csv")
    compared = check(out, study, asked)
    print(f"{compared} trials of lab and browser: the same questions and the same answers as in the simulation")
    tables = [row for name in ("lab", "browser", "simulated") for row in read_table(out / f"{name}.csv")]
    write_table(out / "trials.csv", tables)
    report = ("analyse", "report", out / "trials.csv", "--models", out / "models.csv", "--set", out / "stimuli")
    rapidvision(*report, "--seed", SEED, "--out", out / "report")
    print(
        f"Fig. 2B, two groups of simulated participants and one network on both sources: {out / 'report' / 'figures' / 'fig2b.png'}"
    )


if __name__ == "__main__":
    main()
