"""The command: what it refuses before it listens, behind a proxy under a path, several workers, a clean end."""

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from rapidvision.cli import main
from rapidvision.experiments.online.storage.open_database import default_database, open_online_store
from rapidvision.experiments.online.study.plans import open_study
from rapidvision.experiments.online.study.settings import Limits, OnlineSettings, Recruitment, Screening
from tests.conftest import missing

from .conftest import write_settings


def refusal(folder, capsys, *arguments):
    code = main(["session", "serve", str(folder), "--port", "0", "--dashboard-port", "0", *arguments])
    assert code in (1, 2)
    return capsys.readouterr().err


def a_stimulus(folder):
    served = open_study(folder, verify=False)
    return next(iter(served.stimuli.values())).path


def test_a_changed_or_missing_image_is_named(study_folder, tmp_path, tiny_set, capsys):
    copy = tmp_path / "set"
    shutil.copytree(tiny_set.folder, copy)
    victim = copy / a_stimulus(study_folder).relative_to(tiny_set.folder)
    victim.write_bytes(b"other")
    assert f"{victim.relative_to(copy)} (changed)" in refusal(study_folder, capsys, "--set", str(copy))
    victim.unlink()
    assert f"{victim.relative_to(copy)} (missing)" in refusal(study_folder, capsys, "--set", str(copy))


def test_a_missing_plan_is_named(study_folder, capsys):
    next((study_folder / "plans").glob("clickme-0001*")).unlink()
    assert "no plan for group clickme, slot 1" in refusal(study_folder, capsys)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("titel = 'x'", 'Did you mean "title"?'),
        ("lapse_minutes = 0", "lapse_minutes must be > 0"),
        ("consent = ' '", "consent must say"),
        ("[recruitment]\nservices = []", "services must name"),
        ("[recruitment]\nservices = ['prolfic']", "prolfic"),
        ("[recruitment]\nredirect = 'http://x.example/'", "https address"),
        ("[recruitment]\nredirect = 'https://x.example/{name}'", "may hold {code} and {id}"),
        ("[recruitment]\nrefuse_ids = 'none.txt'", "none.txt: no such file"),
        ("[screening]\nmin_hz = 300", "min_hz < max_hz"),
        ("[limits]\nrequest_burst = 0", "must be > 0"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_the_remedy(study_folder, capsys, text, words):
    (study_folder / "online.toml").write_text(text)
    assert words in refusal(study_folder, capsys)


def test_ids_that_are_no_text_are_refused(study_folder, capsys):
    (study_folder / "ids.txt").write_bytes(b"\xff\xfe\x00")
    write_settings(study_folder, OnlineSettings(recruitment=Recruitment(refuse_ids="ids.txt")))
    assert "not UTF-8" in refusal(study_folder, capsys)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "0.0.0.0"], "--insecure"),
        (["--dashboard-host", "0.0.0.0"], "--insecure"),
        (["--workers", "2"], "PostgreSQL"),
        (["--workers", "0"], "workers"),
        (["--database-url", "mysql://x/y"], "allowed are sqlite"),
        (["--public-url", "lab.example"], "public url"),
        (["--host", "192.0.2.55", "--insecure"], "choose another"),
    ],
)
def test_arguments_that_cannot_be_are_refused(study_folder, capsys, arguments, words):
    assert words in refusal(study_folder, capsys, *arguments)


def test_a_database_of_other_images_is_refused(study_folder, capsys):
    served = open_study(study_folder)
    store = open_online_store(default_database(study_folder), served)
    from rapidvision.experiments.online.database import schema

    other = schema.study.update().values(plans_digest="0" * 64)
    store.submit(lambda connection: connection.execute(other) and None).result(10)
    store.close()
    assert "followed other plans" in refusal(study_folder, capsys)


def test_help_needs_no_web_framework():
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['starlette', 'uvicorn', 'sqlalchemy'])); "
        "from rapidvision.cli import main; sys.exit(main(['session', 'serve', '--help']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "dashboard has a port of its own" in done.stdout


def test_the_server_ends_cleanly_when_told_to(study_folder, serve):
    served = serve(study_folder)
    served.process.terminate()
    assert served.process.wait(20) == 0


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.loads(answer.read())


