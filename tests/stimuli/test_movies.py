"""Trial movies: the right frames at the right times, in both formats."""

import csv
from fractions import Fraction

import numpy as np
import pytest

from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.formats import movies
from rapidvision.protocol import Protocol
from rapidvision.stimuli.movies import MovieFrames, write_movie
from tests.conftest import missing
from tests.stimuli.conftest import natural, write_folder

try:
    import av
except ImportError:
    av = None


@pytest.fixture
def video():
    if av is None:
        missing("PyAV is not installed")
    return av


def decoded(video, path):
    with video.open(str(path)) as movie:
        return [
            (float(frame.pts * frame.time_base), frame.to_ndarray(format="rgb24")) for frame in movie.decode(video=0)
        ]


@pytest.mark.parametrize(("codec", "suffix"), [("vp9", "webm"), ("h264", "mp4")])
@pytest.mark.parametrize("hz", [60, 75, Fraction("59.94"), Fraction(60000, 1001)])
def test_every_part_has_its_frames_at_exact_times(video, tmp_path, codec, suffix, hz):
    picture, path = natural(1), tmp_path / f"trial.{suffix}"
    counts = write_movie(picture, path, protocol=Protocol(), fixation_ms=1100, hz=hz, codec=codec)
    frames = decoded(video, path)
    assert len(frames) == counts.fixation + counts.stimulus + counts.blank
    for number, (time_s, _) in enumerate(frames):
        assert time_s == pytest.approx(float(number / hz), abs=6e-4)  # WebM counts whole milliseconds
    onset = counts.fixation
    luma = [image.mean() for _, image in frames]
    assert min(luma[:onset]) > 230
    assert min(luma[onset + counts.stimulus :]) > 252
    for _, image in frames[onset : onset + counts.stimulus]:
        weights = [0.299, 0.587, 0.114]
        assert np.abs(image @ weights - picture @ weights).mean() < 4
    assert frames[0][1][32, 32].max() < 60


def test_frame_counts_follow_the_half_frame_rule_and_the_protocols_bounds():
    assert MovieFrames.of(Protocol(), fixation_ms=1600, hz=144) == MovieFrames(230, 58, 21)
    with pytest.raises(InputError, match="fixation: got 900 ms, the protocol allows 1100 to 1600 ms"):
        MovieFrames.of(Protocol(), fixation_ms=900, hz=60)
    with pytest.raises(InputError, match="frame rate: got 5 Hz"):
        MovieFrames.of(Protocol(), fixation_ms=1200, hz=5)


def test_odd_sides_are_refused(video, tmp_path):
    with pytest.raises(InputError, match="movies need even sides"):
        write_movie(np.zeros((33, 33, 3), np.uint8), tmp_path / "a.webm", protocol=Protocol(), fixation_ms=1200)


def test_a_set_becomes_movies_with_a_table(video, tmp_path):
    recipe = write_folder(tmp_path / "pictures", n_pictures=1)
    assert main(["stimuli", "build", str(recipe), "--out", str(tmp_path / "set"), "--quiet", "--workers", "1"]) == 0
    command = [
        "stimuli",
        "movies",
        str(tmp_path / "set"),
        "--hz",
        "30",
        "--n-stimuli",
        "2",
        "--quiet",
        "--codec",
        "h264",
    ]
    assert main([*command, "--out", str(tmp_path / "movies")]) == 0
    with (tmp_path / "movies/movies.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["stimulus_id"] for row in rows] == ["p00.clickme.2", "p00.clickme.5.32"]
    assert [movie.stimulus_id for movie in movies.TABLE.read(tmp_path / "movies/movies.csv")] == [
        "p00.clickme.2",
        "p00.clickme.5.32",
    ]
    for row in rows:
        assert 1100 <= int(row["fixation_ms"]) <= 1600
        frames = decoded(video, tmp_path / "movies" / row["path"])
        assert len(frames) == sum(int(row[name]) for name in ("fixation_frames", "stimulus_frames", "blank_frames"))


@pytest.mark.parametrize(("text", "shown"), [("59.94", "59.94"), ("60000/1001", "59.94005994005994"), ("60", "60")])
def test_rates_of_real_displays_are_accepted(video, tmp_path, text, shown):
    recipe = write_folder(tmp_path / "pictures", n_pictures=2)
    assert main(["stimuli", "build", str(recipe), "--out", str(tmp_path / "set"), "--workers", "1", "--quiet"]) == 0
    arguments = [
        "stimuli",
        "movies",
        str(tmp_path / "set"),
        "--out",
        str(tmp_path / "m"),
        "--n-stimuli",
        "1",
        "--quiet",
    ]
    assert main([*arguments, "--hz", text]) == 0
    with (tmp_path / "m/movies.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["hz"] == shown
    assert movies.TABLE.read(tmp_path / "m/movies.csv")[0].hz == float(shown)
    assert int(row["stimulus_frames"]) == 24
    assert main([*arguments, "--hz", "fast"]) == 2
