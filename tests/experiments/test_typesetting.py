"""Words of every alphabet: read in the right order, joined, broken before they are turned, and never without a letter."""

import msgspec
import numpy as np
import pytest
from PIL import features

from rapidvision.errors import InputError
from rapidvision.experiments.lab import run
from rapidvision.experiments.lab.file_checks import Options
from rapidvision.experiments.typesetting import fonts, words
from rapidvision.experiments.typesetting.fonts import check_fonts, font_for, is_foreign
from rapidvision.experiments.typesetting.words import broken, draw_words, open_font

ALEF, LAM = "\u05d0", "\u05dc"
SHALOM = "\u05e9\u05dc\u05d5\u05dd"


def ink(text, **options):
    """Where an image of words is dark, cut to what is there."""
    alpha = np.asarray(draw_words(text, 40, width_px=900, ink=(0, 0, 0), **options))[..., 3] > 127
    rows, columns = np.flatnonzero(alpha.any(1)), np.flatnonzero(alpha.any(0))
    return alpha[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def same(one, two):
    """Whether two cut-outs agree but for the edges of letters."""
    return (
        one.shape[0] == two.shape[0]
        and abs(one.shape[1] - two.shape[1]) <= 2
        and (np.mean(one[:, : min(one.shape[1], two.shape[1])] != two[:, : min(one.shape[1], two.shape[1])]) < 0.1)
    )


def halves(alpha):
    """The two letters on both sides of the widest gap, left and right."""
    empty = ~alpha.any(0)
    runs = np.flatnonzero(np.diff(np.concatenate(([0], empty.astype(int), [0]))))
    begin, end = max(runs.reshape(-1, 2), key=lambda run: run[1] - run[0])
    return [_cut(alpha[:, :begin]), _cut(alpha[:, end:])]


def _cut(alpha):
    rows, columns = np.flatnonzero(alpha.any(1)), np.flatnonzero(alpha.any(0))
    return alpha[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


@pytest.fixture(params=["raqm", "without raqm"])
def engine(request, monkeypatch):
    if request.param == "raqm" and not features.check("raqm"):
        pytest.skip("this Pillow has no raqm")
    if request.param != "raqm":
        pytest.importorskip("bidi")
        monkeypatch.setattr(words.features, "check", lambda _: False)


def test_hebrew_begins_on_the_right_and_latin_on_the_left(engine):
    left, right = halves(ink(f"{LAM}      {ALEF}"))
    assert same(right, ink(LAM)) and same(left, ink(ALEF))
    left, right = halves(ink("\u0416      L"))  # Cyrillic, so that it is set here too
    assert same(left, ink("\u0416"))


def test_a_number_and_a_key_in_hebrew_keep_their_own_order(engine):
    _, right = halves(ink(f"{SHALOM}         S12"))
    assert same(right, ink(SHALOM))
    left, _ = halves(ink(f"{SHALOM}         S12"))
    first_letter = left[:, : left.shape[1] // 3]
    assert first_letter.any() and not same(first_letter, left[:, -first_letter.shape[1] :])


def test_arabic_letters_are_joined(engine):
    beh = "\u0628"
    assert ink(beh * 5).shape[1] < 0.75 * 5 * ink(beh).shape[1]  # joined they lose their tails


def test_long_lines_are_broken_before_they_are_turned(engine):
    font = open_font(SHALOM, 30)
    text = " ".join([SHALOM] * 30)
    lines = broken(text, font, 400)
    assert len(lines) > 3
    assert " ".join(lines) == text
    image = draw_words(text, 30, width_px=400, ink=(0, 0, 0))
    assert image.width <= 402


def test_chinese_breaks_between_letters():
    font = open_font("A", 30)
    lines = broken("\u52d5\u7269" * 20, font, 200)
    assert "".join(lines) == "\u52d5\u7269" * 20 and len(lines) > 2


def test_a_letter_that_no_font_has_is_refused_with_the_name_of_a_font(plans, monkeypatch):
    poor = [(font_for("A"), frozenset(map(ord, "abcdefghijklmnopqrstuvwxyz,.")))]
    monkeypatch.setattr(fonts, "_installed", lambda: poor)
    fonts._font_with.cache_clear()
    changed = msgspec.structs.replace(plans[0], texts={**plans[0].texts, "welcome": "\u52d5\u7269 \u0928\u092e"})
    with pytest.raises(InputError) as caught:
        check_fonts(changed)
    fonts._font_with.cache_clear()
    said = str(caught.value)
    assert "Devanagari" in said and "Chinese" in said
    assert "Noto Sans Devanagari or Noto Sans CJK SC" in said
    check_fonts(plans[0])


def test_a_session_with_such_words_is_refused_before_a_window_opens(study, monkeypatch):
    opened = []
    monkeypatch.setattr(run, "_with_display", lambda *_, **__: opened.append(1))
    monkeypatch.setattr("rapidvision.experiments.lab.file_checks.check_fonts", _refuse)
    with pytest.raises(InputError, match="no installed font"):
        run.run_session(study, "p1", Options(), say=lambda _: None)
    assert not opened


def _refuse(_):
    raise InputError("texts: no installed font has the letters")


@pytest.mark.parametrize(
    ("text", "wanted"), [("¿Qué ves? — 12 €", False), ("Größe", False), (SHALOM, True), ("Да", True)]
)
def test_latin_words_stay_psychopy_s(text, wanted):
    assert is_foreign(text) is wanted


WINDOW = """
import sys
from rapidvision.experiments.interfaces import Frame
from rapidvision.experiments.lab.psychopy_display import PsychoPyScreen
from rapidvision.experiments.typesetting.words import draw_words
words = sys.argv[1]
with PsychoPyScreen(window_px=(600, 400), paced_hz=60) as screen:
    screen.drawings.draw(Frame("text", words))
    shown = screen.win._getFrame(buffer="back").convert("L")
    image = draw_words(words, 24, width_px=540, ink=(0, 0, 0))
    from PIL import Image
    page = Image.new("RGBA", (600, 400), "white")
    page.alpha_composite(image, ((600 - image.width) // 2, (400 - image.height) // 2))
    import numpy as np
    one, two = np.asarray(shown, float), np.asarray(page.convert("L"), float)
    best = min(np.abs(one - np.roll(two, (dy, dx), (0, 1))).mean() for dy in (-1, 0, 1) for dx in (-1, 0, 1))
    print(best, (255 - two).mean())
"""


def test_the_window_shows_these_words_and_not_their_mirror(python_with_display):
    off, dark = map(float, python_with_display(WINDOW, f"{SHALOM}, {SHALOM} S 12").split()[-2:])
    assert off < 0.15 * dark
