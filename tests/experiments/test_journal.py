"""What was appended is there, whatever happens after; damage is named; a full disk is noticed."""

import contextlib
import errno
import multiprocessing
import os
import random
import signal
import sys
import time
import types

import pytest

from rapidvision.errors import Aborted, InputError
from rapidvision.experiments.engine.participants import Observers
from rapidvision.experiments.engine.simulate import simulate_session
from rapidvision.experiments.interfaces import TrialData
from rapidvision.experiments.recording import append_file
from rapidvision.experiments.recording.append_file import AppendOnly
from rapidvision.experiments.recording.journal import JournalFile, decode, encode, read_journal, trials_and_events
from rapidvision.system import platforms
from tests.experiments.journal_children import HEADER, session_child, write_until_full


@pytest.fixture(scope="session")
def entries(plans):
    return simulate_session(plans[0], Observers(), seed=1)


def filled(path, entries):
    with JournalFile(path, HEADER) as journal:
        for entry in entries:
            journal.append(entry)


def test_what_goes_in_comes_out(entries, tmp_path):
    filled(tmp_path / "j.jsonl", entries)
    header, found = read_journal(tmp_path / "j.jsonl")
    assert header == HEADER
    assert found == entries
    with JournalFile(tmp_path / "j.jsonl", HEADER) as journal:
        assert trials_and_events(journal.past) == entries
        assert journal.torn_bytes == 0


def test_a_journal_cut_anywhere_in_its_last_line_keeps_every_line_before(entries, tmp_path):
    path = tmp_path / "j.jsonl"
    filled(path, entries[:4])
    raw = path.read_bytes()
    last = raw[:-1].rfind(b"\n") + 1
    for size in range(last, len(raw)):
        path.write_bytes(raw[:size])
        with JournalFile(path, HEADER) as journal:
            assert journal.past == entries[:3]
            assert journal.torn_bytes == size - last
        assert path.read_bytes() == raw[:last]


def test_every_damaged_byte_is_noticed_and_its_line_named(entries, tmp_path):
    path = tmp_path / "j.jsonl"
    filled(path, entries[:3])
    raw = path.read_bytes()
    rng = random.Random(1)
    for _ in range(300):
        place = rng.randrange(len(raw) - 1)
        damaged = bytearray(raw)
        damaged[place] ^= 1 << rng.randrange(8)
        with pytest.raises(InputError, match=r"line \d+ is damaged") as caught:
            decode(bytes(damaged), name="j")
        line = raw[:place].count(b"\n") + 1
        assert f"line {line} is" in str(caught.value) or raw[place : place + 1] == b"\n" or damaged[place] == 10


def test_a_line_of_another_version_is_named(tmp_path):
    import zlib

    body = b'{"kind":"trial","nonsense":1}'
    raw = encode(HEADER) + b"%b\t%08x\n" % (body, zlib.crc32(body))
    with pytest.raises(InputError, match="line 2 cannot be read"):
        decode(raw, name="j")


def test_two_sessions_cannot_hold_one_journal(tmp_path):
    with JournalFile(tmp_path / "j", HEADER), pytest.raises(InputError, match="open in another session"):
        JournalFile(tmp_path / "j", HEADER)
    JournalFile(tmp_path / "j", HEADER).close()


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("plan_digest", "plan"),
        ("protocol_digest", "protocol"),
        ("stimulus_set_digest", "stimulus set"),
        ("session_id", "session"),
    ],
)
def test_a_journal_of_something_else_is_refused(tmp_path, field, words):
    import msgspec

    filled(tmp_path / "j", [])
    with pytest.raises(InputError, match=f"belongs to another {words}"):
        JournalFile(tmp_path / "j", msgspec.structs.replace(HEADER, **{field: "other"}))


def test_a_file_that_is_no_journal_is_refused(tmp_path, entries):
    (tmp_path / "j").write_bytes(encode(entries[0]))
    with pytest.raises(InputError, match="no header"):
        read_journal(tmp_path / "j")
    with pytest.raises(InputError, match="no header"):
        JournalFile(tmp_path / "j", HEADER)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        JournalFile(tmp_path / "no" / "such" / "j", HEADER)


