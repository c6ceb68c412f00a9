"""What the first planner gave: the trial lists of both of the paper's protocols, as a SHA-256 over 120 plans each."""

import json

from rapidvision.experiments.design.planning import Planner
from rapidvision.formats.protocol_file import preset
from rapidvision.system import files

N_SLOTS = 60
#: Protocol -> digest, for the set that ``tests.experiments.sets.make_set`` writes.
OF_NOISE = {
    "paper": "504446f607bfdbd7914bc5e87872a8ddbd800bce2eff20b8570251decc7b855c",
    "authors-2017": "38dd9285106c78883eccce7fec71c916d75beebb36609c963272c7859ec3fe0c",
}
#: The same for the bundled set.
OF_BUNDLED = {
    "paper": "04ee00bd10a7fd548467046a9d31db491485dc93e97f8238337d89d981fff341",
    "authors-2017": "5805a3f0da9b778f6d35b62ce8a63e4df064f699b4a03f27b22fe51a04afff93",
}


def listed(plan):
    """A plan as the first planner would have written it: group, slot, keys, and everything that it drew for a trial."""
    keys = {option: key for key, option in plan.inputs.items()}
    trials = [
        [
            t.trial, t.block, t.phase, t.image.image_id, t.image.category, t.image.target, t.image.map_source,
            t.image.level_index, t.image.level_label, t.image.reveal_fraction, t.image.path, t.phases[0].duration_ms,
        ]
        for t in plan.trials()
    ]  # fmt: skip
    return [plan.group, plan.slot, keys["target"], keys["distractor"], trials]


def digest_of(stimulus_set, name):
    """SHA-256 over the lists of all plans of a preset."""
    planner = Planner(stimulus_set, preset(name))
    plans = [planner.plan(group, slot) for group in planner.conditions.groups for slot in range(N_SLOTS)]
    return files.sha256(json.dumps([listed(plan) for plan in plans], separators=(",", ":")).encode())
