"""A small torment in every test run; the full one is a benchmark."""

from collections import Counter

import pytest

from rapidvision.experiments.online.study.settings import Limits, OnlineSettings, Screening

from .chaos import torment
from .client import stored_trials
from .conftest import write_settings

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_nothing_is_lost_doubled_or_shown_twice_when_servers_die_pages_reload_and_networks_fail(
    chromium, study_folder, serve
):
    limits = Limits(arrival_burst=10_000)
    write_settings(study_folder, OnlineSettings(screening=Screening(fullscreen=False), limits=limits))
    served = serve(study_folder, "--simulate", "--seed", "5")
    served.arguments = ("--simulate", "--seed", "5")
    outcome = torment(chromium, served, n_browsers=3, kills=2, reloads=4, offline=2, seed=3, limit_s=120)
    served.stop()
    assert outcome.finished == 3, outcome.stopped
    rows = stored_trials(study_folder)
    assert len(rows) == 30 and set(Counter((row.session_id, row.trial) for row in rows).values()) == {1}
    assert outcome.shown_twice == 0
    shown = sum(sum(counts.values()) for counts in outcome.shown)
    assert 30 - sum(row.status == "aborted" for row in rows) <= shown <= 30
