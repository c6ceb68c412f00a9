"""Where a plug-in comes from: its module, distribution and version, and the hash of its source."""

import hashlib
import inspect
import sys
from pathlib import Path
from typing import Any, NamedTuple

import msgspec


class PluginSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where a named part comes from.

    Attributes
    ----------
    kind : str
        What it is, such as ``reveal mode``.
    name : str
        Its name in recipes and on the command line.
    module : str
        Module that defines it.
    distribution : str
        Installed distribution that the module belongs to; empty for a file that was not installed.
    version : str
        Of the distribution, or the module's ``__version__``; empty where neither is known.
    sha256 : str
        Hash of the module's source file when it was imported.
    """

    kind: str
    name: str
    module: str
    distribution: str
    version: str
    sha256: str

    def __str__(self) -> str:
        owner = f"{self.distribution} {self.version}" if self.distribution else f"the module {self.module}"
        return f"{self.kind} {self.name} of {owner.strip()}"


class Part(NamedTuple):
    """A registered part: the object, the module that defines it, its qualified name, and the hash of its source."""

    value: Any
    module: str
    qualname: str
    sha256: str

    @property
    def place(self) -> str:
        """Module and name, as entry points write them."""
        return f"{self.module}:{self.qualname}"


def part_of(value: Any) -> Part:
    """Return a function or class with its place and the hash of its source."""
    module = str(getattr(value, "__module__", type(value).__module__))
    qualname = str(getattr(value, "__qualname__", type(value).__qualname__))
    return Part(value, module, qualname, _source_sha256(value, module))


def _source_sha256(value: Any, module: str) -> str:
    """Hash of the file that defines a part; of the part's own text in a notebook; empty where there is neither."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is not None and Path(file).is_file():
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()
    try:
        return hashlib.sha256(inspect.getsource(value).encode()).hexdigest()
    except (OSError, TypeError):
        return ""


def owner_of(module: str) -> tuple[str, str]:
    """Distribution and version of a module; of a file that was not installed, no distribution and its own version."""
    from importlib import metadata

    top = module.partition(".")[0]
    owners = metadata.packages_distributions().get(top, [])
    if owners:
        return owners[0], metadata.version(owners[0])
    return "", str(getattr(sys.modules.get(module), "__version__", ""))
