"""Page shells: an HTML file and the few lines that load its modules, whatever becomes of the server meanwhile.

A module graph that loses one file never runs, and no code retries it: the page would stay blank. The loader is therefore
part of the page itself, and the content policy names its hash.
"""

import base64
import hashlib
import html
from pathlib import Path

STATIC = Path(__file__).parents[1] / "static"
_BOOT = (STATIC / "boot.js").read_text(encoding="utf-8")
_PLACE = "<!--boot-->"

#: For ``script-src`` of a content policy: allows the loader and nothing else that is written into a page.
BOOT_SOURCE = f"'sha256-{base64.b64encode(hashlib.sha256(_BOOT.encode()).digest()).decode()}'"


def shell(path: Path, *, main: str, waiting: str, too_old: str) -> bytes:
    """Return an HTML file with the loader of its modules in the place of ``<!--boot-->``, at the end of its body.

    Parameters
    ----------
    path : Path
        The HTML file. Its element ``page`` shows the messages; its style sheet defines ``--ink``, by which the loader
        sees that it arrived.
    main : str
        Address of the first module, relative to the page.
    waiting : str
        What is said while the server does not answer.
    too_old : str
        What is said by browsers that cannot read the modules.

    Returns
    -------
    bytes
        The page.

    Raises
    ------
    ValueError
        When the file has no place for the loader.
    """
    text = path.read_text(encoding="utf-8")
    if text.count(_PLACE) != 1:
        raise ValueError(f"{path}: {text.count(_PLACE)} places for the loader ({_PLACE}), one is needed")
    messages = "".join(
        f'<template id="{name}"><p role="alert">{html.escape(words)}</p></template>'
        for name, words in (("waiting", waiting), ("too-old", too_old))
    )
    return text.replace(_PLACE, f'{messages}<script data-main="{html.escape(main)}">{_BOOT}</script>').encode()
