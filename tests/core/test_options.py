"""One option word for one concept, over all verbs: what a user learns with one verb holds for the others."""

import argparse
import importlib
import re
from collections import defaultdict

import pytest

from rapidvision import cli

#: Concept → its word, and the words that it is not to have.
WORDS = {
    "participants per group": ("--n-per-group", {"--slots", "--per-group", "--n", "--participants"}),
    "number of images": ("--n-images", {"--n", "--limit", "--n-pictures"}),
    "number of players": ("--n-players", {"--players"}),
    "number of rounds": ("--n-rounds", {"--rounds"}),
    "number of simulated experiments": ("--n-experiments", {"--experiments"}),
    "relabellings, sign flips": ("--n-resamples", {"-m", "--relabellings", "--flips", "--n-relabellings"}),
    "format of what is written": ("--format", {"--as", "--form", "--target"}),
    "where to write": ("--out", {"--output", "--picture"}),
    "kinds of observers": ("--observers", {"--players", "--kind"}),
    "what simulated participants are like": ("--observers-file", {"--observer"}),
    "names of classes": ("--class-names", {"--names", "--categories"}),
    "settings of a game": ("--settings", {"--game"}),
    "seed": ("--seed", {"--random-seed", "--random-state"}),
    "source of maps": ("--map-source", {"--maps"}),
}
#: Verbs whose results depend on random numbers of their own.
RANDOM = (
    "demo", "demo render", "study new", "stimuli build", "session plan", "session simulate", "session run",
    "session serve", "analyse bins", "analyse fig2b", "analyse report", "analyse curve", "analyse chance",
    "analyse compare", "analyse maps", "analyse strategy", "analyse power", "analyse calibrate", "models observe",
    "models evaluate", "models train", "models sweep", "clickme simulate", "clickme report",
)  # fmt: skip
#: Words below a verb that say a thing which has a verb of another name.
OLD_VERBS = {"return", "collect", "attend", "pack", "unpack"}
#: What stands for something to fill in: capitals, and words to be typed as they are beside them.
PLACEHOLDER = re.compile(r"(?:[a-z0-9-]+\|)*[A-Z0-9_]+(?:x[A-Z]+|[|:/=][A-Z]+|\[=[A-Z]+\])*(?:\|[a-z0-9-]+)*")


def below(parser, words):
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                yield from below(child, [*words, name])
        elif not isinstance(action, argparse._HelpAction):
            yield " ".join(words), action


ACTIONS = [
    found
    for name, verb in cli.VERBS.items()
    for found in below(cli.parser_of(name, importlib.import_module(verb.module)), [name])
]
OPTIONS = [(command, action) for command, action in ACTIONS if action.option_strings]


@pytest.mark.parametrize("concept", WORDS)
def test_a_concept_has_one_word(concept):
    word, others = WORDS[concept]
    assert any(word in action.option_strings for _, action in OPTIONS)
    assert [(command, *action.option_strings) for command, action in OPTIONS if others & {*action.option_strings}] == []


def test_a_word_has_one_meaning():
    """The same type, number of values and placeholder wherever it stands; only what `--out` makes differs."""
    meanings = defaultdict(set)
    for _, action in OPTIONS:
        for word in action.option_strings:
            placeholder = action.metavar if word not in ("--out", "--format", "--observers") else None
            several = action.nargs if word not in ("--observers", "--n-per-group") else None
            switch = isinstance(action, argparse._StoreTrueAction)
            meanings[word].add((getattr(action.type, "__name__", "str"), placeholder, several, switch))
    assert {word: found for word, found in meanings.items() if len(found) > 1} == {}


def test_an_option_that_takes_a_value_says_which_in_capitals():
    odd = []
    for command, action in ACTIONS:
        if action.nargs == 0 or (action.choices is not None and action.metavar is None):
            continue
        shown = action.metavar if isinstance(action.metavar, tuple) else (action.metavar,)
        odd += [(command, action.dest, one) for one in shown if one is None or not PLACEHOLDER.fullmatch(one)]
    assert odd == []


def test_numbers_of_things_begin_with_n():
    """An option with the placeholder N counts something, and its word says so."""
    others = {"--workers", "--batch-size", "--partner-threads", "--screen-index"}
    odd = [
        (command, word)
        for command, action in OPTIONS
        for word in action.option_strings
        if action.metavar == "N" and not word.startswith(("--n-", "--min-", "--max-")) and word not in others
    ]
    assert odd == []


def test_every_verb_that_draws_random_numbers_takes_a_seed():
    seeded = {command for command, action in OPTIONS if "--seed" in action.option_strings}
    assert set(RANDOM) <= seeded


def test_no_verb_has_an_old_name():
    assert [command for command, _ in ACTIONS if OLD_VERBS & {*command.split()}] == []


@pytest.mark.parametrize("words", [["analyse", "bins", "x.csv", "--n-res=9"], ["demo", "--n=3"]])
def test_a_shortened_word_is_refused(words, capsys):
    """A word that is short for one option today could be short for another one in the next release."""
    assert cli.main(words) == 2
    assert f"unrecognized arguments: {words[-1]}" in capsys.readouterr().err
