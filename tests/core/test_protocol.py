"""The protocol says what the paper says, and refuses what no session could run."""

import pytest

from rapidvision import protocol, recipes
from rapidvision.errors import InputError, RecipeError
from rapidvision.protocol import Protocol, Timing


def test_the_default_is_the_paper():
    paper = protocol.preset("paper")
    assert paper == Protocol()
    assert (paper.timing.fixation_ms, paper.timing.stimulus_ms, paper.timing.response_limit_ms) == (
        (1100, 1600),
        400,
        550,
    )
    assert (paper.n_blocks, paper.block_size, paper.n_trials, paper.keys) == (5, 16, 80, ("s", "l"))
    assert not paper.timing.response_ends_trial


def test_the_predecessors_code_differs_where_it_is_known_to():
    old = protocol.preset("authors-2017")
    assert old.timing.response_ends_trial
    assert (old.timing.fixation_ms, old.timing.fixation_step_ms) == ((1100, 1500), 100)
    assert old.digest != Protocol().digest


def test_an_unknown_preset_is_refused_with_a_hint():
    with pytest.raises(InputError, match='Did you mean "paper"'):
        protocol.preset("papre")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[timing]\nfixation_ms = [1600, 1100]", "shortest <= longest"),
        ("[timing]\nstimulus_ms = 0", "must be > 0"),
        ('keys = ["s", "s"]', "two different keys"),
        ("n_blocks = 0", "n_blocks and block_size"),
        ('groups = ["a", "a"]', "groups must differ"),
        ("background = [0, 0, 300]", "from 0 to 255"),
        ("image_deg = 0.0", "must be > 0"),
        ("seed = -1", "must be >= 0"),
        ("[practice]\nn_trials = -1", "must be >= 0"),
        ("[timing]\nstimulus = 3", 'Did you mean "stimulus_ms"'),
    ],
)
def test_what_cannot_run_is_refused(text, says):
    with pytest.raises(RecipeError, match="p.toml") as error:
        recipes.parse(text, Protocol, name="p.toml")
    assert says in str(error.value)


def test_any_change_changes_the_digest():
    assert Protocol(timing=Timing(stimulus_ms=399)).digest != Protocol().digest
    assert Protocol().digest == recipes.parse(recipes.dump(Protocol()), Protocol).digest
