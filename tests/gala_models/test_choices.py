"""Tasks with more than two options: class lists, the mean rule, ties, confidence, and what a network does not see."""

import json

import msgspec
import numpy as np
import pytest
import torch

from rapidvision import cli
from rapidvision.errors import InputError
from rapidvision.formats import trials_table
from rapidvision.formats.protocol_file import preset
from rapidvision.gala_models.answers.choices import chosen, confidence_answer, drawn, option_probabilities, ranks
from rapidvision.gala_models.answers.class_lists import CLASS_LISTS, EIGHT, N_IMAGENET, SIXTEEN, list_for, list_named
from rapidvision.gala_models.answers.participants import Participants
from rapidvision.gala_models.answers.task import task_of
from rapidvision.gala_models.observer import observe
from rapidvision.gala_models.observer.probe_observer import Probing
from rapidvision.gala_models.observer.readout import binary
from rapidvision.gala_models.observer.sessions import NetworkObserver
from rapidvision.gala_models.observer.shown import once, stimuli_of
from rapidvision.gala_models.observer.study_run import run_study
from rapidvision.gala_models.preprocessing import Preprocessing
from rapidvision.gala_models.weights.card import Card, Category
from rapidvision.gala_models.weights.load import save_model
from rapidvision.plan import Gate, Run, write_plan
from rapidvision.study import Study
from rapidvision.task.design import Factor
from rapidvision.task.questions import Question
from rapidvision.task.response import Option, Response
from rapidvision.task.trial import Choice
from tests.gala_models.conftest import CATEGORIES, PROTOCOL, make_study
from tests.gala_models.test_observe import Redness, Undecided
from tests.planned import image_of, plan_of, trial_of

FLAT = Preprocessing(size_px=32, mean=(0, 0, 0), std=(1, 1, 1))
#: As the source counts them; the sum is 207.
COUNTS = {
    "airplane": 1, "bear": 4, "bicycle": 2, "bird": 49, "boat": 5, "bottle": 7, "car": 3, "cat": 6,
    "chair": 4, "clock": 3, "dog": 109, "elephant": 2, "keyboard": 2, "knife": 1, "oven": 1, "truck": 8,
}  # fmt: skip
FOUR = msgspec.structs.replace(
    PROTOCOL,
    response=Response(
        correct="category", limit_ms=550, options=tuple(Option(name=name, keys=(name[0],)) for name in CATEGORIES)
    ),
)


class Named(torch.nn.Module):
    """Scores for four classes: blue makes tables and couches, red birds and cats; green decides between the two."""

    def forward(self, x):
        red, green, blue = x.mean((2, 3)).T
        return 6 * torch.stack([red + green, red - green, blue + green, blue - green], 1)


def named(**more):
    return observe.Network("named", Named().eval(), binary(), FLAT, class_names=tuple(CATEGORIES), **more)


def red():
    return observe.Network("red", Redness(), binary(), FLAT)


def records_of(folder, protocol, network, **more):
    return run_study(make_study(folder, protocol=protocol), [network], out=None, quiet=True, **more).records


# Class lists.


def test_the_sixteen_categories_have_207_classes_and_none_twice():
    assert {name: len(classes) for name, classes in SIXTEEN.items()} == COUNTS
    every = [index for classes in SIXTEEN.values() for index in classes]
    assert len(every) == len(set(every)) == sum(COUNTS.values()) == 207
    assert 0 <= min(every) <= max(every) < N_IMAGENET
    assert list(SIXTEEN) == sorted(option.name for option in preset("sixteen-way").response.options)


def test_gaps_of_the_published_lists_are_kept():
    assert {17, 21, 84, 85, 86, 97, 134}.isdisjoint(SIXTEEN["bird"])
    assert {8, 24, 83, 87, 96, 98, 133, 135, 145} <= set(SIXTEEN["bird"])
    assert {192, 204, 227, 242, 251, 258, 260, 264}.isdisjoint(SIXTEEN["dog"])
    assert {152, 191, 193, 203, 205, 241, 250, 252, 257, 259, 268} <= set(SIXTEEN["dog"])


