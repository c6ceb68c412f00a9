"""Trial movies: every phase of a planned trial, the right frames at the right times, in both formats."""

from fractions import Fraction

import msgspec
import numpy as np
import pytest

from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.formats import movies
from rapidvision.formats.masks import read_masks
from rapidvision.formats.movies import frames_of, movie_id
from rapidvision.formats.protocol_file import preset
from rapidvision.images.load import load_rgb
from rapidvision.plan import write_plan
from rapidvision.stimuli.builder.build_set import build
from rapidvision.stimuli.movies import phase_image, planned_movies, write_movie, write_movies
from rapidvision.study import Study
from rapidvision.task.phases import Phase
from rapidvision.task.response import Response
from tests.conftest import missing
from tests.planned import plan_of, trial_of
from tests.stimuli.conftest import write_folder

try:
    import av
except ImportError:
    av = None

PAPER = preset("paper")
_WITH_A_MASK = (
    Phase(kind="fixation", duration_ms=200),
    Phase(kind="cue", text="animal?", duration_ms=100),
    Phase(kind="stimulus", duration_ms=20),
    Phase(name="gap", kind="blank", duration_ms=30),
    Phase(kind="mask", mask="noise", duration_ms=80),
    Phase(name="wait", kind="blank", overlay="fixation", duration_ms=370),
)
MASKED = msgspec.structs.replace(
    PAPER, phases=_WITH_A_MASK, response=Response(options=PAPER.response.options, limit_ms=500)
)
GREY = (128, 128, 128)


@pytest.fixture
def video():
    if av is None:
        missing("PyAV is not installed")
    return av


@pytest.fixture(scope="module")
def masked_set(tmp_path_factory):
    folder = tmp_path_factory.mktemp("movies")
    return build(write_folder(folder / "images"), out=folder / "set", masks=["noise"])


def masked_trial(found, number=0, mask=0, **fields):
    return trial_of(MASKED, found.stimuli[number], mask=read_masks(found.folder)["noise"][mask], **fields)


def decoded(video, path):
    with video.open(str(path)) as movie:
        return [
            (float(frame.pts * frame.time_base), frame.to_ndarray(format="rgb24")) for frame in movie.decode(video=0)
        ]


@pytest.mark.parametrize(("codec", "suffix"), [("vp9", "webm"), ("h264", "mp4")])
@pytest.mark.parametrize("hz", [60, 75, Fraction("59.94"), Fraction(60000, 1001)])
def test_every_phase_has_its_frames_at_exact_times(video, masked_set, tmp_path, codec, suffix, hz):
    trial, path = masked_trial(masked_set), tmp_path / f"trial.{suffix}"
    counts = write_movie(trial, masked_set, path, background=GREY, hz=hz, codec=codec)
    assert counts == frames_of(trial, hz)
    frames = decoded(video, path)
    assert len(frames) == sum(counts)
    for number, (time_s, _) in enumerate(frames):
        assert time_s == pytest.approx(float(number / hz), abs=6e-4)  # WebM counts whole milliseconds
    weights, first = [0.299, 0.587, 0.114], 0
    for phase, count in zip(trial.phases, counts, strict=True):
        wanted = phase_image(phase, trial, masked_set, GREY) @ weights
        for _, image in frames[first : first + count]:
            assert np.abs(image @ weights - wanted).mean() < 4, phase.name
        first += count


def test_a_phase_shows_what_was_planned(masked_set):
    trial = masked_trial(masked_set)
    shown = {phase.name: phase_image(phase, trial, masked_set, GREY) for phase in trial.phases}
    assert (shown["stimulus"] == load_rgb(masked_set.folder / masked_set.stimuli[0].path)).all()
    assert (shown["mask"] == load_rgb(masked_set.folder / trial.phases[4].content)).all()
    assert (shown["gap"] == 128).all()
    assert (shown["fixation"] == shown["wait"]).all()
    assert (shown["fixation"][31:33, 31:33] == 0).all()
    assert 10 < (shown["cue"] != 128).any(axis=2).sum() < 64 * 64 / 3


def test_frames_follow_the_half_frame_rule_from_the_last_image_on(masked_set):
    row = masked_set.stimuli[0]
    trial = trial_of(PAPER, row)  # 1,100, 400 and 150 ms
    assert frames_of(trial, 60) == (66, 24, 9)
    assert frames_of(trial, 144) == (158, 58, 21)  # 550 ms after the onset are 79 frames, 400 ms are 58
    assert frames_of(masked_trial(masked_set), 75) == (15, 7, 1, 3, 6, 27)  # 20 ms are a tie: earlier
    short = msgspec.structs.replace(PAPER, phases=(Phase(kind="stimulus", duration_ms=5), PAPER.phases[2]))
    with pytest.raises(InputError, match=r"stimulus of 5 ms has no frame at 60 Hz; the shortest there is 16\.7 ms"):
        frames_of(trial_of(short, row), 60)


