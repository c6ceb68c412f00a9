"""Every language says the same things."""

import pytest

from rapidvision.errors import InputError
from rapidvision.experiments.design.texts import _PLACE, TEXT_IDS, fill, languages, planned, read_texts
from rapidvision.protocol import Protocol


@pytest.mark.parametrize("language", languages())
def test_a_language_has_every_text_with_the_english_place_holders(language):
    english, texts = read_texts("en"), read_texts(language)
    assert set(texts) == set(TEXT_IDS)
    for name in TEXT_IDS:
        assert sorted(_PLACE.findall(texts[name])) == sorted(_PLACE.findall(english[name])), name


@pytest.mark.parametrize("language", languages())
def test_a_plan_leaves_only_what_the_session_fills(language):
    texts = planned(read_texts(language), Protocol(), key_target="s", key_distractor="l")
    for name, text in texts.items():
        assert set(_PLACE.findall(text)) <= set(TEXT_IDS[name])
    assert "S" in texts["keys"]
    assert "L" in texts["keys"]


def test_a_text_keeps_what_it_does_not_know():
    assert fill("{percent} % of {block}", percent=80) == "80 % of {block}"


def test_another_task_brings_its_own_texts_and_is_checked(tmp_path):
    path = tmp_path / "vehicles.toml"
    words = {name: f"{name} text" for name in TEXT_IDS}
    path.write_text("\n".join(f'{name} = "{text}"' for name, text in words.items()))
    assert read_texts("en", override=path) == words
    path.write_text("\n".join(f'{name} = "{text}"' for name, text in words.items() if name != "end"))
    with pytest.raises(InputError, match="lacks the text end"):
        read_texts("en", override=path)
    path.write_text("\n".join(f'{name} = "{text} {{percnt}}"' for name, text in words.items()))
    with pytest.raises(InputError, match=r'unknown place-holder "\{percnt\}"'):
        read_texts("en", override=path)
    path.write_text("\n".join(f'{name} = "{text}"' for name, text in {**words, "ennd": "x"}.items()))
    with pytest.raises(InputError, match=r'unknown text "ennd"\. Did you mean "end"'):
        read_texts("en", override=path)


@pytest.mark.parametrize(("language", "says"), [("en", "any key"), ("de", "Taste"), ("es", "tecla"), ("fr", "touche")])
def test_the_last_page_says_that_the_session_is_over_and_how_it_closes(language, says):
    thanks, *rest = read_texts(language)["end"].strip().split("\n\n")
    assert thanks
    assert says in "".join(rest)