def test_a_list_is_found_by_the_categories_of_the_task():
    assert list_for(list(SIXTEEN), 1000, network="net").name == "imagenet-16"
    assert list_for(list(EIGHT), 1000, network="net").name == "imagenet-8"
    assert list_for(["cat", "bird"], 1000, network="net").name == "imagenet-16"
    assert list_for(["cat", "bird"], 1000, network="net", name="imagenet-8").categories["cat"] == EIGHT["cat"]
    assert list_for(["b"], 2, network="net", own=["a", "b"]).categories["b"] == (1,)
    assert all(one.source for one in CLASS_LISTS)


@pytest.mark.parametrize(
    ("categories", "n_classes", "own", "says"),
    [
        (["cat", "unicorn"], 1000, (), "net: the class list imagenet-16 has no unicorn; it has airplane"),
        (
            ["cat"],
            10,
            (),
            r"net: has 10 classes without names; the task asks for cat\. Class lists there are: imagenet-16",
        ),
        (["cat"], 2, ("a", "b"), "net: the class list own has no cat; it has a, b"),
    ],
)
def test_categories_that_a_network_does_not_have_are_named(categories, n_classes, own, says):
    with pytest.raises(InputError, match=says):
        list_for(categories, n_classes, network="net", own=own)


def test_an_unknown_list_is_refused_with_the_nearest_name():
    with pytest.raises(InputError, match='Did you mean "imagenet-16"'):
        list_named("imagenet16")


# From scores to options.


def test_an_options_probability_is_the_mean_over_its_classes():
    scores = torch.log(torch.tensor([[0.1, 0.2, 0.3, 0.4]]))
    assert option_probabilities(scores, [(0,), (1, 2), (0, 3)])[0] == pytest.approx([0.1, 0.25, 0.25])
    summed = scores.softmax(1)[0]  # the sum would prefer the option with more classes, the mean does not
    assert float(summed[1] + summed[2]) > float(summed[3])
    assert chosen(option_probabilities(scores, [(1, 2), (3,)]), ["many", "one"]).tolist() == [1]


def test_ties_go_to_the_last_name_of_the_alphabet():
    equal = np.full((1, 3), 0.2)
    assert chosen(equal, ["bear", "zebra", "cat"]).tolist() == [1]
    assert chosen(np.array([[0.4, 0.1, 0.4]]), ["truck", "zebra", "oven"]).tolist() == [0]
    assert chosen(np.array([[0.1, 0.3, 0.2]]), ["a", "b", "c"]).tolist() == [1]


def test_drawn_options_have_the_networks_shares():
    noise = np.random.Generator(np.random.PCG64(1)).logistic(size=40_000)
    mine = np.array([0.05, 0.15, 0.3])  # they need not sum to 1
    counts = np.bincount([drawn(mine, value) for value in noise], minlength=3) / len(noise)
    assert counts == pytest.approx([0.1, 0.3, 0.6], abs=0.01)
    assert drawn(mine, 1e9) == 2


def test_confidence_divides_the_stimuli_into_equal_parts_whatever_the_scale():
    strength = np.random.Generator(np.random.PCG64(2)).exponential(size=400)
    rating = Question(name="confidence", kind="rating", options=("1", "2", "3", "4"))
    given = [confidence_answer(rating, share) for share in ranks(strength)]
    assert {option: given.count(option) for option in "1234"} == dict.fromkeys("1234", 100)
    assert given == [confidence_answer(rating, share) for share in ranks(7 * strength)]
    assert max(strength[[option == "1" for option in given]]) < min(strength[[option == "2" for option in given]])
    number = Question(name="confidence", kind="number", range=(50, 100))
    assert confidence_answer(number, 0.5) == 75


# Whole studies.


def test_a_network_with_named_classes_answers_a_task_with_four_options(tmp_path):
    records = records_of(tmp_path, FOUR, named())
    assert {record.response for record in records} <= set(CATEGORIES)
    assert {record.correct_response for record in records} == set(CATEGORIES)
    assert all(record.correct is (record.response == record.category) for record in records)
    assert all(CATEGORIES[record.response] == record.target for record in records)  # red or blue is certain
    assert all(record.decision_value is None and record.ignored == "durations" for record in records)


