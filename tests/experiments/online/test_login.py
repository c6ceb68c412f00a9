"""Cookies of the dashboard end with the log-out, the password and the hour; two dashboards do not end each other's."""

import httpx
import pytest

from rapidvision.cli import main
from rapidvision.experiments.online.service.dashboard import Dashboard, dashboard_app
from rapidvision.experiments.web.login import HOURS, Login

from .client import PASSWORD, run, world

LOGIN = {"password": PASSWORD}


@run
async def test_a_cookie_that_was_logged_out_opens_nothing(study_folder):
    async with world(study_folder) as here, here.client(here.dashboard) as desk, here.client(here.dashboard) as other:
        await desk.post("/api/login", json=LOGIN)
        await other.post("/api/login", json=LOGIN)
        kept = {"cookie": f"rapidvision={desk.cookies['rapidvision']}"}
        assert (await desk.get("/api/overview")).status_code == 200
        await desk.post("/api/logout", json={})
        async with here.client(here.dashboard) as thief:
            assert (await thief.get("/api/overview", headers=kept)).status_code == 401
        assert (await other.get("/api/overview")).status_code == 200, "the others stay logged in"


@run
async def test_a_cookie_ends_after_its_hours_by_a_clock_that_cannot_be_set(study_folder):
    now = [0.0]
    async with world(study_folder) as here:
        login = Login(here.keys, PASSWORD, https=False, name="x-1", clock=lambda: now[0])
        async with here.client(dashboard_app(Dashboard(here.served, here.store, login))) as desk:
            await desk.post("/api/login", json=LOGIN)
            assert set(desk.cookies) == {"rapidvision-x-1"}
            now[0] = HOURS * 3600 - 1
            assert (await desk.get("/api/overview")).status_code == 200
            now[0] = HOURS * 3600 + 1
            assert (await desk.get("/api/overview")).status_code == 401


def test_a_new_password_ends_every_cookie_and_two_dashboards_share_no_cookie(study_folder, serve, tmp_path):
    first, second = serve(study_folder), serve(study_folder)
    with httpx.Client() as browser:
        for served in (first, second):
            assert browser.post(f"{served.dashboard_url}api/login", json=LOGIN).status_code == 200
        assert len({*browser.cookies}) == 2
        for served in (first, second):
            assert browser.get(f"{served.dashboard_url}api/overview").status_code == 200
        port = first.dashboard_url.rsplit(":", 1)[1].rstrip("/")
        first.stop()
        third = serve(study_folder, "--dashboard-port", port, env={"RAPIDVISION_PASSWORD": "another one now"})
        assert browser.get(f"{third.dashboard_url}api/overview").status_code == 401


def test_a_short_password_is_refused(study_folder, monkeypatch, capsys):
    monkeypatch.setenv("RAPIDVISION_PASSWORD", "a")
    assert main(["session", "serve", str(study_folder), "--port", "0", "--dashboard-port", "0"]) == 2
    assert "at least 8" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "https://lab.example:8443", "sec-fetch-site": "same-origin"}, 200),
        ({"origin": "https://lab.example:8443", "sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
def test_a_proxy_that_hands_on_another_host_is_no_other_site(study_folder, headers, status):
    @run
    async def test():
        async with world(study_folder) as here, here.client(here.dashboard) as desk:
            assert (await desk.post("/api/login", json=LOGIN, headers=headers)).status_code == status

    test()
