"""The Chromium of this machine, started for tests: no sandbox (tests may be root), no GPU, nothing that asks the network."""

import os
import shutil

PATH = os.environ.get("RV_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