def test_the_same_scores_give_the_same_choice_by_hand(tmp_path):
    study, network = make_study(tmp_path, protocol=FOUR), named()
    plans = study.plans()
    stimuli, task = stimuli_of(plans), task_of(FOUR)
    seen = observe.observe_stimuli([network], study.stimulus_set().folder, stimuli, task=task)[0]
    observer = NetworkObserver(network, seen, task)
    for trial in plans[0].trials():
        shares = seen.probabilities[seen.row[trial.image.stimulus_sha256]]
        assert shares.sum() == pytest.approx(1)
        assert observer.answer(trial).response == task.options[int(np.argmax(shares))]


def test_two_categories_have_signed_evidence_for_the_first(tmp_path):
    two = tuple(
        Option(name=name, matches=words)
        for name, words in {"thing": ("table", "couch"), "animal": ("bird", "cat")}.items()
    )
    protocol = msgspec.structs.replace(PROTOCOL, response=Response(correct="category", limit_ms=550, options=two))
    records = records_of(tmp_path, protocol, named())
    assert all(record.correct for record in records)
    assert all((record.decision_value > 0) == (record.response == "thing") for record in records)


def test_evidence_is_for_the_first_option_also_where_that_is_the_distractor(tmp_path):
    turned = msgspec.structs.replace(PROTOCOL.response, options=PROTOCOL.response.options[::-1])
    records = records_of(tmp_path, msgspec.structs.replace(PROTOCOL, response=turned), red())
    assert all(record.correct for record in records)
    assert all((record.decision_value > 0) == (record.response == "distractor") for record in records)


def test_go_and_no_go_are_answered_without_a_clock(tmp_path):
    options = (Option(name="go", matches=(True,), keys=("space",)), Option(name="no-go", matches=(False,)))
    response = Response(options=options, limit_ms=1000, press="up")
    records = records_of(tmp_path, msgspec.structs.replace(PROTOCOL, response=response), red())
    assert all(record.correct and record.status == "ok" for record in records)
    assert {(record.response, record.target) for record in records} == {("go", True), ("no-go", False)}


def test_confidence_and_what_was_ignored_stand_in_the_table(tmp_path):
    base = preset("confidence")
    vague = Question(name="mood", kind="text", required=False)
    protocol = msgspec.structs.replace(PROTOCOL, questions=(*base.questions, vague))
    study = make_study(tmp_path, protocol=protocol)
    out = tmp_path / "m.csv"
    records = run_study(study, [red()], out=out, quiet=True).records
    ratings = [record.more["confidence"] for record in records]
    assert set(ratings) <= {1, 2, 3, 4}
    assert {1, 4} <= set(ratings)
    strength = np.array([abs(record.decision_value) for record in records])
    assert max(strength[np.array(ratings) == 1]) < min(strength[np.array(ratings) == 4])
    assert {record.more["mood"] for record in records} == {None}
    assert {record.ignored for record in records} == {"durations mood"}
    about = json.loads(out.with_suffix(".json").read_text())
    assert about["ignored"] == ["durations", "mood"]
    assert "equal parts" in about["confidence"]
    drawn_ones = run_study(study, [red()], out=None, quiet=True, participants=Participants(policy="stochastic", seed=1))
    against = [one for one in drawn_ones.records if (one.decision_value > 0) != (one.response == "target")]
    assert against
    assert {record.more["confidence"] for record in against} == {1}  # the answer is not the network's best


def test_masks_cues_and_factors_are_ignored_by_name():
    masked = preset("masked")
    factor = Factor(name="deadline", values=(400, 1200))
    design = msgspec.structs.replace(masked.design, factors=(factor,))
    assert task_of(msgspec.structs.replace(masked, design=design)).ignored == ("durations", "masks", "deadline")


def test_a_chosen_label_is_answered_from_the_closed_list(tmp_path):
    label = Question(name="label", kind="choice", options=tuple(CATEGORIES), correct="category")
    protocol = msgspec.structs.replace(PROTOCOL, response=None, questions=(label,))
    study = make_study(tmp_path, protocol=PROTOCOL)
    index = study.stimulus_set().index()
    rows = [row for key, row in index.items() if key[1] == "clickme" and key[2] == 2]
    trials = [
        msgspec.structs.replace(trial_of(protocol, row, trial=n), correct_response=row.category)
        for n, row in enumerate(rows)
    ]
    other = Study(tmp_path / "other")
    write_plan(other.plans_folder, plan_of(protocol, study.stimulus_set().digest, trials))
    other.write_description(study.stimulus_set(), protocol, groups=("all",), n_slots=1)
    records = run_study(other, [named()], out=None, quiet=True).records
    assert all(record.response == record.more["label"] in CATEGORIES for record in records)
    assert all(CATEGORIES[record.response] == record.target for record in records)


