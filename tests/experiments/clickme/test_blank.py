"""A partner that names a category for an empty view wins no round, whatever the view is made of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapidvision.experiments.clickme.game.blank_view import doubts, gained
from rapidvision.experiments.clickme.game.masking import PartnerView
from rapidvision.experiments.clickme.game.partner import Loaded, load
from rapidvision.experiments.clickme.game.round import Round
from rapidvision.experiments.clickme.game.rules import Rules
from rapidvision.experiments.clickme.game.settings import Game
from rapidvision.experiments.clickme.server import host
from rapidvision.experiments.clickme.simulation import simulate
from rapidvision.experiments.clickme.simulation.simulated_player import Player
from rapidvision.experiments.clickme.storage.collected import collect
from rapidvision.experiments.clickme.storage.images import read_deck, read_maps
from rapidvision.formats.networks.onnx_card import OnnxCard, metadata_of

SHARES = st.floats(0, 1)


@given(SHARES, SHARES, st.floats(1, 100))
def test_no_answer_gains_over_itself_and_more_is_never_worse(blank, probability, gain):
    assert not gained(blank, blank, gain)
    if gained(probability, blank, gain):
        assert probability > blank
        assert gained(1.0, blank, gain)


def fixed(n, best, share):
    answer = np.full(n, (1 - share) / (n - 1))
    answer[best] = share
    return answer


def test_a_word_that_is_said_to_nothing_wins_only_with_more_than_that():
    rules, words = Rules(), ("bird", "umbrella")
    for share, won in ((0.67, False), (0.75, False), (0.81, True)):
        view = PartnerView(np.zeros((256, 256, 3), np.uint8), rules, seed=1)
        play = Round("r", "umbrella", words, rules, view, fixed(2, 1, 0.67))
        play.start()
        guess = None
        for seq in range(10):
            guess = play.bubble(seq, 100 + seq % 2, 100, at_ms=50.0 * seq)
        assert play.answer(guess, fixed(2, 1, share), at_ms=460) is won, share
    assert play.blank_probability == 0.67


def test_no_round_is_won_before_the_empty_view_is_known():
    rules = Rules()
    play = Round("r", "a", ("a", "b"), rules, PartnerView(np.zeros((256, 256, 3), np.uint8), rules, seed=1))
    play.start()
    for seq in range(10):
        guess = play.bubble(seq, 100 + seq % 2, 100, at_ms=50.0 * seq)
    assert not play.answer(guess, np.array([1.0, 0.0]), at_ms=460)


@pytest.mark.parametrize("background", ["blank", "noise"])
def test_a_partner_with_a_constant_answer_wins_no_round(tmp_path, images, background):
    """It ended every round of its word at the first question, with nine points of ten."""
    deck, game = read_deck(images), Game(rules=Rules(background=background))
    stubborn = Loaded(
        lambda batch: np.tile(fixed(4, 1, 0.7), (len(batch), 1)), "stubborn", deck.categories, fixed(4, 1, 0.7)
    )
    store = host.game_store(tmp_path)
    maps = read_maps(deck, "truth", 256)
    done = simulate.simulate(deck, game, store, stubborn, [Player("a"), Player("b")], maps, rounds_per_player=8, seed=1)
    assert done.n_solved == 0
    rounds = collect(store).rounds
    store.close()
    assert sum(guess.rank == 1 for record in rounds for guess in record.guesses) > 0
    assert {record.result for record in rounds} == {"time"}


def onnx_partner(folder):
    """A network in ONNX that answers the second of two words to everything."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from onnx import TensorProto, helper

    images = helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", "h", "w", 3])
    answer = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 2])
    constants = [
        helper.make_tensor("answer", TensorProto.FLOAT, [1, 2], [0.1, 0.9]),
        helper.make_tensor("first", TensorProto.INT64, [1], [0]),
        helper.make_tensor("one", TensorProto.INT64, [1], [1]),
        helper.make_tensor("two", TensorProto.INT64, [1], [2]),
    ]
    nodes = [
        helper.make_node("Shape", ["images"], ["shape"]),
        helper.make_node("Slice", ["shape", "first", "one"], ["n"]),
        helper.make_node("Concat", ["n", "two"], ["wanted"], axis=0),
        helper.make_node("Expand", ["answer", "wanted"], ["probabilities"]),
    ]
    graph = helper.make_graph(nodes, "stubborn", [images], [answer], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    for key, value in metadata_of(OnnxCard(name="stubborn", categories=("bird", "umbrella"), image_px=64)).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(model, folder / "stubborn.onnx")
    return str(folder / "stubborn.onnx")


@pytest.mark.parametrize("kind", ["function", "network", "onnx"])
def test_the_answer_to_an_empty_view_is_measured_at_start(tmp_path, monkeypatch, kind):
    if kind == "function":
        (tmp_path / "stubborn.py").write_text(
            "import numpy as np\ndef make(categories):\n    return lambda batch: np.tile([0.1, 0.9], (len(batch), 1))\n",
            encoding="utf-8",
        )
        monkeypatch.syspath_prepend(tmp_path)
        loaded = load("stubborn:make", ["umbrella", "bird"], image_px=64)
    elif kind == "onnx":
        loaded = load(onnx_partner(tmp_path), ["umbrella", "bird"], image_px=64)
    else:
        pytest.importorskip("torch")
        deck = read_deck(host.image_folder("bundled"))
        loaded = load("bundled", deck.categories, image_px=256)
        assert doubts(loaded, Rules())[1].startswith('an empty view is "umbrella" to it with probability 0.67')
        return
    assert loaded.blank == pytest.approx([0.1, 0.9])
    few, confident = doubts(loaded, Rules())
    assert "with 2 categories a guess by chance is right in 50%" in few
    assert 'an empty view is "umbrella" to it with probability 0.90' in confident


def test_a_partner_of_many_words_without_a_fixed_idea_leaves_no_doubts():
    words = tuple(f"w{n:02d}" for n in range(40))
    assert doubts(Loaded(lambda batch: batch, "even", words, np.full(40, 1 / 40)), Rules()) == []
    assert doubts(Loaded(None, "none", words), Rules()) == []


@pytest.mark.parametrize("answer", [[[1.2, 0.1]], [[50.0, 50.0]]])
def test_numbers_above_one_are_no_probabilities(answer):
    from rapidvision.experiments.clickme.game.partner import checked

    with pytest.raises(ValueError, match="not probabilities"):
        checked(answer, 1, 2)
