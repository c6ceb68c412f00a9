"""Movies instead of images, as in the paper: they are checked before anybody comes, served by hash, and played."""

import shutil

import msgspec
import pytest

from rapidvision.errors import CheckFailed, InputError
from rapidvision.experiments.online.study.payload import for_browser
from rapidvision.experiments.online.study.plans import open_study
from rapidvision.experiments.online.study.settings import OnlineSettings, Screening
from rapidvision.formats.manifest import read_set
from rapidvision.plan import read_plans
from rapidvision.screen import refreshes
from rapidvision.stimuli.movies import write_movies

from .client import Person, run, stored_trials, world
from .conftest import write_settings
from .test_runner import SIZE, press_through

SETTINGS = OnlineSettings(presenter="movie", movies="movies", screening=Screening(fullscreen=False))


@pytest.fixture(scope="session")
def movies(tiny_set, study_template, tmp_path_factory):
    folder = tmp_path_factory.mktemp("movies")
    plans = read_plans(study_template / "plans")
    write_movies(read_set(tiny_set.folder), plans, folder, hz=60, codec="vp9")
    return folder


@pytest.fixture
def movie_study(study_folder, movies):
    shutil.copytree(movies, study_folder / "movies")
    write_settings(study_folder, SETTINGS)
    return study_folder


def test_a_trials_file_is_its_movie_and_says_when_each_phase_begins(movie_study):
    served = open_study(movie_study)
    plan = next(iter(served.plans.values()))
    made = for_browser(plan, served)
    steps = [step for step in made["steps"] if step["step"] == "run"]
    assert len(steps) == 10
    for step, trial in zip(steps, plan.trials(), strict=True):
        movie = served.movie(trial)
        assert step["movie"] == {"file": movie.sha256, "hz": 60, "frames": movie.frames}
        assert made["suffixes"][movie.sha256] == ".webm" and trial.image.stimulus_sha256 not in made["suffixes"]
        assert movie.frames == (refreshes(trial.phases[0].duration_ms, 60), 6, 6)
        assert served.media[movie.sha256].media_type == "video/webm"


@run
async def test_movies_are_served_by_hash_and_images_are_not(movie_study):
    async with world(movie_study) as here, here.client() as client:
        ann = Person(client, here.served)
        await ann.begin()
        film = await client.get(f"/stimuli/{ann.runs[0]['movie']['file']}.webm")
        assert film.status_code == 200 and film.headers["content-type"] == "video/webm" and len(film.content) > 100
        assert (await client.get(f"/stimuli/{ann.runs[0]['phases'][1]['file']}.png")).status_code == 404


def test_movies_that_are_missing_changed_or_of_another_protocol_are_named(movie_study):
    some = sorted((movie_study / "movies").rglob("*.webm"))
    some[0].write_bytes(b"other")
    for path in some[1:]:
        path.unlink()
    with pytest.raises(CheckFailed, match=r"\.webm \(missing\).* and \d+ more; run `rapidvision stimuli movies` again"):
        open_study(movie_study)
    table = movie_study / "movies" / "movies.csv"
    text = table.read_text()
    table.write_text(text.replace(",60,", ",30,"))
    with pytest.raises(InputError, match="make the movies again"):
        open_study(movie_study, verify=False)
    table.write_text(text.replace(",60,", ",sixty,"))
    with pytest.raises(InputError, match='row 2: hz is "sixty"'):
        open_study(movie_study, verify=False)
    table.write_text(text.replace("hz", "rate"))
    with pytest.raises(InputError, match="it lacks hz"):
        open_study(movie_study, verify=False)
    table.unlink()
    with pytest.raises(InputError, match="rapidvision stimuli movies"):
        open_study(movie_study)


@pytest.mark.parametrize("changes", [{"presenter": "movie"}, {"movies": "movies"}])
def test_movies_and_their_presenter_go_together(changes):
    with pytest.raises(msgspec.ValidationError, match="movies must name a folder"):
        msgspec.convert(changes, OnlineSettings)


@pytest.mark.browser
def test_a_session_of_movies_is_played_and_says_so(chromium, movie_study, serve):
    served = serve(movie_study)
    context = chromium.new_context(viewport=SIZE)
    page = context.new_page()
    page.goto(served.url)
    page.get_by_role("button", name="I agree").click(timeout=20_000)
    press_through(page)
    context.close()
    served.stop()
    rows = stored_trials(movie_study)
    assert [row.trial for row in rows] == list(range(10)) and "aborted" not in {row.status for row in rows}
    assert all(row.more["stimulus_ms"] is not None and row.more["fixation_ms"] is not None for row in rows)
    quality = qualities(movie_study)
    assert {each.presenter for each in quality} == {"movie"}
    assert {each.seen for each in quality} <= {"presented", "scheduled"}


def qualities(folder):
    import sqlalchemy as sa

    from rapidvision.experiments.online.database import schema
    from rapidvision.experiments.online.storage.open_database import default_database, open_online_store
    from rapidvision.experiments.online.storage.trial_report import Measurement

    store = open_online_store(default_database(folder), open_study(folder))
    try:
        kept = store.read(lambda connection: list(connection.scalars(sa.select(schema.trial.c.measurement))))
    finally:
        store.close()
    return [msgspec.json.decode(each, type=Measurement).quality for each in kept]