def test_an_image_under_two_paths_is_seen_once(tmp_path):
    assert once({"a": "1", "b": "1", "c": "2"}) == {"a": "1", "c": "2"}
    study, net = make_study(tmp_path), red()
    folder = study.stimulus_set().folder
    path, sha256 = next(iter(stimuli_of(study.plans()).items()))
    (folder / "again.png").write_bytes((folder / path).read_bytes())
    seen = observe.observe_stimuli([net], folder, {path: sha256, "again.png": sha256})[0]
    assert len(seen.evidence) == 1
    assert net.model.n_seen == 2  # the image, and the grey one before the work


def test_ties_between_categories_are_counted_and_described(tmp_path):
    class Flat(torch.nn.Module):
        def forward(self, x):
            return torch.zeros(len(x), 4)

    network = observe.Network("flat", Flat(), binary(), FLAT, class_names=tuple(CATEGORIES))
    out = tmp_path / "m.csv"
    study_run = run_study(make_study(tmp_path, protocol=FOUR), [network], out=out, quiet=True)
    assert {record.response for record in study_run.records} == {"table"}
    about = json.loads(out.with_suffix(".json").read_text())
    assert about["networks"][0]["n_ties"] == study_run.n_stimuli
    assert "alphabetical" in about["ties"]
    assert about["networks"][0]["readout"].startswith("own: mean probability")


# Adaptive levels and gates.


def adaptive_study(folder, method, n_trials=12):
    """A study whose level adapts: every trial offers three levels of an image."""
    protocol = msgspec.structs.replace(
        preset("threshold"),
        name="squares",
        adaptive=msgspec.structs.replace(preset("threshold").adaptive, method=method),
    )
    study = make_study(folder)
    found = study.stimulus_set()
    index = found.index()
    ids = [exemplar.image_id for exemplar in found.exemplars("main")]
    trials = []
    for number in range(n_trials):
        rows = [index[ids[number % len(ids)], "clickme", level] for level in range(2)]
        choices = tuple(Choice(value=row.level_index, images={"image": image_of(row)}) for row in rows)
        trials.append(trial_of(protocol, rows[-1], trial=number, track="clickme", choices=choices))
    other = Study(folder / "adaptive")
    write_plan(other.plans_folder, plan_of(protocol, found.digest, trials))
    other.write_description(found, protocol, groups=("all",), n_slots=1)
    return other


class Weak(Redness):
    """Right where most of the image is coloured, wrong where little is."""

    def forward(self, x):
        scores = super().forward(x)
        clear = (scores[:, :1] - scores[:, 1:]).abs() > 1
        return torch.where(clear, scores, scores.flip(1))


def test_an_adaptive_level_follows_the_networks_own_answers(tmp_path):
    study = adaptive_study(tmp_path, "staircase")
    sure = run_study(study, [red()], out=None, quiet=True).records
    # Two right answers make it harder by a step, which is the hardest level of two.
    assert [record.level_index for record in sure] == [1, 1] + [0] * 10
    weak = run_study(study, [observe.Network("weak", Weak(), binary(), FLAT)], out=None, quiet=True).records
    assert [record.level_index for record in weak] == [1, 1, 0] * 4
    assert [record.correct for record in weak] == [True, True, False] * 4


def test_quest_chooses_for_networks_what_the_rule_chooses(tmp_path):
    from rapidvision.task.tracks import track_of

    study = adaptive_study(tmp_path, "quest+")
    plan = study.plans()[0]
    records = run_study(study, [red()], out=None, quiet=True).records
    track = track_of(plan.trials()[0], plan.protocol.adaptive, 2)
    for trial, record in zip(plan.trials(), records, strict=True):
        index = track.choose()
        assert record.level_index == trial.choices[index].value
        track = track.after(index, record.correct)