def test_trials_share_a_movie_only_where_they_show_the_same(masked_set):
    first = masked_trial(masked_set)
    name = movie_id(first, MASKED)
    assert name == movie_id(masked_trial(masked_set, trial=7), MASKED)
    display = msgspec.structs.replace(MASKED.display, background=GREY)
    others = [
        movie_id(masked_trial(masked_set, mask=1), MASKED),
        movie_id(masked_trial(masked_set, number=1), MASKED),
        movie_id(trial_of(PAPER, masked_set.stimuli[0]), PAPER),
        movie_id(first, msgspec.structs.replace(MASKED, display=display)),
    ]
    assert len({name, *others}) == 5


def test_what_no_movie_can_show_is_refused_with_the_reason(masked_set):
    for name, says in {
        "threshold": "adaptive: a movie is made before the answers are known",
        "authors-2017": "response.ends_trial: a response cannot end a movie",
        "masked": r"phases\[4\]\.duration_ms: a movie cannot wait for the response",
    }.items():
        plan = plan_of(preset(name), masked_set.digest, [])
        with pytest.raises(InputError, match=says):
            planned_movies([plan])
    assert planned_movies([plan_of(preset(name), masked_set.digest, []) for name in ("paper", "go-nogo")]) == {}


def test_odd_sides_wrong_rates_and_changed_files_are_refused(video, masked_set, tmp_path):
    trial = masked_trial(masked_set)
    odd = msgspec.structs.replace(masked_set.description, image_px=33)
    with pytest.raises(InputError, match="movies need even sides"):
        write_movie(trial, type(masked_set)(masked_set.folder, odd, ()), tmp_path / "a.webm", background=GREY)
    with pytest.raises(InputError, match="frame rate: got 5 Hz"):
        write_movie(trial, masked_set, tmp_path / "a.webm", background=GREY, hz=5)
    mask = msgspec.structs.replace(trial.phases[4], sha256="0" * 64)
    with pytest.raises(InputError, match="changed since the study was planned"):
        phase_image(mask, trial, masked_set, GREY)
    cue = msgspec.structs.replace(trial.phases[1], content="動物")
    with pytest.raises(InputError, match="Latin letters only"):
        phase_image(cue, trial, masked_set, GREY)


def test_a_study_becomes_movies_with_a_table(video, masked_set, tmp_path, capsys):
    study = Study(tmp_path / "study")
    plans = [
        plan_of(
            MASKED, masked_set.digest, [masked_trial(masked_set, n, n + slot, trial=n) for n in range(3)], slot=slot
        )
        for slot in range(2)
    ]
    for plan in plans:
        write_plan(study.plans_folder, plan)
    study.write_description(masked_set, MASKED, groups=("all",), n_slots=2)
    assert len(planned_movies(plans)) == 6
    out = tmp_path / "movies"
    assert main(["stimuli", "movies", str(study.folder), "--out", str(out), "--hz", "30", "--n-movies", "2"]) == 2
    assert "the phase gap of 30 ms has no frame at 30 Hz" in capsys.readouterr().err
    assert main(["stimuli", "movies", str(study.folder), "--out", str(out), "--n-movies", "2"]) == 0
    assert "2 movies at 60 Hz" in capsys.readouterr().out
    rows = movies.TABLE.read(out / movies.NAME)
    assert [row.movie_id for row in rows] == list(planned_movies(plans))[:2]
    assert all(row.phase_frames == frames_of(trial, 60) for row, trial in zip(rows, plans[0].trials(), strict=False))
    (out / rows[1].path).write_bytes(b"damaged")
    before = (out / rows[0].path).stat().st_mtime_ns
    write_movies(masked_set, plans, out)
    assert (out / rows[0].path).stat().st_mtime_ns == before  # kept
    again = movies.TABLE.read(out / movies.NAME)
    assert again[0] == rows[0]
    assert [row.movie_id for row in again] == list(planned_movies(plans))
    assert len(again) == 6
    other = msgspec.structs.replace(plans[0], stimulus_set_digest="0" * 64)
    with pytest.raises(InputError, match="not the set of the plans"):
        write_movies(masked_set, [other], out)
