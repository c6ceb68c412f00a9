"""``session serve``: from a study folder to listening ports."""

import argparse
import gc
import os
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rapidvision import recipes, seeds
from rapidvision.cli import say
from rapidvision.errors import InputError

from ...engine.participants import Observers
from ...web.login import Login, password_from_environment
from ...web.serve import Address, listen, run, run_workers, serve_apps
from ...web.tokens import Keyring, server_secret
from ..storage.open_database import DATABASE_VARIABLE, ONLINE_FOLDER, default_database, open_online_store
from ..storage.register import discard, rehearsed
from ..study.plans import ServedStudy, open_study
from .answers import Simulated
from .api import ParticipantApi, participant_app
from .dashboard import Dashboard, dashboard_app

#: The writer waits for its turn of the interpreter at the end of every commit; 5 ms, the default, is longer than those.
SWITCH_S = 0.001


@dataclass(frozen=True)
class Setup:
    """What every process of a server needs to know; can be sent to another process."""

    folder: Path
    stimulus_set: Path | None
    database_url: str
    secret: bytes
    password: str
    address: Address
    dashboard_address: Address
    simulated: Simulated | None
    rehearsal: str


def serve(arguments: argparse.Namespace) -> int:
    """Serve until told to stop.

    Raises
    ------
    InputError
        When anything a participant would stumble over is wrong; nothing listens then.
    """
    setup, served, made_password = _prepare(arguments)
    _say_rehearsals(arguments, setup, served)
    with ExitStack() as stack:
        sockets = [stack.enter_context(listen(address)) for address in (setup.address, setup.dashboard_address)]
        return _run(arguments, setup, served, sockets, made_password=made_password)


def _run(
    arguments: argparse.Namespace,
    setup: Setup,
    served: ServedStudy,
    sockets: list[socket.socket],
    *,
    made_password: bool,
) -> int:
    def announce() -> None:
        host, port = sockets[0].getsockname()[:2]
        dashboard_host, dashboard_port = sockets[1].getsockname()[:2]
        if made_password:
            say(arguments, f"password    {setup.password}   (for this run; set RAPIDVISION_PASSWORD to choose one)")
        say(arguments, f"study       {setup.address.public_url.rstrip('/') or f'http://{host}:{port}'}/")
        say(arguments, f"dashboard   http://{dashboard_host}:{dashboard_port}/")

    if arguments.workers > 1:
        announce()
        return run_workers(work, (setup, sockets), arguments.workers)
    work(0, setup, sockets, served, announce)
    return 0


def _prepare(arguments: argparse.Namespace) -> tuple[Setup, ServedStudy, bool]:
    folder = Path(arguments.study)
    folder = folder.parent if folder.is_file() else folder
    address = Address(arguments.host, arguments.port, arguments.public_url, arguments.behind_proxy)
    dashboard_address = Address(arguments.dashboard_host, arguments.dashboard_port)
    address.check(insecure=arguments.insecure)
    dashboard_address.check(insecure=arguments.insecure)
    if arguments.simulate and address.public and not arguments.rehearsal:
        raise InputError(
            f"simulate: {address.public_url or address.host} can be reached from outside, where anybody could add ?simulate; "
            "leave --simulate out, or start a --rehearsal, in which nothing counts and no completion code is given"
        )
    database_url = arguments.database_url or os.environ.get(DATABASE_VARIABLE, "")
    if arguments.workers < 1 or (arguments.workers > 1 and not database_url.startswith("postgresql")):
        raise InputError(
            f"workers: got {arguments.workers}; SQLite serves one process, PostgreSQL several: give --database-url"
        )
    served = open_study(folder, stimulus_set=arguments.set)
    password, made = password_from_environment()
    setup = Setup(
        folder=folder,
        stimulus_set=arguments.set,
        database_url=database_url or default_database(folder),
        secret=server_secret(folder / ONLINE_FOLDER),
        password=password,
        address=address,
        dashboard_address=dashboard_address,
        simulated=_simulated(arguments),
        rehearsal=arguments.rehearsal_name if arguments.rehearsal else "",
    )
    return setup, served, made


def _say_rehearsals(arguments: argparse.Namespace, setup: Setup, served: ServedStudy) -> None:
    """Open the database once, discard the rehearsal that is named, and say which others are kept apart."""
    store = open_online_store(setup.database_url, served)
    try:
        if name := arguments.discard_rehearsal:
            n = store.submit(lambda connection: discard(connection, served.study_id, name)).result(60)
            if n == 0:
                known = store.read(lambda connection: rehearsed(connection, served.study_id))
                raise InputError(f'discard-rehearsal: no sessions of "{name}"; there are: {", ".join(known) or "none"}')
            say(arguments, f"discarded   {n} sessions of the rehearsal {name}")
        for name, kinds in store.read(lambda connection: rehearsed(connection, served.study_id)).items():
            counts = ", ".join(f"{n} {kind}" for kind, n in kinds.items())
            say(
                arguments,
                f"kept apart  {counts} (sessions) of the rehearsal {name}; --discard-rehearsal {name} deletes them",
            )
    finally:
        store.close()
    if setup.rehearsal:
        say(arguments, f"rehearsal   {setup.rehearsal}: everybody who comes is a pilot, nothing counts")


def _simulated(arguments: argparse.Namespace) -> Simulated | None:
    if not arguments.simulate:
        return None
    observers = Observers() if arguments.observers_file is None else recipes.read(arguments.observers_file, Observers)
    seed = seeds.fresh_seed() if arguments.seed is None else arguments.seed
    say(arguments, f"simulated participants are let in by ?simulate, seed {seed}")
    return Simulated(observers, seed)


def work(
    number: int,
    setup: Setup,
    sockets: list[socket.socket],
    served: ServedStudy | None = None,
    ready: Callable[[], None] | None = None,
) -> None:
    """Serve in one process; the first one has the dashboard. `ready` is called when it answers."""
    if served is None:
        served = open_study(setup.folder, stimulus_set=setup.stimulus_set, verify=False)
    store = open_online_store(setup.database_url, served)
    keys = Keyring(setup.secret)
    api = ParticipantApi(served, store, keys, simulated=setup.simulated, rehearsal=setup.rehearsal)
    apps = [
        (
            participant_app(api, https=setup.address.https, root_path=setup.address.root_path),
            sockets[0],
            setup.address,
        )
    ]
    if number == 0:
        name = f"{served.study_id[:8]}-{sockets[1].getsockname()[1]}"
        login = Login(keys, setup.password, https=setup.dashboard_address.https, name=name)
        dashboard = Dashboard(served, store, login)
        apps.append((dashboard_app(dashboard), sockets[1], setup.dashboard_address))
    gc.collect()
    gc.freeze()  # plans and settings live as long as the process: no collection needs to look at them again
    sys.setswitchinterval(SWITCH_S)
    try:
        run(serve_apps(apps, ready=ready, beside=[api.keep_time] if number == 0 else []))
    finally:
        store.close()