@pytest.mark.database
def test_several_workers_share_one_port_and_a_dead_one_is_replaced(study_folder, serve, postgresql_url):
    served = serve(study_folder, "--database-url", postgresql_url, "--workers", "2")
    end = time.monotonic() + 60
    while True:
        try:
            assert get(f"{served.url}alive") == {"alive": True}
            break
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.2)
    children = Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children")
    if children.exists():
        import os
        import signal

        before = set(children.read_text(encoding="utf-8").split())
        workers = [pid for pid in before if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        assert len(workers) == 2
        os.kill(int(workers[0]), signal.SIGKILL)
        while workers[0] in children.read_text(encoding="utf-8").split() or len(
            set(children.read_text(encoding="utf-8").split())
        ) < len(before):
            assert time.monotonic() < end
            time.sleep(0.1)
    assert get(f"{served.url}api/study")["title"]


NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{
    listen unix:{folder}/front.sock;
    location /lab/animals/ {{
      proxy_pass http://127.0.0.1:{port}{path};
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For 203.0.113.9;
      proxy_set_header X-Forwarded-Proto https;
    }}
  }}
}}
"""


@pytest.mark.parametrize("path", ["", "/"], ids=["path kept", "path stripped"])
def test_behind_nginx_under_a_path(study_folder, serve, tmp_path_factory, path):
    import httpx

    nginx = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if nginx is None:
        missing("no nginx on this computer")
    limits = Limits(arrival_burst=3, arrivals_per_second=0.001)
    write_settings(study_folder, OnlineSettings(limits=limits, screening=Screening(fullscreen=False)))
    served = serve(study_folder, "--behind-proxy", "--public-url", "https://lab.example/lab/animals")
    folder = tmp_path_factory.mktemp("nginx")
    port = served.process_port()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, path=path))
    front = subprocess.Popen([nginx, "-c", folder / "nginx.conf"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            if (folder / "front.sock").exists():
                break
            time.sleep(0.05)
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(folder / "front.sock"))) as client:
            base = "http://lab.example/lab/animals"
            page = client.get(f"{base}/")
            assert page.status_code == 200 and 'data-main="static/main.js"' in page.text
            assert page.headers["strict-transport-security"]
            assert client.get(f"{base}/static/main.js").status_code == 200
            assert [client.get(f"{base}/api/study").status_code for _ in range(4)] == [200, 200, 200, 429]
        assert get(f"http://127.0.0.1:{port}/api/study")["title"], (
            "the limit is the forwarded sender's, not the proxy's"
        )
    finally:
        front.terminate()
        front.wait(10)


def test_the_address_without_a_slash_leads_to_the_study(study_folder, serve):
    served = serve(study_folder, "--behind-proxy", "--public-url", "https://lab.example/animals")
    assert served.url == "https://lab.example/animals/"
    base = f"http://127.0.0.1:{served.process_port()}"
    import httpx

    answer = httpx.get(f"{base}/animals?PROLIFIC_PID=ann")
    assert (answer.status_code, answer.headers["location"]) == (308, "/animals/?PROLIFIC_PID=ann")
    assert httpx.get(f"{base}/animals/").status_code == 200


WINDOWS = """
import asyncio, os, sys
def no(*_): raise NotImplementedError
asyncio.unix_events._UnixSelectorEventLoop.add_signal_handler = no
sys.modules["uvloop"] = None
from rapidvision.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_the_server_starts_and_ends_where_loops_take_no_signals(study_folder):
    """What asyncio does on Windows: its loops have no ``add_signal_handler``."""
    command = [sys.executable, "-c", WINDOWS, "session", "serve", str(study_folder), "--port", "0"]
    with subprocess.Popen([*command, "--dashboard-port", "0"], stdout=subprocess.PIPE, text=True) as process:
        said = []
        while not said or not said[-1].startswith("dashboard"):
            said.append(process.stdout.readline())
            assert said[-1], said
        address = next(line.split()[1] for line in said if line.startswith("study"))
        assert get(f"{address}alive") == {"alive": True}
        process.terminate()
        assert process.wait(20) == 0


def test_a_database_of_another_version_is_refused_with_what_to_do(study_folder, capsys):
    import sqlite3

    url = default_database(study_folder)
    open_online_store(url, open_study(study_folder)).close()
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE form SET version = 2")
    connection.close()
    said = refusal(study_folder, capsys)
    assert "version 2" in said and "move the file away" in said and "Nothing was changed" in said
    assert main(["session", "export", str(study_folder), "--source", "online"]) == 2
    assert "version 2" in capsys.readouterr().err
