"""The page of measured figures says what the benchmarks printed."""

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.harness import Result
from benchmarks.page import machine, main, page, printed

FIGURES = [
    Result("exact p of 12 levels, compiled", "s", "<= 0.1", 0.1108, False),
    Result("false positives per level at .05", "share", "0.0354 to 0.0646", 0.045, True),
    Result("fill 256x256, 15 %: against Python's heapq", "x", ">= 20", 23.9, True),
    Result("plain scramble: auto- and cross-spectra, relative error", "", "<= 1e-12", 1.887e-17, True),
    Result("observe: rate of the whole against the forward pass alone, and more", "of 1", ">= 0.9", 0.8977, False),
    Result("on a GPU, bf16: inference / plain ResNet-50", "x the time", "<= 1.1", None, None, "no GPU here"),
    Result("a ClickMe-sized run as a recipe, core hours, from 1,000 images", "h", "stated", 2.791, True),
]


def test_every_printed_figure_is_read_back():
    text = "# suite\n" + "\n".join(one.line() for one in FIGURES) + "\na line that is no figure\n"
    assert printed(text) == {"suite": FIGURES}


@given(st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: float(f"{value:.4g}")), st.booleans())
def test_values_survive(value, holds):
    one = Result("some figure of 3 levels", "x the rate", ">= 0.8", value, holds)
    assert printed("# r\n" + one.line())["r"] == [one]


def test_what_falls_short_is_said_first_and_in_bold():
    text = page({"suite": FIGURES}, head="Then.")
    assert "7 figures: 2 fall short of their bar, 1 were not measured." in text
    assert text.count("**falls short**") == 2
    assert "not measured: no GPU here" in text


def test_the_page_names_machine_day_and_circumstances(tmp_path):
    (tmp_path / "log.txt").write_text("# suite\n" + "\n".join(one.line() for one in FIGURES) + "\n", encoding="utf-8")
    main([str(tmp_path / "measured.md"), str(tmp_path / "log.txt"), "--note", "Nothing else ran."])
    text = (tmp_path / "measured.md").read_text(encoding="utf-8")
    assert machine() in text and "Nothing else ran." in text and "## suite" in text