def test_a_short_write_is_taken_back_and_stops_the_session(entries, tmp_path, monkeypatch):
    path = tmp_path / "j"
    with JournalFile(path, HEADER) as journal:
        journal.append(entries[0])
        whole = path.read_bytes()
        real = os.write
        monkeypatch.setattr(append_file.os, "write", lambda fd, data: real(fd, data[: len(data) // 2]))
        with pytest.raises(Aborted, match=r"only \d+ of \d+ bytes"):
            journal.append(entries[1])
    assert path.read_bytes() == whole


def test_a_full_disk_loses_nothing_that_was_acknowledged_and_resuming_adds_the_rest(entries, tmp_path):
    """A disk that is full after 64 KB, by the kernel's own limit: it writes short first, then refuses."""
    path = tmp_path / "j"
    trials = [e for e in entries if isinstance(e, TrialData)]
    read, write = os.pipe()
    child = multiprocessing.get_context("fork").Process(target=write_until_full, args=(path, trials, write))
    child.start()
    os.close(write)
    with os.fdopen(read) as told:
        *acknowledged, last = told.read().splitlines()
    child.join()
    assert 0 < len(acknowledged) < len(trials)
    assert "bytes could be written" in last
    assert "session resume" in last
    assert path.stat().st_size < 65536
    assert read_journal(path)[1] == trials[: len(acknowledged)]
    with JournalFile(path, HEADER) as journal:
        assert journal.torn_bytes == 0
        for entry in trials[len(journal.past) :]:
            journal.append(entry)
    assert read_journal(path)[1] == trials


def test_a_full_disk_stops_the_session_and_says_so():
    with contextlib.closing(AppendOnly("/dev/full", wait=False)) as file, pytest.raises(Aborted) as caught:
        file.append(b"a line\n")
    assert "No space left on device" in str(caught.value)
    assert "session resume" in str(caught.value)


class Msvcrt(types.ModuleType):
    """Windows' locks as far as they are used: one program may hold a file's byte."""

    LK_LOCK, LK_NBLCK = 1, 2

    def __init__(self):
        super().__init__("msvcrt")
        self.places, self.held = [], []

    def locking(self, descriptor, mode, n_bytes):
        self.places.append(os.lseek(descriptor, 0, os.SEEK_CUR))
        if any(held != descriptor and os.path.sameopenfile(held, descriptor) for held in self.held):
            raise PermissionError(13, "Permission denied")
        self.held.append(descriptor)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EIO])
def test_a_drive_without_locks_is_said_to_be_one(tmp_path, monkeypatch, number):
    import fcntl

    def flock(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    for wait in (False, True):
        with pytest.raises(InputError, match="cannot lock files .*put the study on a local disk"):
            AppendOnly(tmp_path / "j", wait=wait)


def test_where_windows_locks_files_a_second_session_is_refused_too(entries, tmp_path, monkeypatch):
    windows = Msvcrt()
    monkeypatch.setattr(platforms, "system", lambda: "win32")
    monkeypatch.setitem(sys.modules, "msvcrt", windows)
    with JournalFile(tmp_path / "j", HEADER) as journal:
        with pytest.raises(InputError, match="open in another session"):
            JournalFile(tmp_path / "j", HEADER)
        journal.append(entries[0])
        journal.append(entries[1])
    assert read_journal(tmp_path / "j")[1] == entries[:2]
    assert min(windows.places) >= 1 << 30, "a lock on the content itself would keep others from reading it"


@pytest.mark.parametrize(("platform", "wanted"), [("linux", "fdatasync"), ("darwin", "full"), ("win32", "fsync")])
def test_each_system_is_asked_to_put_a_line_on_the_disk_in_its_own_way(tmp_path, monkeypatch, platform, wanted):
    import fcntl

    asked = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: asked.append("fsync"))
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: asked.append("fdatasync"))
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", lambda descriptor, what: asked.append({51: "full"}[what]))
    windows = Msvcrt()
    monkeypatch.setitem(sys.modules, "msvcrt", windows)
    if platform == "win32":
        monkeypatch.delattr(os, "fdatasync")
    monkeypatch.setattr(platforms, "system", lambda: platform)
    with contextlib.closing(AppendOnly(tmp_path / "lines", wait=True)) as file:
        asked.clear()  # the folder's own
        file.append(b"one\n")
    assert asked == [wanted]


def test_killed_200_times_no_acknowledged_trial_is_lost_and_every_session_ends_whole(study, tmp_path):
    """SIGKILL at random moments of fake-clock sessions; each is resumed until it is whole."""
    import msgspec

    plan = study.plans()[0]
    plan_path = study.plans_folder / "clickme-0000.json"
    header = tmp_path / "header.json"
    header.write_bytes(msgspec.json.encode(msgspec.structs.replace(HEADER, plan_digest=plan.digest)))
    rng = random.Random(7)
    killed, session = 0, 0
    acknowledged = {}
    deadline = time.monotonic() + 200
    # A forking server: the imports are paid once, each kill hits a fresh child in the middle of a session.
    context = multiprocessing.get_context("fork")
    while killed < 200:
        assert time.monotonic() < deadline
        read, write = os.pipe()
        child = context.Process(target=session_child, args=(plan_path, header, tmp_path, session, write))
        child.start()
        os.close(write)
        time.sleep(rng.uniform(0.0, 0.05))
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        told = b""
        while part := os.read(read, 65536):
            told += part
        os.close(read)
        words = told.decode().split()
        acknowledged.setdefault(session, []).extend(int(w) for w in words if w.isdigit())
        if "end" in words:
            session += 1  # it was faster than the kill
        else:
            killed += 1
    for number in range(session + 1):
        path = tmp_path / f"{number}.jsonl"
        if not path.exists():
            continue
        read, write = os.pipe()
        child = context.Process(target=session_child, args=(plan_path, header, tmp_path, number, write))
        child.start()
        os.close(write)
        child.join()
        os.close(read)
        done = [e.trial for e in read_journal(path)[1] if isinstance(e, TrialData)]
        assert sorted(done) == list(range(88))
        told = acknowledged.get(number, [])
        assert len(told) == len(set(told))
        assert set(told) <= set(done)
