"""Every language says the same things, for any task."""

import msgspec
import pytest

from rapidvision.errors import InputError
from rapidvision.experiments.design.assignment.inputs import inputs_of
from rapidvision.experiments.design.texts import _PARTS, _PLACE, TEXT_IDS, fill, languages, planned, read_texts
from rapidvision.formats.protocol_file import PRESETS, preset
from rapidvision.grammar.rules import problems
from tests.experiments.sets import PROTOCOLS, protocol_of

change = msgspec.structs.replace
#: Words of the paper's task, which no other task may meet.
ANIMALS = ("animal", "Tier", "versteckt", "verdeckt", "hidden", "oculta", "cachée")


def said(language, protocol, *, turn=0, override=None):
    words = read_texts(language, override=override)
    return planned(words, protocol, inputs=inputs_of(protocol.response, turn=turn), block_size=16)


@pytest.mark.parametrize("language", languages())
def test_a_language_has_every_text_with_the_english_place_holders(language):
    english, texts = read_texts("en"), read_texts(language)
    assert set(texts) == {*TEXT_IDS, *_PARTS}
    for name in texts:
        assert sorted(_PLACE.findall(texts[name])) == sorted(_PLACE.findall(english[name])), name


@pytest.mark.parametrize("name", PROTOCOLS)
@pytest.mark.parametrize("language", languages())
def test_a_plan_leaves_only_what_the_session_fills(language, name):
    texts = said(language, protocol_of(name))
    assert set(texts) == set(TEXT_IDS)
    for text_id, text in texts.items():
        assert set(_PLACE.findall(text)) <= set(TEXT_IDS[text_id])
        assert text == text.strip("\n")
        assert "\n\n\n" not in text


@pytest.mark.parametrize("language", languages())
def test_the_paper_s_options_have_the_paper_s_words_and_each_session_its_keys(language):
    first, second = (said(language, preset("paper"), turn=turn) for turn in (0, 1))
    target, distractor = read_texts(language)["option_target"], read_texts(language)["option_distractor"]
    lines = first["reminder"].split(" " * 8)
    assert [line[0] for line in lines] == ["S", "L"]
    assert [line.endswith(word) for line, word in zip(lines, (target, distractor), strict=True)] == [True, True]
    assert second["reminder"].startswith("L")
    assert first["inputs"].index("S") < first["inputs"].index(" L")
    assert target in first["main"]


@pytest.mark.parametrize("name", ["masked", "go-nogo", "sixteen-way", "same-different", "naming"])
@pytest.mark.parametrize("language", languages())
def test_no_other_task_is_about_animals_or_two_keys(language, name):
    """What a protocol's own labels say is taken away: the texts add nothing to it."""
    protocol = protocol_of(name)
    if protocol.response:
        options = tuple(change(option, label="") for option in protocol.response.options)
        protocol = change(protocol, response=change(protocol.response, options=options))
    texts = said(language, protocol)
    for text_id, text in texts.items():
        assert not [word for word in ANIMALS if word in text], text_id
    for option in protocol.response.options if protocol.response else ():
        assert (option.name in texts["inputs"]) == bool(option.keys or not option.inputs)


def test_labels_are_the_options_words_and_make_the_task_another():
    paper = preset("paper")
    options = tuple(change(option, label=f"a {option.name} face") for option in paper.response.options)
    texts = said("en", change(paper, response=change(paper.response, options=options)))
    assert texts["reminder"] == "S: a target face        L: a distractor face"
    assert "animal" not in " ".join(texts.values())


def test_inputs_are_called_by_what_is_printed_on_them():
    texts = said("en", protocol_of("cue"))
    assert texts["reminder"] == "←: animal        →: other"
    buttons = protocol_of("two-masks").response
    only = change(buttons, options=tuple(change(option, keys=()) for option in buttons.options))
    assert said("de", change(protocol_of("two-masks"), response=only))["reminder"].startswith("Knopf 1: animal")


def test_a_held_key_is_named_and_so_is_what_letting_go_means():
    texts = said("en", preset("go-nogo"))
    assert texts["hold"] == "Hold the space bar down."
    assert "let go of the space bar: animal\nkeep holding: no animal" in texts["inputs"]
    down = change(preset("go-nogo"), response=change(preset("go-nogo").response, press="down"))
    assert said("en", down)["reminder"] == "the space bar: animal        do nothing: no animal"


