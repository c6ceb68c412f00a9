"""One server per game: a second one is refused with a reason, and the first one's rounds continue."""

import errno

import pytest
import sqlalchemy as sa

from rapidvision import cli
from rapidvision.errors import InputError
from rapidvision.experiments.clickme.storage import lock, tables
from tests.conftest import missing
from tests.experiments.clickme.guest import Guest
from tests.experiments.clickme.postgres import Unavailable, postgres
from tests.experiments.clickme.quickgame import QUICK, line, names, stored
from tests.experiments.clickme.running import Running

pytest.importorskip("fcntl")


def test_a_second_server_is_refused_and_closes_no_live_round(tmp_path, images):
    """The second start ended all open rounds; the player of the first was told that time was up."""
    with Running(images, tmp_path / "game", partner="none", game=QUICK) as running:
        running.data = tmp_path / "game"
        with Guest(running.url, next(names)) as guest:
            round_id = guest.begin()
            guest.paint(round_id, line(4))
            guest.hear("stored")
            before = (tmp_path / "game" / "game.toml").read_bytes()
            with pytest.raises(RuntimeError, match="another process plays this game"):
                Running(images, tmp_path / "game", partner="none", game=QUICK.replace("1200", "1500"))
            assert (tmp_path / "game" / "game.toml").read_bytes() == before
            guest.hear("end")
        (record,) = stored(running).rounds
        assert (record.result, record.duration_ms) == ("time", 1200)
        assert running.stop() == 0
    with Running(images, tmp_path / "game", partner="none") as again:
        assert again.stop() == 0


def test_simulated_players_do_not_play_beside_a_server(tmp_path, images, capsys):
    with Running(images, tmp_path / "game", partner="none", game=QUICK):
        words = [
            "clickme",
            "simulate",
            str(images),
            "--out",
            str(tmp_path / "game"),
            "--map-source",
            "truth",
            "--quiet",
        ]
        assert cli.main([*words, "--n-players", "1", "--n-rounds", "1", "--seed", "1"]) == 2
        assert "another process plays this game" in capsys.readouterr().err


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_told_from_a_lock_that_is_held(tmp_path, monkeypatch, number):
    import fcntl

    def refuse(*_):
        raise OSError(number, "No locks available")

    store = tables.open_store(f"sqlite:///{tmp_path}/game.sqlite")
    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(InputError, match="cannot lock files"), lock.only_one(store):
        pass
    store.close()


def test_the_lock_ends_with_its_holder(tmp_path):
    stores = [tables.open_store(f"sqlite:///{tmp_path}/game.sqlite") for _ in range(2)]
    with lock.only_one(stores[0]), pytest.raises(InputError, match="another process"), lock.only_one(stores[1]):
        pass
    with lock.only_one(stores[1]):
        pass
    for store in stores:
        store.close()


@pytest.mark.database
def test_postgresql_lends_one_lock(tmp_path):
    try:
        with postgres() as url:
            stores = [tables.open_store(url) for _ in range(2)]
            with (
                lock.only_one(stores[0]),
                pytest.raises(InputError, match="another process"),
                lock.only_one(stores[1]),
            ):
                pass
            with lock.only_one(stores[1]):
                held = "select count(*) from pg_locks where locktype = 'advisory'"
                assert stores[0].read(lambda connection: connection.scalar(sa.text(held))) == 1
            for store in stores:
                store.close()
    except Unavailable as reason:
        missing(str(reason))