def test_a_gate_that_is_passed_skips_practice_and_one_that_is_missed_stops_nothing(tmp_path):
    study = make_study(tmp_path)
    plan = study.plans()[0]
    runs = plan.trials()
    again = [msgspec.structs.replace(trial, trial=100 + n, block=-2) for n, trial in enumerate(plan.trials("practice"))]
    steps = (
        *(Run(part="practice-1", trial=trial) for trial in plan.trials("practice")),
        Gate(part="practice-1", block=-1, at_least=0.8, skip=("practice-2",)),
        *(Run(part="practice-2", trial=trial) for trial in again),
        Gate(part="practice-2", block=-2, at_least=0.8, otherwise="stop"),
        *(Run(part="main", trial=trial) for trial in plan.trials("main")),
    )
    write_plan(study.plans_folder, msgspec.structs.replace(plan, steps=steps))
    plain = Undecided()
    for model, more in ((Redness(), 0), (plain, len(again))):
        found = run_study(study, [observe.Network("net", model, binary(), FLAT)], out=None, quiet=True).records
        mine = [record for record in found if (record.group, record.slot) == (plan.group, plan.slot)]
        assert len(mine) == len(runs) + more


# What a network cannot do.


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"adaptive": msgspec.structs.replace(preset("threshold").adaptive, over="exposure")},
            "does not see durations",
        ),
        ({"response": msgspec.structs.replace(PROTOCOL.response, correct="cue")}, '"cue" is no class of a network'),
        ({"response": None}, "nothing is answered"),
        (
            {"response": None, "questions": (Question(name="name", kind="text", correct="category"),)},
            "typed names are free",
        ),
        (
            {"response": msgspec.structs.replace(PROTOCOL.response, options=PROTOCOL.response.options[:1])},
            "none matches false",
        ),
        ({"questions": (Question(name="confidence", kind="text"),)}, "confidence is a text"),
    ],
)
def test_what_a_network_cannot_do_is_refused_with_the_reason(change, says):
    with pytest.raises(InputError, match=says):
        task_of(msgspec.structs.replace(PROTOCOL, **change))


def test_probes_and_networks_without_the_classes_are_refused_before_the_work(tmp_path):
    study = make_study(tmp_path, protocol=FOUR)
    with pytest.raises(InputError, match="this task asks for a category"):
        run_study(study, [named()], out=None, quiet=True, probing=Probing(layers=("x",)))
    net = red()
    with pytest.raises(InputError, match="red: has 2 classes without names; the task asks for bird, cat, table, couch"):
        run_study(study, [net], out=None, quiet=True)
    assert net.model.n_seen == 1


def test_the_command_names_a_class_list(tmp_path, capsys, monkeypatch):
    study = make_study(tmp_path, protocol=FOUR)
    (tmp_path / "thousand.py").write_text(
        "import torch\n"
        "def make():\n"
        "    torch.manual_seed(1)\n"
        "    return torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(3, 1000))\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    words = ["models", "observe", str(study.folder), "--model", "thousand:make", "--size", "16", "--out", "m.csv"]
    assert cli.main([*words, "--class-list", "imagenet-8"]) == 0
    assert "correct: " in capsys.readouterr().out
    assert {record.response for record in trials_table.read_table("m.csv")} <= set(CATEGORIES)
    assert json.loads((tmp_path / "m.json").read_text())["networks"][0]["readout"].startswith("imagenet-8: mean")
    assert cli.main([*words, "--class-list", "imagenet-16"]) == 2
    assert "the class list imagenet-16 has no table, couch" in capsys.readouterr().err


def test_a_card_brings_its_own_classes(tmp_path):
    from rapidvision.gala_models.layers.architecture import Architecture
    from rapidvision.gala_models.layers.resnet import build
    from rapidvision.gala_models.observer.networks import load

    model = build(Architecture(family="compact", attention="none", n_classes=4), seed=1)
    categories = tuple(Category(name=name, target=False) for name in CATEGORIES)  # no targets: no readout is needed
    card = Card(name="four", architecture=model.architecture, categories=categories, preprocessing=FLAT)
    save_model(tmp_path / "four.safetensors", model, card)
    records = records_of(tmp_path, FOUR, load(tmp_path / "four.safetensors"))
    assert {record.response for record in records} <= set(CATEGORIES)