def test_many_options_have_several_lines_as_reminder():
    paper = preset("paper")
    options = tuple(change(paper.response.options[0], name=f"option-{key}", keys=(key,)) for key in "asdfg")
    texts = said("en", change(paper, response=change(paper.response, correct="category", options=options)))
    assert [line.count(":") for line in texts["reminder"].splitlines()] == [4, 1]


def test_a_text_keeps_what_it_does_not_know():
    assert fill("{percent} % of {block}", percent=80) == "80 % of {block}"


def test_a_file_replaces_some_texts_and_is_checked(tmp_path):
    path = tmp_path / "faces.toml"
    path.write_text('welcome = "Is it a face?"\n"block deadline=400" = "Be fast!"\n', encoding="utf-8")
    texts = said("fr", preset("paper"), override=path)
    assert texts["welcome"] == "Is it a face?"
    assert texts["end"] == said("fr", preset("paper"))["end"]
    path.write_text('welcome = "{percnt}"', encoding="utf-8")
    with pytest.raises(InputError, match=r'unknown place-holder "\{percnt\}"'):
        read_texts("en", override=path)
    path.write_text('ennd = "x"', encoding="utf-8")
    with pytest.raises(InputError, match=r'unknown text "ennd"\. Did you mean "end"'):
        read_texts("en", override=path)


def test_a_text_may_name_the_key_of_an_option_that_exists(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('welcome = "Press {key_no} if there is none."', encoding="utf-8")
    assert said("en", preset("masked"), override=path)["welcome"] == "Press 0 if there is none."
    with pytest.raises(InputError, match=r'unknown place-holder "\{key_no\}".*key_target'):
        said("en", preset("paper"), override=path)


def test_another_language_needs_every_text(tmp_path):
    path = tmp_path / "eo.toml"
    words = {name: f"{name} text" for name in (*TEXT_IDS, *_PARTS)}
    path.write_text("\n".join(f'{name} = "{text}"' for name, text in words.items()), encoding="utf-8")
    assert read_texts("eo", override=path) == words | {
        "welcome_animals": "welcome text",
        "inputs_animals": "inputs text",
    }
    path.write_text('end = "fino"', encoding="utf-8")
    with pytest.raises(InputError, match="lacks the texts welcome, inputs"):
        read_texts("eo", override=path)
    with pytest.raises(InputError, match=r'"eo" does not come with the suite'):
        read_texts("eo")


def test_a_text_of_a_block_s_conditions_is_shown_before_it(set_of, tmp_path):
    from rapidvision.experiments.design.planning import make_plan
    from rapidvision.plan import Page

    path = tmp_path / "own.toml"
    path.write_text('"block deadline=400" = "Be fast!"', encoding="utf-8")
    protocol = protocol_of("speed-accuracy")
    words = read_texts("en", override=path)
    plan = make_plan(set_of("speed-accuracy"), protocol, group="clickme", slot=0, words=words)
    pages = [step.text_id for step in plan.steps if isinstance(step, Page) and step.text_id.startswith("block")]
    assert [page for page in pages if page != "block_accuracy"] == ["block deadline=400", "block"] * 2 or [
        page for page in pages if page != "block_accuracy"
    ] == ["block", "block deadline=400"] * 2
    assert plan.texts["block deadline=400"] == "Be fast!"


@pytest.mark.parametrize(("language", "says"), [("en", "any key"), ("de", "Taste"), ("es", "tecla"), ("fr", "touche")])
def test_the_last_page_says_that_the_session_is_over_and_how_it_closes(language, says):
    thanks, *rest = read_texts(language)["end"].strip().split("\n\n")
    assert thanks
    assert says in "".join(rest)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_has_its_options_and_questions_in_every_language(name, language):
    protocol = change(preset(name), language=language)
    assert problems(protocol) == []
    texts = said(language, protocol)
    response = protocol.response
    for option in response.options:
        if {each.name for each in response.options} == {"target", "distractor"}:
            words = read_texts(language)[f"option_{option.name}"]
        else:
            assert set(option.label) == set(languages()), option.name
            words = option.words(language)
            assert words == option.label[language]
        if option.keys:
            assert words in texts["reminder"]
    for question in protocol.questions:
        assert set(question.text) == set(languages())
        assert question.words(language) == question.text[language]


def test_words_that_lack_the_protocol_s_language_are_a_finding():
    italian = change(preset("masked"), language="it")
    assert problems(italian)[0] == (
        "response.options[0].label",
        'no words in "it", the protocol\'s language; it has en, de, es, fr',
    )
