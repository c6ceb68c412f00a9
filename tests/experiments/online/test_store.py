"""The store: answers after the commit, groups, one culprit, two databases, versions, a full disk, a hard kill."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading

import pytest
import sqlalchemy as sa

from rapidvision.errors import InputError
from rapidvision.experiments.web.store import Batch, Store, StoreUnavailable, sqlite_url

metadata = sa.MetaData()
thing = sa.Table(
    "thing", metadata, sa.Column("name", sa.String(40), primary_key=True), sa.Column("n", sa.Integer, nullable=False)
)


def put(name, n=1):
    def job(connection):
        connection.execute(thing.insert().values(name=name, n=n))
        return name

    return job


def names(store):
    return {name for (name,) in store.read(lambda connection: list(connection.execute(sa.select(thing.c.name))))}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.database)])
def store(request, tmp_path):
    if request.param == "sqlite":
        url = sqlite_url(tmp_path / "store.sqlite")
    else:
        url = request.getfixturevalue("postgresql_url")
    made = Store(url, metadata, form="things", version=1)
    yield made
    made.close()


def test_a_write_is_answered_after_its_commit_and_can_be_read_by_others(store):
    assert store.submit(put("a")).result(10) == "a"
    assert names(store) == {"a"}


def test_many_threads_write_everything_once(store):
    futures = []
    guard = threading.Lock()

    def work(number):
        for i in range(20):
            future = store.submit(put(f"{number}-{i}"))
            with guard:
                futures.append(future)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for future in futures:
        future.result(20)
    assert names(store) == {f"{number}-{i}" for number in range(8) for i in range(20)}
    assert store.health()["writes"] == 160


def test_one_failing_write_does_not_undo_its_neighbours(store):
    gate = threading.Event()
    store.submit(lambda _: gate.wait(10))  # holds the writer, so that the next ones share a group
    good = [store.submit(put(name)) for name in ("a", "b")]
    bad = store.submit(put("a"))
    later = store.submit(put("c"))
    gate.set()
    assert [future.result(10) for future in (*good, later)] == ["a", "b", "c"]
    with pytest.raises(StoreUnavailable):
        bad.result(10)
    assert names(store) == {"a", "b", "c"}


def test_a_job_that_raises_reaches_only_its_caller(store):
    def broken(_connection):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError):
        store.submit(broken).result(10)
    assert store.submit(put("a")).result(10) == "a"


def test_items_of_a_batch_are_written_together_and_answered_in_order(store):
    sizes = []

    def write(connection, items):
        sizes.append(len(items))
        connection.execute(thing.insert(), [{"name": item, "n": 1} for item in items])
        return [item.upper() for item in items]

    batch = Batch(write)
    gate = threading.Event()
    store.submit(lambda _: gate.wait(10))
    futures = [store.submit_item(batch, f"x{i}") for i in range(5)]
    gate.set()
    assert [future.result(10) for future in futures] == [f"X{i}" for i in range(5)]
    assert max(sizes) == 5


def test_a_closed_store_refuses(store):
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.submit(put("a")).result(1)


def test_reading_cannot_write(tmp_path):
    store = Store(sqlite_url(tmp_path / "a.sqlite"), metadata, form="things", version=1)
    with pytest.raises(StoreUnavailable, match="readonly"):
        store.read(put("a"))
    store.close()


def test_another_version_of_the_tables_is_refused_with_the_remedy(tmp_path):
    url = sqlite_url(tmp_path / "a.sqlite")
    Store(url, metadata, form="things", version=2).close()
    with pytest.raises(InputError, match="version 2, this RapidVision has 1; update RapidVision"):
        Store(url, metadata, form="things", version=1)
    with pytest.raises(InputError, match="version 2, this RapidVision has 3; use another database"):
        Store(url, metadata, form="things", version=3)


@pytest.mark.parametrize("url", ["mysql://a/b", "sqlite://"])
def test_an_unknown_database_is_refused(url):
    with pytest.raises(InputError, match="allowed are sqlite"):
        Store(url, metadata, form="things", version=1)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "a.sqlite").write_bytes(b"not a database, and long enough to be looked at" * 50)
    with pytest.raises(InputError, match="not a database"):
        Store(sqlite_url(tmp_path / "a.sqlite"), metadata, form="things", version=1)


def test_passwords_do_not_show_in_messages():
    with pytest.raises(InputError) as caught:
        Store("postgresql://ann:sesame@127.0.0.1:1/none", metadata, form="things", version=1)
    assert "sesame" not in str(caught.value) and "ann" in str(caught.value)


def test_sqlite_syncs_every_commit(tmp_path):
    store = Store(sqlite_url(tmp_path / "a.sqlite"), metadata, form="things", version=1)

    def pragmas(connection):
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]

    assert store.submit(pragmas).result(10) == ["wal", 2]
    store.close()


def test_a_full_disk_is_told_and_what_was_acknowledged_stays(tmp_path):
    store = Store(sqlite_url(tmp_path / "a.sqlite"), metadata, form="things", version=1)
    store.submit(put("before")).result(10)
    pages = store.submit(lambda c: c.exec_driver_sql("PRAGMA page_count").scalar()).result(10)
    store.submit(lambda c: c.exec_driver_sql(f"PRAGMA max_page_count={pages}").scalar()).result(10)
    refused = 0
    for i in range(400):
        try:
            store.submit(put(f"{'x' * 30}{i}")).result(10)
        except StoreUnavailable as error:
            assert "full" in str(error)
            refused += 1
    assert refused
    assert "before" in names(store) and len(names(store)) == 401 - refused
    store.close()


KILLED = """
import sys
from rapidvision.experiments.web.store import Store
from tests.experiments.online.test_store import metadata, put
store = Store(sys.argv[1], metadata, form="things", version=1)
for i in range(100000):
    store.submit(put(str(i))).result(10)
    print(i, flush=True)
"""


def test_whatever_was_acknowledged_survives_a_hard_kill(tmp_path):
    url = sqlite_url(tmp_path / "a.sqlite")
    for _ in range(3):
        shutil.rmtree(tmp_path, ignore_errors=True)
        tmp_path.mkdir()
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(KILLED), url], stdout=subprocess.PIPE, text=True
        )
        said = [process.stdout.readline() for _ in range(30)]
        os.kill(process.pid, signal.SIGKILL)
        said += process.stdout.readlines()
        process.wait()
        process.stdout.close()
        store = Store(url, metadata, form="things", version=1)
        assert {line.strip() for line in said if line.endswith("\n")} <= names(store)
        store.close()
