"""Several studies on one server in this process, each under its own path, with simulated participants."""

import threading
import time

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from rapidvision.experiments.design.planning import make_study
from rapidvision.experiments.online.output.export import trial_records
from rapidvision.experiments.online.service.api import ParticipantApi, participant_app
from rapidvision.experiments.online.storage.open_database import default_database, open_online_store
from rapidvision.experiments.online.study.plans import open_study
from rapidvision.experiments.online.study.settings import OnlineSettings, Screening
from rapidvision.experiments.web.tokens import Keyring
from tests.experiments.sets import protocol_of

from .conftest import write_settings

replace = msgspec.structs.replace
#: A browser without a display has no pointer and so is taken for a phone.
SETTINGS = OnlineSettings(screening=Screening(fullscreen=False, keyboard=False))


def quick(name, *, images=8, blocks=2, practice=2, **changes):
    """A protocol of the presets and tasks with few trials and short pages, that a browser runs."""
    protocol = protocol_of(name)
    if name in ("sixteen-way", "same-different"):  # an image of each category, pairs within categories
        images = 16
    return replace(
        protocol,
        design=replace(protocol.design, images=images, blocks=blocks, block_size="auto"),
        practice=replace(protocol.practice, n_trials=practice, criterion=protocol.practice.criterion),
        breaks=replace(protocol.breaks, unlock="participant", rest_ms=0, page_ms=50),
        feedback=replace(protocol.feedback, show_ms=100, too_slow_ms=protocol.feedback.too_slow_ms and 100),
        **changes,
    )


class Mounted:
    """A server for several study folders, {name: folder}; `simulated` acts in all of them."""

    def __init__(self, folders, *, simulated=None):
        self.served = {name: open_study(folder, verify=False) for name, folder in folders.items()}
        self.stores = {
            name: open_online_store(default_database(folder), self.served[name]) for name, folder in folders.items()
        }
        routes = []
        for name, served in self.served.items():
            api = ParticipantApi(served, self.stores[name], Keyring(b"k" * 32), simulated=simulated)
            routes.append(Mount(f"/{name}", participant_app(api)))
        config = uvicorn.Config(Starlette(routes=routes), port=0, log_level="error")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    def rows(self, name, observers=("human", "simulated")):
        served = self.served[name]
        return self.stores[name].read(lambda connection: trial_records(connection, served, observers=observers))

    def read(self, name, job):
        return self.stores[name].read(job)

    def stop(self):
        self.server.should_exit = True
        self.thread.join(10)
        for store in self.stores.values():
            store.close()


def make_folders(names, set_of, folder, *, settings=SETTINGS, **options):
    """A study of each name under a folder, planned for one slot per group, with the settings of the tests."""
    found = {}
    for name in names:
        found[name] = folder / name
        make_study(set_of(name), quick(name, **options), found[name], n_slots=1)
        write_settings(found[name], settings)
    return found
